import cv2
import numpy as np
import pytest

from fer_edge.device.detection.skin import Regions
from fer_edge.device.detection.yunet import INPUT_PIXELS, YuNet
from fer_edge.device.faces import iou
from fer_edge.device.frame import frame_from_bgr
from fer_edge.device.tracking.tracker import SURE_SCORE
from fer_edge.errors import MissingExtraError, ModelFileError
from fer_edge.preprocess import Box
from tests.device.conftest import SHARED

FILE = SHARED / "models" / "yunet_n_640_640.onnx"
ALL = Regions((), "off")


@pytest.fixture(scope="module")
def yunet():
    if not FILE.exists():
        pytest.skip(f"needs {FILE.name}, which is not part of the repository")
    return YuNet(FILE)


@pytest.mark.parametrize(("width", "height"), [(640, 480), (333, 251), (1600, 1200), (INPUT_PIXELS, INPUT_PIXELS)])
def test_finds_the_face_of_the_portrait(yunet, portrait, width, height):
    picture = np.full((height, width, 3), 120, np.uint8)
    scale = 0.9 * min(height / portrait.shape[0], width / portrait.shape[1])
    small = cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    picture[5 : 5 + small.shape[0], 7 : 7 + small.shape[1]] = small
    (found,) = yunet.detect(frame_from_bgr(picture), ALL)
    assert (
        iou(
            found.box, Box(*(round(scale * v) + shift for v, shift in zip((79, 65, 98, 98), (7, 5, 0, 0), strict=True)))
        )
        > 0.4
    )
    assert SURE_SCORE <= found.score <= 1
    eyes, nose, mouth = found.landmarks[:2], found.landmarks[2], found.landmarks[3:]
    assert eyes[0][0] < nose[0] < eyes[1][0]
    assert mouth[0][0] < nose[0] < mouth[1][0]
    assert max(y for _, y in eyes) < nose[1] < min(y for _, y in mouth)
    x, y, w, h = found.box
    assert all(x < right < x + w and y < down < y + h for right, down in found.landmarks)


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (31, 33), (32, 32), (480, 32), (176, 5)])
def test_tiny_frames_hold_no_face(yunet, size):
    picture = frame_from_bgr(np.full((size[1], size[0], 3), 99, np.uint8))
    for dirt in range(1, 60):  # memory as other work leaves it
        np.full(dirt * 1000, dirt, np.float32)
        assert yunet.detect(picture, ALL) == []


def test_boxes_lie_inside_the_frame(yunet, portrait):
    cut = portrait[90:, 95:]  # half a face, at the corner
    frame = frame_from_bgr(cut)
    for found in yunet.detect(frame, ALL):
        x, y, w, h = found.box
        assert 0 <= x < x + w <= frame.width
        assert 0 <= y < y + h <= frame.height


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelFileError, match=r"gone\.onnx: expected the ONNX file of a YuNet"):
        YuNet(tmp_path / "gone.onnx")


@pytest.mark.parametrize("content", [b"", b"no model", bytes(range(256)) * 40])
def test_a_wrong_file_is_refused_in_one_line(tmp_path, content):
    path = tmp_path / "wrong.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=r"wrong\.onnx: expected a YuNet face detector") as refused:
        YuNet(path)
    assert "\n" not in str(refused.value)


def test_a_damaged_file_is_refused(tmp_path, yunet):
    path = tmp_path / "half.onnx"
    path.write_bytes(FILE.read_bytes()[:100_000])
    with pytest.raises(ModelFileError, match="cannot run"):
        YuNet(path)


def test_another_model_is_refused(model_path):
    with pytest.raises(ModelFileError, match="expected a YuNet"):
        YuNet(model_path)


def test_an_old_opencv_is_named(monkeypatch, tmp_path):
    monkeypatch.delattr(cv2, "FaceDetectorYN")
    with pytest.raises(MissingExtraError, match="FaceDetectorYN"):
        YuNet(tmp_path / "any.onnx")
