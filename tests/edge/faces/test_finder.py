"""The two networks together, with stand-ins that see bright squares."""

import numpy as np
import pytest

from fer_edge.faces.finder import WEIGHTS, FaceFinder, Thresholds
from fer_edge.faces.grid import CELLS, CHANNELS, LEVELS


def bright_squares(frames):
    """Propose what is bright under each cell of the first level, as squares of two strides."""
    outputs = np.full((len(frames), len(CELLS), CHANNELS), 0, np.float32)
    outputs[..., 0] = -9
    rows, columns = LEVELS[0].shape
    cells = frames.reshape(len(frames), rows, 8, columns, 8).mean((2, 4)).reshape(len(frames), -1)
    outputs[:, : rows * columns, 0] = np.where(cells > 200, 3, -9)
    return outputs.reshape(len(frames), -1)


def centred(crops):
    """Say where the bright part of a crop is; sure if there is one and it is not everything."""
    outputs = np.zeros((len(crops), 14), np.float32)
    for output, crop in zip(outputs, crops, strict=True):
        y, x = np.nonzero(crop > 128)
        share = len(x) / crop.size
        output[0] = 4 if 0.05 < share < 0.8 else -4
        if len(x):
            output[1:3] = x.mean() - 23.5, y.mean() - 23.5
            output[3] = 16 * np.log(np.sqrt(len(x)) * 1.5 / 48)
        output[4:] = np.array([[-5, -5], [5, -5], [0, 0], [-4, 5], [4, 5]], np.float32).ravel() / 2
    return outputs


@pytest.fixture
def luma():
    frame = np.zeros((240, 320), np.uint8)
    frame[80:112, 96:128] = 255
    return frame


def test_a_face_is_found_once_and_exactly(luma):
    finder = FaceFinder(bright_squares, centred)
    (face,) = finder.find(luma)
    assert (face.look.x, face.look.y) == pytest.approx((111.5, 95.5), abs=1)
    assert face.look.side == pytest.approx(32, rel=0.1)
    assert face.score > 0.9
    assert face.look.roll == pytest.approx(0, abs=1)


@pytest.mark.parametrize("convinced", [1, 2])
def test_all_looks_must_be_convinced(luma, convinced):
    calls = []

    def doubtful(crops):
        calls.append(len(crops))
        outputs = centred(crops)
        outputs[:, 0] = 4 if len(calls) <= convinced else -4
        return outputs

    assert FaceFinder(bright_squares, doubtful).find(luma) == []
    assert len(calls) == convinced + 1


def test_the_score_is_a_mean_of_all_that_saw_the_face(luma):
    def moderate(crops):
        outputs = centred(crops)
        outputs[:, 0] = 1.2
        return outputs

    (face,) = FaceFinder(bright_squares, moderate).find(luma)
    assert face.score == pytest.approx(1 / (1 + np.exp(-(WEIGHTS[0] * 3 + sum(WEIGHTS[1:]) * 1.2))), abs=1e-3)


def test_an_empty_frame_costs_no_second_network():
    def never(crops):
        raise AssertionError("nothing was proposed")

    assert FaceFinder(bright_squares, never).find(np.zeros((100, 300), np.uint8)) == []


def test_a_threshold_of_one_finds_nothing(luma):
    assert FaceFinder(bright_squares, centred, Thresholds(score=1.0)).find(luma) == []
