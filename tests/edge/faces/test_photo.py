"""Faces of photos: the workstation must find what a device with the same networks finds."""

import os
import subprocess
import sys

import cv2
import numpy as np
import pytest

from fer_edge.device.detection.face import FaceNetworks
from fer_edge.device.reader import FaceReader
from fer_edge.device.sources.demo import PORTRAIT
from fer_edge.faces.networks import open_finder
from fer_edge.faces.photo import SEARCH_PIXELS, find_in_photo
from fer_edge.preprocess import to_grey


@pytest.fixture(scope="module")
def finder():
    return open_finder()


@pytest.fixture(scope="module")
def portrait():
    return cv2.imread(str(PORTRAIT))


def beside(*pictures):
    return np.hstack([cv2.resize(picture, (picture.shape[1], 288)) for picture in pictures])


CASES = {
    "as it is": lambda face: face,
    "odd sides": lambda face: face[:-1, :-1],
    "two faces": lambda face: beside(face, cv2.resize(face, (200, 288))),
    "cut off by the edge": lambda face: face[80:, :160],
    "more pixels than are searched": lambda face: cv2.resize(face, (2001, 2251), interpolation=cv2.INTER_CUBIC),
    "nothing": lambda face: np.full((90, 130, 3), 128, np.uint8),
}


@pytest.mark.parametrize("make", CASES.values(), ids=CASES)
def test_faces_are_where_the_device_finds_them(finder, portrait, make):
    photo = np.ascontiguousarray(make(portrait))
    expected = FaceReader("nano", FaceNetworks(finder)).read(photo)
    found = find_in_photo(finder, to_grey(photo))
    assert sorted(face.box for face in found) == [face.box for face in expected]
    areas = [face.box.w * face.box.h for face in found]
    assert areas == sorted(areas, reverse=True)


def test_the_cases_are_what_they_say(finder, portrait):
    counts = {name: len(find_in_photo(finder, to_grey(make(portrait)))) for name, make in CASES.items()}
    assert counts.pop("two faces") == 2
    assert counts.pop("nothing") == 0
    assert set(counts.values()) == {1}
    large = CASES["more pixels than are searched"](portrait)
    assert large.shape[0] * large.shape[1] > SEARCH_PIXELS


@pytest.mark.parametrize("module", ["photo", "tiles", "upright"])
def test_opencv_knows_the_limit_of_pixels(module):
    """It reads the limit when it is loaded, by whoever comes first."""
    code = f"import fer_edge.faces.{module}, os; print(os.environ['OPENCV_IO_MAX_IMAGE_PIXELS'])"
    clean = {name: value for name, value in os.environ.items() if name != "OPENCV_IO_MAX_IMAGE_PIXELS"}
    done = subprocess.run([sys.executable, "-c", code], env=clean, capture_output=True, text=True, check=True)
    assert int(done.stdout) > 0
