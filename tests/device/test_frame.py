import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fer_edge.device.frame import POOL, Converter, expand_range, frame_from_bgr, frame_to_bgr, split_planes
from fer_edge.preprocess import to_grey

PICTURES = st.tuples(st.integers(1, 20), st.integers(1, 20), st.just(3)).flatmap(lambda shape: arrays(np.uint8, shape))


@settings(max_examples=60, deadline=None)
@given(PICTURES)
def test_luma_is_the_grey_of_training(bgr):
    frame = frame_from_bgr(bgr, 1.5, 7)
    height, width = bgr.shape[:2]
    assert (frame.width, frame.height, frame.time, frame.index) == (width, height, 1.5, 7)
    np.testing.assert_array_equal(frame.y[:height, :width], to_grey(bgr))


@settings(max_examples=60, deadline=None)
@given(PICTURES)
def test_planes_are_even_and_edges_are_repeated(bgr):
    frame = frame_from_bgr(bgr)
    height, width = frame.y.shape
    assert height % 2 == width % 2 == 0
    assert height - frame.height in (0, 1)
    assert width - frame.width in (0, 1)
    assert frame.cb.shape == frame.cr.shape == (height // 2, width // 2)
    np.testing.assert_array_equal(frame.y[-1], frame.y[frame.height - 1])
    np.testing.assert_array_equal(frame.y[:, -1], frame.y[:, frame.width - 1])


@settings(max_examples=60, deadline=None)
@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_colours_are_full_range_bt601(colour):
    frame = frame_from_bgr(np.full((4, 4, 3), colour, np.uint8))
    blue, green, red = colour
    y = 0.299 * red + 0.587 * green + 0.114 * blue
    assert abs(int(frame.y[0, 0]) - y) <= 1
    assert abs(int(frame.cb[0, 0]) - np.clip(128 + 0.564 * (blue - y), 0, 255)) <= 1.5
    assert abs(int(frame.cr[0, 0]) - np.clip(128 + 0.713 * (red - y), 0, 255)) <= 1.5


def test_black_and_white_use_the_whole_range():
    assert frame_from_bgr(np.zeros((2, 2, 3), np.uint8)).y.max() == 0
    assert frame_from_bgr(np.full((2, 2, 3), 255, np.uint8)).y.min() == 255


@pytest.mark.parametrize("size", [(256, 288), (255, 287), (1, 1)])
def test_a_picture_survives_the_way_there_and_back(portrait, size):
    bgr = portrait[: size[1], : size[0]]
    back = frame_to_bgr(frame_from_bgr(bgr))
    assert back.shape == bgr.shape
    assert back.flags["C_CONTIGUOUS"]
    assert np.abs(back.astype(int) - bgr).mean() < 3  # what is lost is the chroma of neighbours


@st.composite
def camera_buffers(draw):
    width, height = 2 * draw(st.integers(1, 12)), 2 * draw(st.integers(1, 12))
    stride = width + 2 * draw(st.integers(0, 8))
    tail = draw(st.integers(0, 9))
    return width, height, stride, draw(arrays(np.uint8, stride * height * 3 // 2 + tail))


@settings(max_examples=60, deadline=None)
@given(camera_buffers())
def test_planar_buffers_are_split_without_a_copy(case):
    width, height, stride, buffer = case
    y, cb, cr = split_planes(buffer, "YUV420", width, height, stride)
    for plane in (y, cb, cr):
        assert np.shares_memory(plane, buffer)
    for row in range(height):
        assert bytes(y[row]) == bytes(buffer[row * stride : row * stride + width])
    for row in range(height // 2):
        at = stride * height + row * stride // 2
        assert bytes(cb[row]) == bytes(buffer[at : at + width // 2])
        at += stride * height // 4
        assert bytes(cr[row]) == bytes(buffer[at : at + width // 2])


@settings(max_examples=60, deadline=None)
@given(camera_buffers())
def test_interleaved_buffers_are_split_without_a_copy(case):
    width, height, stride, buffer = case
    y, cb, cr = split_planes(buffer, "NV12", width, height, stride)
    for plane in (y, cb, cr):
        assert np.shares_memory(plane, buffer)
    assert y.shape == (height, width)
    for row in range(height // 2):
        at = stride * height + row * stride
        assert bytes(cb[row]) == bytes(buffer[at : at + width : 2])
        assert bytes(cr[row]) == bytes(buffer[at + 1 : at + width : 2])


@pytest.mark.parametrize(
    ("layout", "width", "height", "stride", "size"),
    [
        ("YUV420", 4, 4, 4, 23),
        ("NV12", 4, 4, 2, 24),
        ("YUV420", 5, 4, 6, 99),
        ("YUV420", 4, 3, 4, 99),
        ("RGB888", 4, 4, 4, 99),
    ],
)
def test_impossible_buffers_are_refused(layout, width, height, stride, size):
    with pytest.raises(ValueError, match="buffer|layout"):
        split_planes(np.zeros(size, np.uint8), layout, width, height, stride)


def test_limited_range_is_expanded(portrait):
    i420 = cv2.cvtColor(portrait, cv2.COLOR_BGR2YUV_I420)  # 16..235, as televisions want it
    height, width = portrait.shape[:2]
    planes = split_planes(np.ascontiguousarray(i420).reshape(-1), "YUV420", width, height, width)
    y, cb, cr = expand_range(*planes)
    wanted = frame_from_bgr(portrait)
    assert np.abs(y.astype(int) - wanted.y).max() <= 2
    for plane, full in ((cb, wanted.cb), (cr, wanted.cr)):
        assert np.abs(plane.astype(int) - full).mean() < 2


def test_memory_is_used_again_but_never_under_a_picture_in_use(portrait):
    converter = Converter()
    kept = converter.convert(portrait)
    luma = kept.y.copy()
    view = converter.convert(255 - portrait).cb[3:5]
    shown = view.copy()
    for level in range(2 * POOL):
        converter.convert(np.full_like(portrait, 10 * level))
    np.testing.assert_array_equal(kept.y, luma)
    np.testing.assert_array_equal(view, shown)
    address = converter.convert(portrait).y.ctypes.data
    assert converter.convert(portrait).y.ctypes.data == address


def test_every_picture_of_a_list_is_its_own(portrait):
    converter = Converter()
    frames = [converter.convert(np.full((32, 48, 3), level, np.uint8)) for level in range(3 * POOL)]
    assert [int(frame.y[0, 0]) for frame in frames] == list(range(3 * POOL))


def test_pictures_may_change_their_size(portrait):
    converter = Converter()
    for size in ((40, 60), (41, 61), (40, 60), (1, 1)):
        frame = converter.convert(portrait[: size[0], : size[1]])
        np.testing.assert_array_equal(frame.y[: size[0], : size[1]], to_grey(portrait[: size[0], : size[1]]))
