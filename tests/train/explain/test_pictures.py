"""Reading faces to explain."""

import cv2
import numpy as np
import pytest

from fer_edge.device.detection.cascade import HaarCascade
from fer_edge.device.detection.skin import Regions
from fer_edge.device.frame import frame_from_bgr
from fer_edge.device.sources.demo import PORTRAIT
from fer_edge.errors import DataError
from fer_edge.faces.networks import open_finder
from fer_edge.faces.photo import find_in_photo
from fer_edge.preprocess import face_to_input, image_to_input, to_grey
from fer_edge.train.explain.pictures import PORTRAIT_FACE, read_pictures


def test_without_files_there_is_the_portrait_as_the_device_sees_it():
    (picture,) = read_pictures([], 48)
    bgr = cv2.imread(str(PORTRAIT))
    (found,) = HaarCascade().detect(frame_from_bgr(bgr), Regions((), "photo"))
    assert np.abs(np.subtract(found.box, PORTRAIT_FACE)).max() <= 6
    assert np.array_equal(picture.pixels, face_to_input(to_grey(bgr), PORTRAIT_FACE, 48))
    assert "NASA" in picture.source


def test_pictures_of_any_kind_become_inputs(tmp_path):
    rng = np.random.default_rng(0)
    files = [tmp_path / name for name in ("a.png", "a.jpg", "sub/a.png", "a-2.bmp")]
    (tmp_path / "sub").mkdir()
    shapes = ((60, 40, 3), (48, 48), (200, 300, 3), (7, 9, 3))
    for file, shape in zip(files, shapes, strict=True):
        cv2.imwrite(str(file), rng.integers(0, 256, shape, dtype=np.uint8))
    pictures = read_pictures(files, 48)
    assert [picture.name for picture in pictures] == ["a", "a-2", "a-3", "a-2-2"]
    assert {picture.pixels.shape for picture in pictures} == {(48, 48)}


@pytest.mark.parametrize("content", [b"", b"no picture"])
def test_what_is_no_picture_is_refused(tmp_path, content):
    file = tmp_path / "face.png"
    file.write_bytes(content)
    with pytest.raises(DataError, match=f"face.png: expected a picture of a face .* {len(content)} bytes"):
        read_pictures([file], 48)


def test_a_picture_too_large_for_opencv_is_refused(tmp_path):
    file = tmp_path / "huge.pgm"
    file.write_bytes(b"P5 70000 70000 255\n" + bytes(100))
    with pytest.raises(DataError, match="huge.pgm: "):
        read_pictures([file], 48)


def test_a_photo_is_cut_to_its_face_and_says_so(tmp_path):
    bgr = cv2.imread(str(PORTRAIT))
    file = tmp_path / "photo.png"
    cv2.imwrite(str(file), bgr)
    (cut,) = read_pictures([file], 48)
    (box,) = (face.box for face in find_in_photo(open_finder(), to_grey(bgr)))
    assert np.array_equal(cut.pixels, face_to_input(to_grey(bgr), box, 48))
    assert f"{box.w}x{box.h}" in cut.note
    (whole,) = read_pictures([file], 48, faces="as-is")
    assert np.array_equal(whole.pixels, image_to_input(bgr, 48))
    assert not whole.note


def test_a_crop_is_taken_as_it_is_unless_it_is_to_be_cut(tmp_path):
    crop = cv2.imread(str(PORTRAIT))[65:163, 79:177]
    file = tmp_path / "crop.png"
    cv2.imwrite(str(file), crop)
    (picture,) = read_pictures([file], 48)
    assert np.array_equal(picture.pixels, image_to_input(crop, 48))
    assert not picture.note


def test_a_photo_without_a_face_cannot_be_cut(tmp_path):
    file = tmp_path / "wall.png"
    cv2.imwrite(str(file), np.full((200, 300), 90, np.uint8))
    with pytest.raises(DataError, match="wall.png: expected a photo with a face, found none; see --faces as-is"):
        read_pictures([file], 48, faces="crop")
    assert not read_pictures([file], 48)[0].note
