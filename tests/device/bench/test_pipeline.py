import time

import pytest

from fer_edge.device.bench.pipeline import WARM_UP_FRAMES, measure_pipeline
from fer_edge.device.opencv import cv2
from fer_edge.device.results import STAGES
from fer_edge.device.sources import Source, open_source


def test_measures_every_stage(model):
    with open_source("demo") as source:
        latency = measure_pipeline(source, model, 5)
    assert (latency.source, latency.live, latency.dropped) == ("demo", False, 0)
    assert (latency.width, latency.height) == (640, 480)
    assert (latency.frames, latency.warm_up_frames) == (5, WARM_UP_FRAMES)
    assert latency.faces >= 1
    assert latency.opencv_threads == cv2.getNumThreads()
    assert latency.cpu_ms > 0
    assert tuple(latency.stages_ms) == STAGES
    assert all(0 <= wall.p50 <= wall.max for wall in latency.stages_ms.values())
    assert all(latency.stages_ms[stage].p50 > 0 for stage in STAGES if stage != "skin")  # not in every picture
    parts = sum(latency.stages_ms[stage].mean for stage in ("skin", "detect", "classify"))
    assert latency.stages_ms["total"].mean == pytest.approx(parts)


def test_a_short_source_is_repeated(model, tmp_path):
    with open_source("demo") as source:
        picture = source.picture(0.0)
    cv2.imwrite(str(tmp_path / "one.png"), cv2.resize(picture, (161, 121)))
    with open_source(str(tmp_path)) as source:
        latency = measure_pipeline(source, model, 7)
    assert latency.frames == 7
    assert (latency.width, latency.height) == (161, 121)


class SlowCamera(Source):
    """A picture every 30 ms."""

    name, live = "slow camera", True

    def __init__(self, make_frame):
        self._make_frame = make_frame

    def __iter__(self):
        for index in range(1000):
            time.sleep(0.03)
            yield self._make_frame(index, index * 0.03)


def test_the_wait_for_a_camera_is_no_part_of_the_total(model, grey_frame):
    latency = measure_pipeline(SlowCamera(grey_frame), model, 5)
    assert latency.live
    assert latency.stages_ms["capture"].p50 > 10
    assert latency.stages_ms["total"].p50 < latency.stages_ms["capture"].p50
    assert latency.faces == 0


def test_the_detector_is_measured_and_named(model, demo, monkeypatch, tmp_path):
    from fer_edge.device.detection import choice

    class Blind:
        def __init__(self, path):
            pass

        def detect(self, frame, regions):
            return []

    monkeypatch.setattr(choice, "YuNet", Blind)
    measured = measure_pipeline(demo, model, 2, choice.DetectorChoice("yunet", tmp_path))
    assert (measured.detector, measured.faces) == ("yunet", 0)
