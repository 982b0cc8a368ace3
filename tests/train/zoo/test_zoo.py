"""The zoo's models: size, input, output; and networks from YAML files."""

import math
import re
from pathlib import Path

import numpy as np
import pytest

from fer_edge.convert.export.allow_list import allowed_operators
from fer_edge.errors import DataError
from fer_edge.train.keras_setup import load_keras
from fer_edge.train.zoo.cost import multiply_adds
from fer_edge.train.zoo.published import NETWORKS
from fer_edge.train.zoo.registry import ZOO, find_architecture

PUBLISHED = {
    "deep-cnn": (4_478_727, 4_474_759),  # Jain; the second number follows from the batch norms
    "cnn-lstm": (457_863, 457_031),  # Ioannou
}
"""Parameters for seven classes: all, and those that are trained."""


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_size_to_the_last_parameter(name):
    model = ZOO[name].build(48, 7, 0.2)
    trained = sum(math.prod(weight.shape) for weight in model.trainable_weights)
    assert (model.count_params(), trained) == PUBLISHED[name]


@pytest.mark.parametrize(("name", "millions"), [("vgg", 40), ("vgg-40", 30)])
def test_vgg_has_its_published_millions(name, millions):
    assert ZOO[name].build(48, 7, 0.2).count_params() == pytest.approx(millions * 1e6, rel=0.02)


def test_the_deep_network_has_the_same_size_at_56_pixels():
    assert ZOO["deep-cnn"].build(56, 7, 0.2).count_params() == PUBLISHED["deep-cnn"][0]


def test_the_lstms_read_16_places_and_2_halves():
    model = ZOO["cnn-lstm"].build(48, 7, 0.2)
    assert model.get_layer("lstm1").input.shape == (None, 16, 128)
    assert model.get_layer("lstm2").input.shape == (None, 2, 64)


def test_hog_adds_900_inputs_to_the_first_dense_layer():
    plain, joined = (ZOO[name].build(48, 7, 0.2) for name in ("deep-cnn", "hog-cnn"))
    assert joined.count_params() - plain.count_params() == 900 * 256


def test_the_vgg_of_40_pixels_does_not_see_the_edge():
    model = ZOO["vgg-40"].build(48, 7, 0.0)
    pixels = np.random.default_rng(0).uniform(0, 255, (1, 48, 48, 1)).astype(np.float32)
    framed = np.zeros_like(pixels)
    framed[:, 4:-4, 4:-4] = pixels[:, 4:-4, 4:-4]
    np.testing.assert_array_equal(model.get_layer("conv1a").input.shape[1:3], (40, 40))
    np.testing.assert_allclose(model(pixels), model(framed), atol=1e-6)


@pytest.mark.parametrize("name", [name for name in ZOO if not name.startswith("vgg")])
def test_every_model_maps_pixels_to_probabilities(name):
    architecture = ZOO[name]
    size = architecture.input_size
    model = architecture.build(size, 5, 0.1)
    assert (model.name, architecture.name) == (name, name)
    scores = model(np.random.default_rng(0).uniform(0, 255, (3, size, size, 1)).astype(np.float32)).numpy()
    assert scores.shape == (3, 5)
    assert np.allclose(scores.sum(axis=1), 1, atol=1e-5)


def written(tmp_path, text):
    path = tmp_path / "net.yaml"
    path.write_text(text)
    return path


DEEP = """
convolutions:
  - {filters: 64, kernel: 3, pool: 2}
  - {filters: 128, kernel: 5, pool: 2}
  - filters: 512
    pool: 2
  - {filters: 512, pool: 2}
dense: [256, 512]
"""


def test_a_described_network_is_the_one_of_the_zoo(tmp_path):
    architecture = find_architecture(str(written(tmp_path, DEEP)))
    assert architecture.name == "custom"
    assert architecture.build(48, 7, 0.2).count_params() == PUBLISHED["deep-cnn"][0]
    assert architecture.description["convolutions"][1] == {"filters": 128, "kernel": 5, "stride": 1, "pool": 2}
    assert architecture.description["dense"] == NETWORKS["deep-cnn"].dense


def test_its_options_reach_the_layers(tmp_path):
    text = "convolutions: [{filters: 4, kernel: 5, stride: 3}]\nbatch_norm: false\ndropout: 0.4\nl2: 1e-7\n"
    model = find_architecture(str(written(tmp_path, text))).build(48, 7, 0.1)
    layers = {type(layer).__name__: layer for layer in model.layers}
    assert "BatchNormalization" not in layers
    assert "MaxPooling2D" not in layers
    convolution = model.get_layer("conv1")
    assert (convolution.kernel_size, convolution.strides) == ((5, 5), (3, 3))
    assert convolution.kernel_regularizer.l2 == pytest.approx(1e-7)
    assert layers["Dropout"].rate == 0.4
    assert len(model.losses) == 2  # of the convolution's and the last layer's kernel


def test_without_a_dropout_of_its_own_it_takes_the_runs(tmp_path):
    model = find_architecture(str(written(tmp_path, "dense: [8]\n"))).build(48, 7, 0.15)
    assert [layer.rate for layer in model.layers if isinstance(layer, load_keras().layers.Dropout)] == [0.15]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("dense: [8]\nfilters: 3\n", "line 2: expected a key among convolutions, dense.* found 'filters'"),
        ("dense: [8]\nhog: true\n", "line 2: expected a key among"),
        ("convolutions:\n- {filters: 8, kernal: 3}\n", "line 2: expected a key among filters, kernel, stride, pool"),
        ("convolutions:\n- {kernel: 3}\n", "line 2: expected a convolution with 'filters', found kernel"),
        ("convolutions:\n- {filters: many}\n", "line 2: expected a whole number from 1 to 16384 for 'filters', .*many"),
        ("convolutions:\n- {filters: '8'}\n", "line 2: expected a whole number"),
        ("convolutions:\n- {filters: [8]}\n", "line 2: expected a whole number.*found a sequence"),
        ("convolutions:\n- {filters: 0}\n", "line 2: expected a whole number"),
        ("convolutions:\n- {filters: 1.5}\n", "line 2: expected a whole number"),
        ("convolutions:\n- {filters: 8, pool: 64}\n", "line 2: expected to leave at least one pixel of 48, found"),
        ("convolutions:\n- {filters: 8, stride: 24}\n- {filters: 8}\n", "line 3: expected a kernel of at most the 2"),
        ("convolutions: 4\n", "line 1: expected a list of 1 to 64 entries for 'convolutions', found '4'"),
        ("convolutions: []\n", "line 1: expected a list of 1 to 64 entries for 'convolutions', found 0 entries"),
        ("dense: [8]\n\ndropout: 1\n", "line 3: expected a number from 0 to below 1 for 'dropout', found '1'"),
        ("dense: [8]\nl2: -1\n", "line 2: expected a number of 0 or more for 'l2', found '-1'"),
        ("dense: [8]\nl2: .nan\n", "line 2: expected a number of 0 or more"),
        ("dense: [8]\nbatch_norm: maybe\n", "line 2: expected true or false for 'batch_norm', found 'maybe'"),
        ("dense: [8]\ndense: [9]\n", "line 2: expected 'dense' once, found it a second time"),
        ("batch_norm: true\n", "line 1: expected convolutions or dense layers, found neither"),
        ("- 3\n", "line 1: expected the keys convolutions, .* found a sequence"),
        ("", "found an empty file"),
        ("convolutions:\n- {filters: 512, kernel: 40}\n- {filters: 512, kernel: 40}\n", "at most .* found 420,249,600"),
        ("dense: [16384, 16384]\n", "at most 268,435,456 weights, found 306,184,192; take fewer filters"),
        ("dense: [8\nl2: 3", "line 2: expected YAML, found something else"),
        ("? [1, 2]\n: 3\n", "line 1: expected a key among"),
        ("dense: &a [*a]\n", "line 1: expected a whole number|expected YAML"),
        ("a: b\n---\nc: d\n", "line 2: expected YAML"),
    ],
)
def test_what_describes_no_network_is_refused_with_its_line(tmp_path, text, message):
    path = written(tmp_path, text)
    with pytest.raises(DataError, match=message) as caught:
        find_architecture(str(path))
    assert str(caught.value).startswith(f"{path}:")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"dense: [\x07]", b"[" * 1200])
def test_what_is_no_yaml_is_refused(tmp_path, content):
    path = tmp_path / "net.yml"
    path.write_bytes(content)
    with pytest.raises(DataError, match="expected YAML"):
        find_architecture(str(path))


@pytest.mark.parametrize("name", ["compactt", "net.yaml"])
def test_an_unknown_name_or_file_is_refused(name):
    with pytest.raises(DataError, match=r"expected a (model of the zoo \(nano, compact|network in YAML)"):
        find_architecture(name)


def test_the_document_says_what_the_code_builds():
    text = (Path(__file__).parents[3] / "docs" / "zoo.md").read_text()
    rows = re.findall(r"^\| `([\w-]+)` \| ([\d,]+) \| ([\d,]+) \| ([A-Z_0-9, ]+) \|$", text, re.MULTILINE)
    assert [name for name, *_ in rows] == list(ZOO)
    for name, parameters, products, operators in rows:
        model = ZOO[name].build(48, 7, 0.2)
        assert (name, parameters) == (name, f"{model.count_params():,}")
        assert (name, products) == (name, f"{multiply_adds(model):,}")
        assert operators.split(", ") == sorted(allowed_operators(name)), name
