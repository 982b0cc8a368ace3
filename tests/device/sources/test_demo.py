import itertools
import time

import numpy as np
import pytest

from fer_edge.device.detection.cascade import HaarCascade
from fer_edge.device.detection.skin import Regions
from fer_edge.device.sources.demo import PORTRAIT, DemoSource


def test_the_portrait_is_small():
    assert PORTRAIT.stat().st_size <= 60 * 1024


def test_the_film_is_the_same_every_time(demo):
    for first, second in itertools.islice(zip(DemoSource(), DemoSource(), strict=True), 3):
        np.testing.assert_array_equal(first.y, second.y)
        np.testing.assert_array_equal(first.cr, second.cr)
        assert (first.index, first.time) == (second.index, second.time)


def test_the_film_moves_and_changes_its_light(demo):
    frames = list(itertools.islice(demo, 0, 90, 30))
    assert [f.time for f in frames] == pytest.approx([0, 1, 2])
    assert np.abs(frames[0].y.astype(int) - frames[1].y).mean() > 3
    assert abs(frames[0].y[:20].mean() - frames[2].y[:20].mean()) > 3


@pytest.mark.parametrize(("size", "search_all"), [((640, 480), None), ((321, 241), "off")])
def test_the_cascade_finds_the_face(size, search_all):
    detector, source = HaarCascade(), DemoSource(size)
    frames = list(itertools.islice(source, 0, 1200, 60))
    assert all((f.width, f.height) == size for f in frames)
    found = sum(bool(detector.detect(frame, Regions((), search_all))) for frame in frames)
    assert found >= 0.95 * len(frames)


@pytest.mark.parametrize("size", [(64, 48), (1, 1), (1001, 77)])
def test_any_size_will_do(size):
    frame = next(iter(DemoSource(size)))
    assert (frame.width, frame.height) == size


def test_live_pictures_come_at_a_cameras_pace():
    start = time.monotonic()
    frames = list(itertools.islice(DemoSource((64, 48), live=True, fps=50.0), 6))
    assert time.monotonic() - start >= 0.1
    assert [f.index for f in frames] == list(range(6))
