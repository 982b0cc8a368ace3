"""The model's input: grey, square, the right size, and the same for every path into it."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_edge.device.frame import frame_from_bgr, frame_to_bgr
from fer_edge.errors import DataError
from fer_edge.model_file import CONTRASTS
from fer_edge.preprocess import (
    Box,
    face_crop,
    face_to_input,
    face_to_rgb,
    image_crop,
    image_to_input,
    normalise,
    normalise_crop,
    planes_of,
    square_around,
    to_grey,
)

sizes = st.integers(1, 400)


def test_grey_is_full_range_bt601():
    blue, green, red = np.eye(3, dtype=np.uint8) * 255
    picture = np.stack([blue, green, red])[None]
    assert to_grey(picture).tolist() == [[29, 150, 76]]  # 255 x (0.114, 0.587, 0.299)


def test_grey_images_and_alpha():
    grey = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert to_grey(grey) is grey
    assert (to_grey(grey[:, :, None]) == grey).all()
    bgra = np.dstack([grey, grey, grey, 255 - grey])
    assert (to_grey(bgra) == grey).all()


@pytest.mark.parametrize("image", [np.zeros((4, 4), np.float32), np.zeros((4, 4, 2), np.uint8), np.zeros(4, np.uint8)])
def test_other_shapes_and_types_are_refused(image):
    with pytest.raises(DataError, match="expected a uint8 picture"):
        to_grey(image)


def test_an_image_of_the_right_size_passes_bit_for_bit():
    image = np.random.default_rng(0).integers(0, 256, (48, 48), dtype=np.uint8)
    assert (image_to_input(image, 48) == image).all()


def test_shrinking_averages_areas():
    checkerboard = np.indices((96, 96)).sum(axis=0) % 2 * np.uint8(200)
    assert (image_to_input(checkerboard.astype(np.uint8), 48) == 100).all()


@settings(max_examples=100, deadline=None)
@given(height=sizes, width=sizes, size=st.integers(8, 64))
def test_any_size_becomes_the_input_size(height, width, size):
    assert image_to_input(np.zeros((height, width), np.uint8), size).shape == (size, size)


@settings(max_examples=200, deadline=None)
@given(
    width=sizes,
    height=sizes,
    x=st.integers(-50, 450),
    y=st.integers(-50, 450),
    w=st.integers(0, 500),
    h=st.integers(0, 500),
)
def test_the_crop_is_a_square_inside_the_picture(width, height, x, y, w, h):
    crop = square_around(Box(x, y, w, h), width, height)
    assert crop.w == crop.h == min(max(w, h, 1), width, height)
    assert 0 <= crop.x <= width - crop.w
    assert 0 <= crop.y <= height - crop.h


def test_the_crop_is_centred_on_the_box():
    assert square_around(Box(100, 100, 40, 60), 640, 480) == Box(90, 100, 60, 60)


def test_a_face_is_cut_where_the_box_is():
    luma = np.zeros((100, 100), np.uint8)
    luma[20:44, 30:54] = 255
    assert (face_to_input(luma, Box(30, 20, 24, 24), 48) == 255).all()


def test_a_strided_plane_gives_the_same_crop_as_a_packed_one():
    packed = np.random.default_rng(1).integers(0, 256, (60, 64), dtype=np.uint8)
    strided = np.zeros((60, 96), np.uint8)[:, :64]
    strided[:] = packed
    box = Box(5, 7, 50, 41)
    assert (face_to_input(strided, box, 48) == face_to_input(packed, box, 48)).all()


def test_resizing_is_opencvs():
    grey = np.random.default_rng(2).integers(0, 256, (30, 30), dtype=np.uint8)
    assert (image_to_input(grey, 48) == cv2.resize(grey, (48, 48), interpolation=cv2.INTER_LINEAR)).all()


def test_no_contrast_normalisation_gives_the_crop_itself():
    crop = np.random.default_rng(4).integers(0, 256, (48, 48), dtype=np.uint8)
    assert normalise_crop(crop, "none") is crop


@pytest.mark.parametrize("contrast", [c for c in CONTRASTS if c != "none"])
def test_contrast_of_a_dull_crop_is_raised_and_the_crop_is_left_alone(contrast):
    dull = np.random.default_rng(5).integers(100, 140, (48, 48), dtype=np.uint8)
    before = dull.copy()
    result = normalise_crop(dull, contrast)
    assert (dull == before).all()
    assert result.dtype == np.uint8
    assert result.std() > 1.2 * dull.std()


def test_equalization_spreads_the_histogram_evenly():
    ramp = np.repeat(np.arange(100, 148, dtype=np.uint8)[None], 48, axis=0)
    assert np.unique(normalise_crop(ramp, "equalize")).tolist() == pytest.approx(np.linspace(0, 255, 48), abs=0.51)


def test_clahe_works_in_tiles():
    """A bright half does not take the contrast from the dark one, as it does in the histogram of all."""
    rng = np.random.default_rng(6)
    crop = rng.integers(0, 256, (48, 48), dtype=np.uint8)
    crop[:, :24] = rng.integers(10, 20, (48, 24))
    dark = np.s_[:, :12]  # tiles are blended across their borders
    assert normalise_crop(crop, "clahe")[dark].std() > 1.5 * crop[dark].std()


@pytest.mark.parametrize("contrast", CONTRASTS)
def test_many_are_normalised_as_one_is_and_a_strided_crop_as_a_packed_one(contrast):
    images = np.random.default_rng(7).integers(0, 256, (3, 48, 64), dtype=np.uint8)[:, :, :48]
    each = [normalise_crop(np.ascontiguousarray(image), contrast) for image in images]
    assert (normalise(images, contrast) == np.stack(each)).all()
    assert normalise(images[:0], contrast).shape == (0, 48, 48)


def smooth_picture(height=241, width=320):
    """Colours that change slowly, as those of a face do, so that half-size chroma loses little."""
    rows, columns = np.mgrid[:height, :width] / 40
    return np.stack([127 + 90 * np.sin(rows + c) * np.cos(columns - c) for c in range(3)], axis=-1).astype(np.uint8)


def test_planes_are_those_of_the_device():
    """What evaluation makes of a picture is what a source makes of a frame."""
    picture = np.random.default_rng(3).integers(0, 256, (121, 161, 3), dtype=np.uint8)
    frame, planes = frame_from_bgr(picture), planes_of(picture)
    for name in ("y", "cb", "cr"):
        assert np.array_equal(getattr(frame, name), getattr(planes, name)), name


def test_rgb_is_full_range_bt601_within_a_level():
    """Against ITU-T T.871's own formulas, and OpenCV's conversion of the whole frame."""
    rng = np.random.default_rng(5)
    picture = cv2.resize(rng.integers(0, 256, (4, 4, 3), dtype=np.uint8), (96, 96), interpolation=cv2.INTER_CUBIC)
    planes = planes_of(picture)
    found = face_to_rgb(planes, Box(0, 0, 96, 96), 96).astype(float)
    cb, cr = (cv2.resize(plane, (96, 96), interpolation=cv2.INTER_LINEAR) - 128.0 for plane in (planes.cb, planes.cr))
    luma = planes.y.astype(float)
    formula = np.dstack([luma + 1.402 * cr, luma - 0.344136 * cb - 0.714136 * cr, luma + 1.772 * cb]).clip(0, 255)
    assert np.abs(found - formula).max() <= 1
    assert np.abs(found - frame_to_bgr(frame_from_bgr(picture))[:, :, ::-1]).max() <= 1


@pytest.mark.parametrize("box", [Box(40, 30, 96, 96), Box(41, 33, 97, 95), Box(-20, 190, 130, 130), Box(5, 5, 1, 1)])
@pytest.mark.parametrize("size", [48, 96, 224])
def test_a_colour_crop_is_that_of_the_converted_frame(box, size):
    """Cutting the planes and converting the crop gives what converting the frame and cutting it would."""
    frame = frame_from_bgr(smooth_picture())
    crop = face_to_rgb(frame, box, size)
    assert crop.shape == (size, size, 3)
    height, width = frame.y.shape
    x, y, side, _ = (value // 2 * 2 for value in square_around(box, width, height))
    side = max(side, 2)
    whole = frame_to_bgr(frame)[y : y + side, x : x + side, ::-1]
    interpolation = cv2.INTER_AREA if side >= size else cv2.INTER_LINEAR
    expected = cv2.resize(np.ascontiguousarray(whole), (size, size), interpolation=interpolation)
    inside = slice(size // 8, -(size // 8))  # at its edge a crop does not see its neighbours' chroma
    if side > 2:
        difference = np.abs(crop.astype(int) - expected)[inside, inside]
        assert difference.max() <= 5
        assert difference.mean() < 1


def test_evaluation_and_device_see_the_same_colours():
    picture = smooth_picture(200, 200)
    device = face_crop(frame_from_bgr(picture), Box(0, 0, 200, 200), 96, 3)
    assert np.abs(image_crop(picture, 96, 3).astype(int) - device).max() <= 1


def test_a_grey_picture_has_three_equal_channels():
    grey = np.random.default_rng(7).integers(0, 256, (48, 48), dtype=np.uint8)
    for crop in (image_crop(grey, 48, 3), face_to_rgb(planes_of(grey), Box(0, 0, 48, 48), 48)):
        assert all(np.array_equal(crop[:, :, channel], grey) for channel in range(3))
    assert np.array_equal(image_crop(grey, 32, 1), image_to_input(grey, 32))
