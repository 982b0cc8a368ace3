"""The TFLite runtime behind `TFLiteModel`: what it computes, and the files it refuses."""

import os
import resource
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from fer_edge import runtime
from fer_edge.cli import main
from fer_edge.errors import MissingExtraError, ModelFileError
from fer_edge.labels import EXPRESSIONS
from fer_edge.model_file import ModelInfo, flatbuffer, read_info, write_info
from fer_edge.preprocess import normalise
from fer_edge.runtime import TFLiteModel
from fer_edge.shipped import find_model
from fer_edge.train.keras_setup import load_keras

# What TensorFlow's converter says about every fully quantized model.
pytestmark = pytest.mark.filterwarnings("ignore:Statistics for quantized inputs were expected:UserWarning")

keras = load_keras()
CROPS = np.random.default_rng(0).integers(0, 256, (20, 48, 48), dtype=np.uint8)


def network(size=48, classes=7):
    """Return a small untrained network from [0, 1] to probabilities."""
    keras.utils.set_random_seed(3)
    image = keras.Input((size, size, 1), batch_size=1)
    x = keras.layers.Conv2D(8, 3, strides=4, activation="relu")(image)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, keras.layers.Dense(classes, activation="softmax", kernel_initializer="glorot_normal")(x))


def convert(model, *, low=0.0, int8=True):
    """Convert with the TFLite converter itself; `low` is the smallest input it is shown."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if int8:
        shape = (1, *model.input_shape[1:])
        rng = np.random.default_rng(1)
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        samples = [np.full(shape, low), np.ones(shape), *rng.uniform(low, 1, (50, *shape))]
        converter.representative_dataset = lambda: ([sample.astype(np.float32)] for sample in samples)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    return converter.convert()


def store(path, content):
    path.write_bytes(content)
    write_info(path, ModelInfo("test", EXPRESSIONS))
    return path


@pytest.fixture(scope="module")
def int8_file(tmp_path_factory):
    return store(tmp_path_factory.mktemp("models") / "int8.tflite", convert(network()))


@pytest.fixture(scope="module")
def float_file(tmp_path_factory):
    return store(tmp_path_factory.mktemp("models") / "float.tflite", convert(network(), int8=False))


def test_a_float_file_computes_what_keras_computes(float_file):
    model = TFLiteModel(float_file, allow_float=True)
    expected = np.concatenate([network()(crop[None, ..., None] / 255.0) for crop in CROPS])
    assert not model.is_int8
    np.testing.assert_allclose(model.predict(CROPS), expected, atol=1e-5)


def test_an_int8_file_comes_close(int8_file, float_file):
    quantized = TFLiteModel(int8_file).predict(CROPS)
    exact = TFLiteModel(float_file, allow_float=True).predict(CROPS)
    np.testing.assert_allclose(quantized, exact, atol=0.03)
    assert (quantized * 256 % 1 == 0).all()
    assert quantized.min() >= 0


def test_predict_is_scores_for_each_and_handles_none(int8_file):
    model = TFLiteModel(int8_file)
    one_by_one = np.stack([model.scores(crop) for crop in CROPS])
    assert (model.predict(CROPS) == one_by_one).all()
    assert model.predict(CROPS[:0]).shape == (0, 7)


def test_a_strided_crop_is_read_right(int8_file):
    wide = np.zeros((48, 64), np.uint8)
    wide[:, :48] = CROPS[0]
    model = TFLiteModel(int8_file)
    assert (model.scores(wide[:, :48]) == model.scores(CROPS[0])).all()


def test_threads_do_not_change_the_result(int8_file):
    assert (TFLiteModel(int8_file, threads=2).predict(CROPS) == TFLiteModel(int8_file).predict(CROPS)).all()


def test_a_float_file_is_refused_on_the_device(float_file):
    with pytest.raises(ModelFileError, match="expected an int8 input of 1x48x48x1, found float32 1x48x48x1"):
        TFLiteModel(float_file)


def test_another_kind_of_classifier_is_refused(tmp_path):
    path = tmp_path / "other.tflite"
    path.write_bytes(convert(network(size=64, classes=3), int8=False))
    with pytest.raises(ModelFileError, match="expected a model with fer-edge's labels.*convert --int8"):
        TFLiteModel(path)
    write_info(path, ModelInfo("other", EXPRESSIONS))
    with pytest.raises(ModelFileError, match="found float32 1x64x64x1"):
        TFLiteModel(path)
    result = CliRunner().invoke(main, ["run", "--source", "demo", "--model", str(path), "--frames", "1"])
    assert result.exit_code == 1
    assert result.stderr.count("Error: ") == 1
    assert "Traceback" not in result.stderr


def test_labels_that_do_not_fit_the_output_are_refused(int8_file, tmp_path):
    path = tmp_path / "labels.tflite"
    path.write_bytes(int8_file.read_bytes())
    write_info(path, ModelInfo("test", ("a", "b")))
    with pytest.raises(ModelFileError, match="expected an output of 1x2 for its 2 labels, found int8 1x7"):
        TFLiteModel(path)


def test_another_input_scale_is_refused(tmp_path):
    path = store(tmp_path / "scale.tflite", convert(network(), low=-1.0))
    with pytest.raises(
        ModelFileError, match="expected an input of scale 1/255 and zero point -128, found scale 0.0078"
    ):
        TFLiteModel(path)


@pytest.mark.parametrize("keep", [8, 500, 2000])
def test_a_torn_file_is_refused(int8_file, tmp_path, keep):
    path = store(tmp_path / "torn.tflite", int8_file.read_bytes()[:keep])
    with pytest.raises(ModelFileError, match="torn.tflite: "):
        TFLiteModel(path)


@pytest.mark.filterwarnings("ignore:.*tf.lite.Interpreter is deprecated:UserWarning")
@pytest.mark.parametrize("xnnpack", [True, False])
@pytest.mark.parametrize("name", runtime.RUNTIMES)
def test_every_runtime_gives_the_same_scores_with_and_without_xnnpack(name, xnnpack, int8_file, monkeypatch):
    pytest.importorskip(name.partition(".")[0])
    expected = TFLiteModel(int8_file).predict(CROPS)
    monkeypatch.setattr(runtime, "RUNTIMES", (name,))
    assert np.abs(TFLiteModel(int8_file, xnnpack=xnnpack).predict(CROPS) - expected).max() <= 2 / 256


def test_without_a_runtime_the_install_command_is_named(monkeypatch):
    monkeypatch.setattr(runtime, "RUNTIMES", ("no_such_runtime.interpreter",))
    with pytest.raises(MissingExtraError, match=r"pip install 'fer-edge\[device\]'"):
        runtime.load_runtime()


@pytest.mark.parametrize("contrast", ["equalize", "clahe"])
def test_contrast_is_normalised_inside_whoever_calls(int8_file, tmp_path, contrast):
    path = tmp_path / "contrast.tflite"
    path.write_bytes(int8_file.read_bytes())
    write_info(path, ModelInfo("test", EXPRESSIONS, contrast=contrast))
    dull = CROPS // 8 + 100
    plain, normalising = TFLiteModel(int8_file), TFLiteModel(path)
    assert (normalising.predict(dull) == plain.predict(normalise(dull, contrast))).all()
    assert not np.array_equal(normalising.predict(dull), plain.predict(dull))


@pytest.mark.parametrize("xnnpack", [True, False])
def test_weights_lost_inside_a_whole_file_are_refused_at_the_start(int8_file, tmp_path, xnnpack):
    """A block of the disk that comes back as zeros can leave a flatbuffer that loads, and fails when it runs."""
    flatbuffer_utils = pytest.importorskip("tensorflow.lite.tools.flatbuffer_utils")
    damaged = flatbuffer_utils.convert_bytearray_to_object(int8_file.read_bytes())
    tensor = damaged.subgraphs[0].operators[0].inputs[1]
    damaged.buffers[damaged.subgraphs[0].tensors[tensor].buffer].data = None
    path = store(tmp_path / "lost.tflite", bytes(flatbuffer_utils.convert_object_to_bytearray(damaged)))
    with pytest.raises(
        ModelFileError, match=r"lost\.tflite: the TFLite runtime refuses.*convert the model again"
    ) as found:
        TFLiteModel(path, xnnpack=xnnpack)
    assert "\n" not in str(found.value)


def test_a_name_that_is_no_text_is_opened(int8_file, tmp_path):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/m\xff.tflite"))
    path.write_bytes(int8_file.read_bytes())
    assert (TFLiteModel(path).predict(CROPS[:3]) == TFLiteModel(int8_file).predict(CROPS[:3])).all()


@pytest.mark.parametrize("shape", [[4_194_305, 3, 3, 48], [1, 2**15, 2**15, 1], [2**30, 2**30, 1, 1]])
def test_a_file_that_would_take_the_memory_is_refused_before_it_does(tmp_path, shape):
    """A few changed bytes make gigabytes of a tensor, and whoever changed them can make the checksum fit."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    original = find_model("nano")
    model = schema.ModelT.InitFromPackedBuf(flatbuffer(original.read_bytes()))
    kernel = next(t for t in model.subgraphs[0].tensors if list(t.shape)[1:3] == [3, 3])
    kernel.shape = np.array(shape, np.int32)
    builder = flatbuffers.Builder(1 << 16)
    builder.Finish(model.Pack(builder), b"TFL3")
    path = tmp_path / "large.tflite"
    path.write_bytes(bytes(builder.Output()))
    write_info(path, read_info(original))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ModelFileError, match="large.tflite: (expected a model that takes up|the TFLite runtime)"):
        TFLiteModel(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10
