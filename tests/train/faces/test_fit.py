"""Training goes on where it stopped, and the networks have the size that they should."""

import functools

import numpy as np
import pytest

from fer_edge.errors import FerEdgeError
from fer_edge.faces.grid import CELLS, CHANNELS
from fer_edge.train.faces.fit import Fit, Schedule
from fer_edge.train.faces.losses import proposer_loss, refiner_loss
from fer_edge.train.faces.mining import hardest, keras_network, mine
from fer_edge.train.faces.pair import PROPOSER_BATCH, REFINER_BATCH, crop_batches, scene_batches
from fer_edge.train.faces.proposer import build_proposer
from fer_edge.train.faces.refiner import build_refiner
from fer_edge.train.faces.targets import COLUMNS
from fer_edge.train.faces.worker import BatchWorker
from fer_edge.train.zoo.cost import multiply_adds


def crops(seed):
    rng = np.random.default_rng(seed)
    while True:
        images = rng.integers(0, 256, (8, 48, 48, 1), dtype=np.uint8)
        targets = np.zeros((8, 16), np.float32)
        targets[:4, [0, 14, 15]] = 1
        images[:4, 16:32, 16:32] = 255
        yield images, targets


def fitted(tmp_path, name, stops):
    import keras

    keras.utils.set_random_seed(1)
    batches = crops(0)
    for stop in stops:
        fit = Fit(build_refiner((4, 4, 4, 4)), refiner_loss, Schedule(6, warm_up=1), tmp_path / f"{name}.npz")
        fit.run(batches, stop)
    return fit.averaged().get_weights(), fit


def test_a_training_in_two_parts_equals_one_in_one(tmp_path):
    whole, _ = fitted(tmp_path, "whole", [6])
    parts, fit = fitted(tmp_path, "parts", [3, 6])
    assert fit.step == 6
    # Dropout draws anew; all else is the same.
    for one, other in zip(whole, parts, strict=True):
        assert one == pytest.approx(other, abs=0.05)


def test_the_rate_warms_up_and_falls_to_nothing():
    schedule = Schedule(100, 0.1, warm_up=10)
    rates = [schedule.rate(step) for step in range(100)]
    assert rates[0] == pytest.approx(0.01)
    assert np.argmax(rates) in (9, 10)
    assert rates[-1] < 1e-4


def test_sizes_and_costs():
    proposer, refiner = build_proposer(), build_refiner()
    assert proposer.output_shape == (None, len(CELLS) * CHANNELS)
    assert proposer.count_params() < 200_000
    assert refiner.count_params() < 80_000
    assert multiply_adds(proposer) < 18_000_000
    assert multiply_adds(refiner) < 4_000_000


def test_a_right_output_costs_less_than_a_wrong_one():
    targets = np.zeros((1, len(CELLS), COLUMNS), np.float32)
    targets[..., 1] = 1
    targets[0, 5] = (1, 1, 1, 0.25, -0.25, 0.5)
    right = np.zeros((1, len(CELLS), CHANNELS), np.float32)
    right[..., 0] = -6
    right[0, 5] = (6, 0.25, -0.25, 0.5)
    moved, missed, invented = right.copy(), right.copy(), right.copy()
    moved[0, 5, 1] = 1
    missed[0, 5, 0] = -6
    invented[0, 50, 0] = 6
    losses = [float(proposer_loss(targets, output.reshape(1, -1))) for output in (right, moved, missed, invented)]
    assert losses[0] < 0.01
    assert min(losses[1:]) > 0.1


def test_a_doubtful_cell_costs_nothing():
    targets = np.zeros((1, len(CELLS), COLUMNS), np.float32)
    output = np.full((1, len(CELLS) * CHANNELS), 5, np.float32)
    assert float(proposer_loss(targets, output)) == 0


def test_batches_come_from_the_data(face_data, tmp_path):
    frames, targets = next(scene_batches(face_data, tmp_path / "none.json", 1))
    assert frames.shape == (PROPOSER_BATCH, 120, 160, 1)
    assert targets.shape == (PROPOSER_BATCH, len(CELLS), COLUMNS)
    images, wanted = next(crop_batches(face_data, tmp_path / "none.json", tmp_path / "none.json", 1))
    assert images.shape == (REFINER_BATCH, 48, 48, 1)
    assert wanted.shape == (REFINER_BATCH, 16)


def test_a_worker_draws_the_same_batches_and_tells_when_it_ends(face_data, tmp_path):
    make = functools.partial(scene_batches, face_data, tmp_path / "none.json", 1)
    with BatchWorker(make) as worker:
        frames, targets = next(worker)
    here = next(make())
    assert (frames == here[0]).all()
    assert (targets == here[1]).all()
    make = functools.partial(scene_batches, tmp_path / "missing", tmp_path / "none.json", 1)
    with pytest.raises(FerEdgeError, match="expected batches"), BatchWorker(make) as worker:
        next(worker)


def test_mistakes_are_what_overlaps_no_face(images):
    def everywhere(frames):
        output = np.zeros((len(frames), len(CELLS), CHANNELS), np.float32)
        output[..., 0] = 2
        return output.reshape(len(frames), -1)

    mistakes = mine(everywhere, images[:3])
    assert {mistake.image for mistake in mistakes} == {0, 1, 2}
    model = build_refiner((4, 4, 4, 4))
    model.layers[-1].bias.assign([9.0] + [0.0] * 13)
    hard = hardest(model, images, mistakes)
    assert len(hard) == -(-len(mistakes) // 4)
    assert set(hard) <= set(mistakes)
    model.layers[-1].bias.assign([-9.0] + [0.0] * 13)
    assert hardest(model, images, mistakes) == []


def test_a_keras_network_takes_frames():
    proposer = keras_network(build_proposer((4, 4, 4, 4)))
    assert proposer(np.zeros((2, 120, 160), np.uint8)).shape == (2, len(CELLS) * CHANNELS)
