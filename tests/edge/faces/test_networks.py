"""The networks of the package find the portrait, at any tilt, and nothing where nothing is."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_edge import device
from fer_edge.errors import ModelFileError
from fer_edge.faces.networks import PROPOSER, REFINER, SHAPES, FaceNetwork, open_finder
from fer_edge.model_file import read_info
from fer_edge.shipped import FOLDER, shipped_models

TILTS = (-90, -60, -30, 0, 30, 60, 90)
"""Degrees clockwise."""
PORTRAIT = Path(device.__file__).parent / "portrait.jpg"


@pytest.fixture(scope="module")
def finder():
    return open_finder()


@pytest.fixture(scope="module")
def scene():
    """A portrait in the middle of a larger grey frame."""
    luma = cv2.imread(str(PORTRAIT), cv2.IMREAD_GRAYSCALE)
    frame = np.full((600, 800), 120, np.uint8)
    top, left = (600 - luma.shape[0]) // 2, (800 - luma.shape[1]) // 2
    frame[top : top + luma.shape[0], left : left + luma.shape[1]] = luma
    return frame


def test_a_face_is_found_at_nearly_every_tilt(finder, scene):
    upright = finder.find(scene)[0].look
    found = 0
    for degrees in TILTS:
        matrix = cv2.getRotationMatrix2D((400, 300), -degrees, 1)
        faces = finder.find(cv2.warpAffine(scene, matrix, (800, 600), borderValue=120))
        if faces:
            look, place = faces[0].look, matrix @ (upright.x, upright.y, 1)
            assert (look.x, look.y) == pytest.approx(tuple(place), abs=0.2 * upright.side)
            assert look.side == pytest.approx(upright.side, rel=0.25)
            assert look.roll - upright.roll == pytest.approx(degrees, abs=30)
            found += 1
    assert found >= len(TILTS) - 2


def test_nothing_is_found_in_noise_and_stripes(finder):
    noise = np.random.default_rng(0).integers(0, 256, (240, 320), dtype=np.uint8)
    stripes = np.tile((np.arange(320) // 12 % 2 * 200).astype(np.uint8), (240, 1))
    assert finder.find(noise) == []
    assert finder.find(stripes) == []


def test_the_files_are_small_and_say_what_they_are():
    for name, limit in ((PROPOSER, 200_000), (REFINER, 80_000)):
        path = FOLDER / f"{name}.tflite"
        assert path.stat().st_size < limit
        assert read_info(path).name == name
        assert path.with_suffix(".md").is_file()
        FaceNetwork(path, name)


def test_expressions_and_faces_are_not_mixed_up():
    assert not set(SHAPES) & set(shipped_models())
    with pytest.raises(ModelFileError, match="expected a face-refiner"):
        FaceNetwork(shipped_models()["nano"], REFINER)
