"""Foreign networks read without loss: their graphs compute what they do."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from fer_edge.convert.foreign.network import open_foreign
from fer_edge.convert.graph.fold import fold_batch_norms
from fer_edge.convert.graph.forward import Unchanged, forward
from fer_edge.errors import ConfigError, ConversionError, ModelFileError
from fer_edge.labels import EXPRESSIONS
from fer_edge.train.keras_setup import load_keras
from tests.convert.conftest import shake
from tests.convert.foreign.networks import NETWORKS, layers, logits, save, sequential, swish

SMALL = ("sequential", "normalized", "legacy", "saved-model", "nested", "residual", "swish", "logits", "mini-xception")


def built(name, folder, size=32):
    """Build a network with the batch norms of a trained one, and save it."""
    load_keras().utils.set_random_seed(1)
    build = NETWORKS[name][0]
    model = build(size) if name.startswith("mobilenet") else build(size, 4)
    for layer in model._flatten_layers():
        if layer.weights and not isinstance(layer, load_keras().Model):
            shake(type("Of", (), {"layers": [layer]})())
    return save(model, folder, name)


def opened(path, *, colour=None, scale=None, labels=EXPRESSIONS):
    found = open_foreign(path, labels, colour, scale, "mine")
    return dataclasses.replace(found, graph=fold_batch_norms(found.graph))


def difference(found):
    """Return the largest difference of a probability between the network and its graph."""
    info = found.model.info
    shape = (info.input_size,) * 2 + ((3,) if info.channels == 3 else ())
    images = np.random.default_rng(0).integers(0, 256, (3, *shape), dtype=np.uint8)
    weights = {node.name: node.weights for node in found.graph.nodes}
    graph = forward(found.graph, tf.constant(found.graph.values(images)), weights, Unchanged()).numpy()
    expected = found.model.predict(images)
    assert np.allclose(expected.sum(axis=1), 1, atol=1e-5)
    return np.abs(expected - graph).max()


@pytest.mark.parametrize("name", SMALL)
def test_a_graph_computes_what_the_network_does(name, tmp_path):
    found = opened(built(name, tmp_path), scale=NETWORKS[name][2])
    assert not [node for node in found.graph.nodes if node.kind == "batch_norm"]
    assert difference(found) < 2e-3  # of a padding that is half a level off its network's zero


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mobilenet-v2", "mobilenet-v3"])
def test_mobilenets_too(name, tmp_path):
    found = opened(built(name, tmp_path), scale=NETWORKS[name][2])
    assert found.graph.channels == 3
    assert (found.graph.input_zero, found.graph.nodes[1].kind) == (128, "conv")
    assert difference(found) < 1e-4


def coloured(size=32):
    build = layers()
    pixels = load_keras().Input((size, size, 3))
    x = build.Conv2D(6, 3, 2, padding="same", activation="relu")(pixels)
    return load_keras().Model(pixels, build.Dense(7)(build.GlobalAveragePooling2D()(x)))


@pytest.fixture(scope="module")
def colour_path(tmp_path_factory):
    load_keras().utils.set_random_seed(2)
    path = tmp_path_factory.mktemp("colour") / "colour.keras"
    coloured().save(path)
    return path


@pytest.mark.parametrize(
    ("scale", "zero", "first"),
    [("0..1", 0, "conv"), ("-1..1", 128, "conv"), ("0..255", 0, "conv"), ("imagenet", 0, "depthwise")],
)
def test_scales_go_into_the_first_layer_where_it_can_take_them(colour_path, scale, zero, first):
    found = opened(colour_path, scale=scale)
    assert (found.graph.input_zero, found.graph.nodes[1].kind, found.model.info.channels) == (zero, first, 3)
    assert difference(found) < 0.02
    assert any("layer of its own" in note for note in found.notes) == (first == "depthwise")


def test_a_colour_network_may_be_shown_grey(colour_path):
    """Three equal channels become one: the kernel is summed."""
    for scale in ("-1..1", "imagenet"):
        found = opened(colour_path, colour="grey", scale=scale)
        assert (found.graph.channels, found.model.info.channels) == (1, 1)
        assert difference(found) < 0.02


def test_what_was_changed_is_said(tmp_path):
    path = tmp_path / "net.keras"
    sequential(32, 4).save(path)
    notes = opened(path).notes
    assert "layers for training only are left out: Dropout, RandomFlip" in notes
    assert not any("softmax" in note for note in notes)
    logits(32, 4).save(path)
    assert any("without softmax" in note for note in opened(path, scale="0..1").notes)


def test_hard_swish_is_one_node_and_padding_part_of_its_convolution(tmp_path):
    path = tmp_path / "net.keras"
    swish(32, 4).save(path)
    kinds = [node.kind for node in opened(path).graph.nodes]
    assert kinds.count("hard_swish") == 1
    build = layers()
    pixels = load_keras().Input((32, 32, 1))
    x = build.Conv2D(4, 3, 2)(build.ZeroPadding2D(((0, 1), (0, 1)))(build.Rescaling(1 / 255)(pixels)))
    x = build.Conv2D(4, 3, 2)(build.ZeroPadding2D(1)(x))  # 'same' would pad below and to the right
    load_keras().Model(pixels, build.Dense(7)(build.Flatten()(x))).save(path)
    assert [node.kind for node in opened(path).graph.nodes].count("pad") == 1


def test_what_is_missing_is_asked_for(tmp_path):
    path = tmp_path / "net.keras"
    logits(32, 4).save(path)
    with pytest.raises(ConfigError, match="no Rescaling or Normalization layer.*give `scale`"):
        opened(path)
    with pytest.raises(ConfigError, match="expected 7 for the outputs.*found 2: a, b"):
        opened(path, labels=("a", "b"), scale="0..1")
    with pytest.raises(ConfigError, match="`input` rgb is for networks of three channels"):
        opened(path, colour="rgb", scale="0..1")
    with pytest.raises(ConfigError, match="imagenet is for RGB"):
        opened(path, scale="imagenet")


def functional(*parts, shape=(32, 32, 1), classes=7):
    """Layers one after the other, pooled to class scores."""
    build = layers()
    pixels = x = load_keras().Input(shape)
    for part in (build.Rescaling(1 / 255), *parts):
        x = part(x)
    x = build.Flatten()(x)
    return load_keras().Model(pixels, build.Dense(classes, activation="softmax")(x))


def of_two_outputs():
    model = functional(layers().Conv2D(4, 3, 2))
    return load_keras().Model(model.input, [model.output, model.layers[-2].output])


def diverged():
    model = functional(layers().Conv2D(4, 3, 2, name="stem"))
    stem = model.get_layer("stem")
    stem.set_weights([stem.get_weights()[0] * np.nan, stem.get_weights()[1]])
    return model


def of_a_custom_layer():
    keras = load_keras()

    class Mine(keras.layers.Layer):
        def call(self, x):
            return x * 2

    return functional(Mine(name="own"))


def channels_first():
    build = layers()
    pixels = load_keras().Input((1, 32, 32))
    x = build.Rescaling(1 / 255)(pixels)
    x = build.GlobalAveragePooling2D(data_format="channels_first")(
        build.MaxPooling2D(2, data_format="channels_first", name="cf")(x)
    )
    return load_keras().Model(pixels, build.Dense(7)(x))


REFUSED = {
    "Lambda": (lambda: functional(layers().Lambda(lambda x: x * 2, name="own")), r"layer 'own' \(Lambda\) runs Python"),
    "LSTM": (
        lambda: functional(layers().Reshape((32, 32)), layers().LSTM(4, name="steps")),
        r"layer 'steps' \(LSTM\) repeats over steps",
    ),
    "RNN": (
        lambda: functional(layers().Reshape((32, 32)), layers().RNN(layers().GRUCell(4), name="cells")),
        r"layer 'cells' \(RNN\) repeats over steps",
    ),
    "two outputs": (of_two_outputs, "one input and one output, found 1 and 2"),
    "channels first": (channels_first, r"layer '\w+' \(\w+\) has its channels first"),
    "custom layer": (of_a_custom_layer, r"layer 'own' \(Mine\) is a layer of your own"),
    "weights": (diverged, r"layer 'stem': expected finite weights"),
    "3-D": (
        lambda: functional(layers().Reshape((32, 32, 1, 1)), layers().Conv3D(2, 1, name="depth")),
        r"layer 'depth' \(Conv3D\) works in three dimensions",
    ),
    "operator": (
        lambda: functional(layers().Activation("gelu", name="bell")),
        r"layer 'bell\S*' uses the operator \w+, which has no int8 form",
    ),
    "1-D": (lambda: functional(layers().Reshape((32, 32)), layers().Conv1D(2, 3, name="line")), r"'line' \(Conv1D\)"),
    "sigmoid": (
        lambda: load_keras().Sequential(
            [
                load_keras().Input((32, 32, 1)),
                layers().Rescaling(1 / 255),
                layers().Flatten(),
                layers().Dense(7, activation="sigmoid"),
            ]
        ),
        "ends with sigmoid",
    ),
    "large": (lambda: functional(shape=(256, 256, 1)), "32 to 224 pixels a side, found 256"),
    "oblong": (lambda: functional(shape=(32, 48, 1)), "one square image of fixed size"),
}


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("kind", REFUSED)
def test_what_has_no_int8_form_is_named_in_one_line(kind, tmp_path):
    build, said = REFUSED[kind]
    path = tmp_path / "net.keras"
    build().save(path)
    with pytest.raises((ConversionError, ModelFileError), match=said) as refused:
        opened(path)
    assert "\n" not in str(refused.value)


def test_files_that_are_no_networks(tmp_path):
    for name, content in (("a.keras", b"PK"), ("a.h5", b"\x89HDF"), ("a.onnx", b"x")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ModelFileError, match=r"expected a (Keras model|\.keras or \.h5 file)"):
            opened(tmp_path / name)
    (tmp_path / "folder").mkdir()
    with pytest.raises(ModelFileError, match=r"without saved_model\.pb"):
        opened(tmp_path / "folder")
    path = tmp_path / "net.weights.h5"
    logits(32, 4).save_weights(path)
    with pytest.raises(ModelFileError, match="weights alone"):
        opened(path)


def leading_norm():
    """A batch norm first, which has seen pixels of some scale."""
    build = layers()
    return load_keras().Sequential(
        [
            load_keras().Input((32, 32, 1)),
            build.BatchNormalization(name="first"),
            build.Conv2D(4, 3, 2),
            build.Flatten(),
            build.Dense(7, activation="softmax"),
        ]
    )


def test_a_batch_norm_at_the_beginning_does_not_say_how_pixels_were_scaled(tmp_path):
    path = tmp_path / "net.keras"
    leading_norm().save(path)
    with pytest.raises(ConfigError, match="give `scale`"):
        opened(path)
    assert difference(opened(path, scale="0..1")) < 1e-5


def test_a_scale_before_the_network_s_own_is_said(tmp_path):
    path = built("sequential", tmp_path)
    assert any("leave --scale out" in note for note in opened(path, scale="0..1").notes)
    assert not any("leave --scale out" in note for note in opened(path).notes)


class Program(tf.Module):
    """What calls itself a network and reads or writes a file on the way."""

    def __init__(self, path, writes):
        super().__init__()
        self.path, self.writes, self.weights = str(path), writes, tf.Variable(tf.ones((32 * 32, 7)))

    @tf.function(input_signature=[tf.TensorSpec((1, 32, 32, 1), tf.float32)])
    def __call__(self, pixels):
        if self.writes:
            tf.io.write_file(self.path, "written")
            factor = tf.constant(1.0)
        else:
            factor = tf.cast(tf.strings.length(tf.io.read_file(self.path)), tf.float32)
        return {"scores": tf.reshape(pixels, (1, -1)) @ (self.weights * factor)}


@pytest.mark.parametrize("writes", [False, True])
def test_a_saved_model_that_reaches_for_files_is_refused_before_it_runs(tmp_path, writes):
    secret = tmp_path / "file.txt"
    if not writes:
        secret.write_text("secret")
    program = Program(secret, writes)
    tf.saved_model.save(program, str(tmp_path / "net"), signatures=program.__call__)
    secret.unlink(missing_ok=True)
    with pytest.raises(ConversionError, match="may read or write files"):
        opened(tmp_path / "net", scale="0..1")
    assert not secret.exists()


def test_a_saved_model_of_unknown_shape_is_refused(tmp_path):
    network = tf.Module()
    network.call = tf.function(lambda x: {"scores": x}, input_signature=[tf.TensorSpec(None, tf.float32)])
    tf.saved_model.save(network, str(tmp_path / "net"), signatures=network.call)
    with pytest.raises(ModelFileError, match="an input of known shape"):
        opened(tmp_path / "net", scale="0..1")
