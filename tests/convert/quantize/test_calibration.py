"""The calibration sample is fixed and fair; the ranges are those of the values."""

import numpy as np

from fer_edge.convert.graph.fold import fold_batch_norms
from fer_edge.convert.graph.from_keras import read_keras
from fer_edge.convert.quantize.calibration import calibrate, calibration_sample
from fer_edge.convert.quantize.ranges import Range
from fer_edge.train.data.dataset import TRAINING, Split
from fer_edge.train.keras_model import load_model
from fer_edge.train.keras_setup import load_keras


def test_the_sample_has_the_same_number_of_each_class(tiny):
    sample = calibration_sample(tiny.split(TRAINING), seed=1, per_class=5)
    np.testing.assert_array_equal(np.bincount(sample.labels), [5] * 7)
    assert len(set(sample.rows)) == 35  # without repetition


def test_the_sample_depends_on_the_seed_alone(tiny):
    training = tiny.split(TRAINING)
    rows = [calibration_sample(training, seed, 5).rows.tolist() for seed in (1, 1, 2)]
    assert rows[0] == rows[1] != rows[2]


def test_a_rare_class_gives_all_it_has(tiny):
    training = tiny.split(TRAINING)
    few = training.take(np.flatnonzero((training.labels != 1) | (np.arange(len(training)) < 16)))
    counts = np.bincount(calibration_sample(few, 1, 5).labels)
    assert counts[1] == 3
    assert set(counts) == {3, 5}


def test_the_ranges_round_all_images_no_worse_than_the_extremes(trained, tiny):
    model = load_model(trained).model
    graph = fold_batch_norms(read_keras(model))
    images = tiny.split(TRAINING).images[:120]  # more than a batch
    done = []
    ranges = calibrate(graph, images, done.append)
    assert sum(done) == 2 * 120
    keras = load_keras()
    relu = next(layer for layer in model.layers if type(layer).__name__ == "ReLU")
    logits = next(layer for layer in model.layers if type(layer).__name__ == "Dense")
    inner = keras.Model(model.inputs, [relu.output, logits.output])
    first, last = (np.asarray(v) for v in inner.predict(images[..., None].astype(np.float32), verbose=0))
    for name, values in ((relu.name, first), (logits.name, last)):
        extremes, chosen = Range(min(values.min(), 0.0), values.max()), ranges[name]
        assert extremes.low - 1e-3 <= chosen.low <= 0 < chosen.high <= extremes.high + 1e-3
        assert rounding_error(values, chosen) <= 1.02 * rounding_error(values, extremes)
    assert ranges[relu.name].high > 0.3 * first.max()


def rounding_error(values, limits):
    return np.square(np.round(np.clip(values, *limits) / limits.scale) * limits.scale - values).mean()


def test_the_sample_of_a_split_of_one_image():
    split = Split(np.zeros((1, 4, 4), np.uint8), np.array([3]), np.array([0]))
    assert len(calibration_sample(split, 1)) == 1
