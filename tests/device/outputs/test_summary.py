import pytest

from fer_edge.device.outputs.summary import Summary, to_text
from fer_edge.device.results import STAGES, Counters, Face, FrameResult
from fer_edge.preprocess import Box

FACE = Face(1, Box(0, 0, 9, 9), "happy", 0.9, {"happy": 0.9})


def result(milliseconds, *faces):
    return FrameResult(0, 0.0, faces, dict.fromkeys(STAGES, milliseconds / 1000), None)


def counted(dropped=0, skipped=0, restarts=0):
    return Counters(9, 9, dropped, skipped, restarts, 0)


def test_counts_and_percentiles():
    summary = Summary()
    for milliseconds in range(1, 102):
        summary.add(result(milliseconds, *[FACE] * (milliseconds % 3)))
    figures = summary.to_dict(counted(dropped=7))
    assert (figures["frames"], figures["dropped"], figures["frames_with_face"]) == (101, 7, 68)
    assert set(figures["latency_ms"]) == set(STAGES)
    assert figures["latency_ms"]["total"] == pytest.approx({"p50": 51, "p90": 91, "p99": 100})
    assert figures["fps"] > 0
    assert figures["cpu_ms_per_frame"] >= 0


def test_a_run_without_pictures():
    figures = Summary().to_dict(counted())
    assert figures["frames"] == 0
    assert figures["latency_ms"] == {}
    assert figures["cpu_ms_per_frame"] is None
    assert to_text(figures).startswith("0 frames in 0.0 s")


def test_the_text_holds_the_figures():
    summary = Summary()
    summary.add(result(12.5, FACE))
    text = to_text(summary.to_dict(counted(dropped=3)))
    assert "1 frames in" in text
    assert "3 dropped, 1 with a face" in text
    assert "damaged" not in text
    assert text.count("12.50") == 3 * len(STAGES)
    assert all(f"\n{stage} " in text for stage in STAGES)


def test_searches_are_counted():
    summary = Summary()
    for full in (True, False):
        summary.add(FrameResult(0, 0.0, (), dict.fromkeys(STAGES, 0.01), None, 2.5 + full, full))
    figures = summary.to_dict(counted())
    assert (figures["full_searches"], figures["area_searched_per_frame"]) == (1, 3.0)


def test_what_went_wrong_is_counted():
    figures = Summary().to_dict(counted(skipped=4, restarts=2))
    assert (figures["skipped"], figures["restarts"]) == (4, 2)
    assert "\n4 damaged or empty, source opened again 2 times" in to_text(figures)
