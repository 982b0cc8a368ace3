"""Twelve networks as people bring them, from training to faces in an image; minutes long, in one process."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from fer_edge.labels import EXPRESSIONS
from fer_edge.train.data.dataset import Dataset
from fer_edge.train.data.demo import make_demo
from fer_edge.train.data.form import Form, as_form
from fer_edge.train.keras_setup import load_keras
from tests.convert.foreign.networks import NETWORKS, save

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3000)]

TRAINED, MEASURED = 2400, 600
EPOCHS = {"mobilenet-v2": 6, "mobilenet-v3": 6, "nested": 40}
SHARE_OF_IMAGES = 0.97


@pytest.fixture(scope="module")
def demo():
    return make_demo(training=TRAINED, public_test=MEASURED, private_test=0)


@pytest.fixture(scope="module")
def portrait():
    from importlib import resources

    return resources.files("fer_edge") / "device" / "portrait.jpg"


def trained(name, demo):
    """A network after a short training on drawn faces, and these as it sees them."""
    keras = load_keras()
    keras.utils.set_random_seed(1)
    build, _, scale = NETWORKS[name]
    model = build()
    size, channels = model.input_shape[1], model.input_shape[3]
    data = Dataset.make("demo", EXPRESSIONS, as_form(demo.splits, Form(size, channels)))
    training = data.split("Training")
    pixels = training.images.reshape(len(training), size, size, channels).astype(np.float32)
    pixels = {"-1..1": pixels / 127.5 - 1, "0..1": pixels / 255}.get(scale, pixels)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=name == "logits")
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = 0.9  # the statistics of a short training would lag behind its weights
    model.compile(keras.optimizers.Adam(3e-3), loss)
    model.fit(pixels, training.labels, batch_size=32, epochs=EPOCHS.get(name, 16), verbose=0)
    return model, data


@pytest.mark.parametrize("name", NETWORKS)
def test_it_converts_agrees_and_runs(name, demo, portrait, in_process, tmp_path):
    import fer_edge

    model, data = trained(name, demo)
    out = tmp_path / "net.tflite"
    report = fer_edge.convert(
        save(model, tmp_path, name), out, data=data, qat_epochs=0, labels=EXPRESSIONS, scale=NETWORKS[name][2]
    )
    print(name, report.comparison, dict(report.operators), report.notes, report.seconds)
    assert report.comparison.float_top1 > 0.5  # chance is 0.22
    assert report.comparison.agreement >= SHARE_OF_IMAGES
    assert not {"QUANTIZE", "DEQUANTIZE", "CAST"} & set(report.operators)
    result = CliRunner().invoke(main, ["image", str(portrait), "--model", str(out), "--json"])
    assert result.exit_code == 0, result.output
    (face,) = json.loads(result.stdout)[0]["faces"]
    assert face["label"] in EXPRESSIONS
    with fer_edge.run("demo", models=[str(out)], frames=3) as run:
        assert sum(len(frame.faces) for frame in run) > 0
