"""An int8 file as a teacher: its own answers, with what rounding took of the unlikely classes."""

import numpy as np
import pytest

from fer_edge.convert.export.tflite import export_float, export_int8
from fer_edge.convert.graph.fold import fold_batch_norms
from fer_edge.convert.graph.from_keras import read_keras
from fer_edge.convert.quantize.calibration import calibrate
from fer_edge.errors import ModelFileError
from fer_edge.labels import EXPRESSIONS
from fer_edge.model_file import ModelInfo, write_info
from fer_edge.runtime import TFLiteModel
from fer_edge.shipped import shipped_models
from fer_edge.train.augment.augmentation import Augmentation
from fer_edge.train.data.dataset import PUBLIC_TEST, TRAINING
from fer_edge.train.distill.int8_teacher import Int8Teacher
from fer_edge.train.distill.teacher_predictions import TeacherPredictions, open_teachers
from fer_edge.train.keras_setup import load_keras
from fer_edge.train.zoo.registry import ZOO


@pytest.mark.parametrize("name", ["nano", "large"])
def test_a_shipped_model_says_as_a_teacher_what_it_says_to_all(name, tiny):
    images = tiny.split(PUBLIC_TEST).images
    path = shipped_models()[name]
    rounded, said = TFLiteModel(path).predict(images), Int8Teacher(path).predict(images)
    assert np.abs(said - rounded).max() <= 1 / 256  # steps of the output, cut off or rounded
    np.testing.assert_allclose(said.sum(axis=1), 1, atol=1e-6)
    assert (rounded * 256 == np.rint(rounded * 256)).all()
    assert np.abs(said * 256 - np.rint(said * 256)).max() > 0.3  # what rounding took is there


def test_the_file_stays_as_it_was(tiny):
    path = shipped_models()["nano"]
    before = path.read_bytes()
    Int8Teacher(path).predict(tiny.split(PUBLIC_TEST).images[:1])
    assert path.read_bytes() == before


def test_students_learn_from_keras_and_int8_files_together(tiny, tmp_path):
    trained = tmp_path / "trained.keras"
    ZOO["nano"].build(48, 7, 0.0).save(trained)
    write_info(trained, ModelInfo("nano", EXPRESSIONS))
    teachers = open_teachers([shipped_models()["nano"], trained], EXPRESSIONS, 48)
    light = Augmentation(rotation=5.0, scale=0.05, shift=0.03)
    images, said = TeacherPredictions(tiny.split(TRAINING), teachers, light, seed=1).of_copy(0)
    mirrored = np.ascontiguousarray(images[:, :, ::-1])
    expected = np.mean([t.predict(pixels) for t in teachers for pixels in (images, mirrored)], axis=0)
    np.testing.assert_allclose(said, expected, atol=1e-3)
    again = TeacherPredictions(tiny.split(TRAINING), teachers[:1], light, seed=1).of_copy(0)[1]
    assert not np.array_equal(said, again)  # other teachers, another cache


def test_a_float_file_is_refused(tmp_path):
    keras = load_keras()
    inputs = keras.Input((48, 48, 1))
    x = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(inputs))
    path = tmp_path / "float.tflite"
    path.write_bytes(export_float(read_keras(keras.Model(inputs, keras.layers.Dense(7, activation="softmax")(x)))))
    write_info(path, ModelInfo("custom", EXPRESSIONS))
    with pytest.raises(ModelFileError, match="expected an int8 input"):
        Int8Teacher(path)


def test_a_model_without_a_softmax_is_refused(tmp_path, tiny):
    keras = load_keras()
    inputs = keras.Input((48, 48, 1))
    x = keras.layers.Flatten()(keras.layers.AveragePooling2D(8)(keras.layers.Rescaling(1 / 255)(inputs)))
    graph = fold_batch_norms(read_keras(keras.Model(inputs, keras.layers.Dense(7)(x))))
    path = tmp_path / "bare.tflite"
    images = tiny.split(TRAINING).images[:20]
    path.write_bytes(export_int8(graph, calibrate(graph, images, lambda _: None)))
    write_info(path, ModelInfo("custom", EXPRESSIONS))
    with pytest.raises(ModelFileError, match="expected a model that ends in a softmax"):
        Int8Teacher(path)
