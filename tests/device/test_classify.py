import dataclasses
import shutil

import numpy as np
import pytest

from fer_edge.device.classify import Ensemble, open_models
from fer_edge.errors import ModelFileError
from fer_edge.model_file import write_info
from fer_edge.preprocess import Box, face_to_input, planes_of
from fer_edge.runtime import TFLiteModel


class Constant:
    """A model that always says the same."""

    def __init__(self, model, scores):
        self.info, self.path, self._scores = model.info, model.path, np.array(scores, np.float32)

    def scores(self, crop):
        assert crop.shape == (self.info.input_size,) * 2
        return self._scores


@pytest.fixture
def luma():
    return np.random.default_rng(0).integers(0, 256, (120, 160), dtype=np.uint8)


def scores_of(models, luma, box, landmarks=None):
    ensemble = Ensemble(models)
    return ensemble.scores(ensemble.crops(planes_of(luma), box, landmarks))


def test_one_model_says_what_it_says(model, luma):
    box = Box(20, 30, 60, 60)
    expected = model.scores(face_to_input(luma, box, model.info.input_size))
    np.testing.assert_array_equal(scores_of([model], luma, box), expected)


TILTED = ((60.0, 40.0), (80.0, 60.0), (60.0, 65.0), (40.0, 60.0), (60.0, 80.0))


def test_only_a_model_framed_by_eyes_looks_at_landmarks(model, luma):
    box = Box(30, 30, 60, 60)
    framed = Constant(model, np.eye(7)[0])
    seen = []
    framed.scores = lambda crop: seen.append(crop) or np.eye(7, dtype=np.float32)[0]
    for framing in ("box", "eyes"):
        framed.info = dataclasses.replace(model.info, framing=framing)
        scores_of([framed], luma, box, TILTED)
        scores_of([framed], luma, box)
    plain, upright = face_to_input(luma, box, 48), face_to_input(luma, box, 48, TILTED)
    assert not (plain == upright).all()
    assert [(crop == plain).all() for crop in seen] == [True, True, False, True]
    assert (seen[2] == upright).all()


def test_upright_has_every_model_look_at_landmarks(model, luma):
    box = Box(30, 30, 60, 60)
    (crop,) = Ensemble([model], upright=True).crops(planes_of(luma), box, TILTED)
    assert (crop == face_to_input(luma, box, 48, TILTED)).all()
    (crop,) = Ensemble([model], upright=True).crops(planes_of(luma), box)
    assert (crop == face_to_input(luma, box, 48)).all()


def test_a_prior_changes_each_model_s_probabilities(model, luma):
    said = np.array([0.1, 0.05, 0.1, 0.3, 0.15, 0.1, 0.2], np.float32)
    stated = [dict(zip(model.info.labels, shares, strict=True)) for shares in (said.tolist(), [1 / 7] * 7)]
    models = [Constant(model, said) for _ in stated]
    for each, prior in zip(models, stated, strict=True):
        each.info = dataclasses.replace(model.info, conversion={"prior": prior})
    ensemble = Ensemble(models, "uniform")
    crops = ensemble.crops(planes_of(luma), Box(0, 0, 50, 50))
    np.testing.assert_allclose(ensemble.scores(crops), (np.full(7, 1 / 7) + said) / 2, atol=1e-6)


def test_several_models_are_averaged(model, luma):
    first, second = np.eye(7)[3], np.full(7, 1 / 7)
    scores = scores_of([Constant(model, first), Constant(model, second)], luma, Box(0, 0, 50, 50))
    np.testing.assert_allclose(scores, (first + second) / 2, atol=1e-6)
    assert scores.dtype == np.float32


def test_labels_must_agree(model, model_path, tmp_path):
    other = tmp_path / "other.tflite"
    shutil.copy(model_path, other)
    write_info(other, dataclasses.replace(model.info, labels=model.info.labels[::-1]))
    with pytest.raises(ModelFileError, match=r"other\.tflite: expected the labels of .*angry, disgust"):
        Ensemble([model, TFLiteModel(other)])


def test_models_are_opened_in_order(model_path):
    models = open_models([model_path, model_path], threads=2)
    assert [m.path for m in models] == [model_path] * 2
    with pytest.raises(ModelFileError):
        open_models([model_path.with_name("missing.tflite")])
