import itertools
import json
import re
import socket
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from fer_edge.device.faces import FACES_IN_IMAGE, FACES_IN_VIDEO, Detection
from fer_edge.device.frame import Converter, Frame
from fer_edge.device.pipeline import Pipeline
from fer_edge.device.results import STAGES, Counters
from fer_edge.device.sources import Source, grabber
from fer_edge.device.sources.demo import DemoSource
from fer_edge.device.sources.folder import FolderSource
from fer_edge.device.sources.video import VideoSource
from fer_edge.errors import SourceError
from fer_edge.preprocess import Box


class Film(Source):
    """A finite source of grey pictures."""

    name = "film"

    def __init__(self, frames, *, live=False, stills=False, error=None):
        self._frames, self.live, self.stills, self._error = frames, live, stills, error

    def __iter__(self):
        yield from self._frames
        if self._error:
            raise self._error


class Detector:
    """Finds what it was told to, and remembers where it was sent to look."""

    def __init__(self, *found):
        self._found, self.regions = iter(found), []

    def detect(self, frame, regions):
        self.regions.append(regions)
        return next(self._found)


def face(x=0, score=0.9):
    return Detection(Box(x, 0, 24, 24), score)


def test_the_demo_film_shows_one_face_that_keeps_its_number(model, demo):
    with Pipeline(demo, [model]) as pipeline:
        results = list(itertools.islice(pipeline, 25))
    assert [r.index for r in results] == list(range(25))
    assert {f.id for r in results for f in r.faces} == {1}
    assert sum(len(r.faces) == 1 for r in results) >= 24
    for result in results:
        assert tuple(result.timings) == STAGES
        assert result.timings["total"] >= result.timings["detect"] > 0
        for found in result.faces:
            assert tuple(found.scores) == model.info.labels
            assert sum(found.scores.values()) == pytest.approx(1, abs=0.02)
            assert found.score == max(found.scores.values()) == found.scores[found.label]


def test_skin_makes_no_difference_to_a_large_face(model, demo):
    boxes = {}
    for skin in ("off", "static"):
        with Pipeline(demo, [model], skin=skin) as pipeline:
            boxes[skin] = [r.faces[0].box for r in itertools.islice(pipeline, 3)]
    np.testing.assert_allclose(boxes["off"], boxes["static"], atol=8)


def test_a_doubtful_face_is_reported_once_it_has_stayed(model, grey_frame):
    film = Film([grey_frame(i, i / 10) for i in range(5)])
    detector = Detector([face(score=0.7)], [], [face(score=0.7)], [face(score=0.7)], [face(score=0.7)])
    with Pipeline(film, [model], detector=detector) as pipeline:
        assert [len(r.faces) for r in pipeline] == [0, 0, 0, 1, 1]


def test_photos_are_independent(model, grey_frame):
    film = Film([grey_frame(i, float(i)) for i in range(2)], stills=True)
    with Pipeline(film, [model], detector=Detector([face(score=0.7)], [face(score=0.7)])) as pipeline:
        assert [f.id for r in pipeline for f in r.faces] == [1, 2]


def test_smallest_reaches_the_detector(model, portrait, tmp_path, demo):
    with Pipeline(demo, [model], smallest=300) as pipeline:
        assert not any(r.faces for r in itertools.islice(pipeline, 3))


def test_a_file_never_drops(model, clip):
    with VideoSource(str(clip)) as source, Pipeline(source, [model]) as pipeline:
        results = list(pipeline)
        assert [r.index for r in results] == list(range(12))
        assert pipeline.dropped == 0
    assert all(r.faces for r in results)


def test_a_live_source_drops_what_is_late_and_counts_it(model):
    with DemoSource((320, 240), live=True, fps=200.0) as source, Pipeline(source, [model]) as pipeline:
        indices = []
        for result in itertools.islice(pipeline, 5):
            indices.append(result.index)
            time.sleep(0.03)  # six pictures of the source
        dropped = pipeline.dropped
    assert indices == sorted(set(indices))
    assert 0 < indices[-1] + 1 - len(indices) <= dropped


@pytest.mark.parametrize("live", [False, True])
def test_the_end_and_the_error_reach_the_caller(model, grey_frame, live):
    film = Film([grey_frame()], live=live, error=SourceError("unplugged"))
    with Pipeline(film, [model]) as pipeline, pytest.raises(SourceError, match="unplugged"):
        list(pipeline)
    with Pipeline(Film([grey_frame()], live=live), [model]) as pipeline:
        assert len(list(pipeline)) == 1


def test_it_stops_when_asked(model, grey_frame):
    answers = iter([False, False, True])
    film = Film([grey_frame(i) for i in range(5)])
    with Pipeline(film, [model], stop=lambda: next(answers)) as pipeline:
        assert [r.index for r in pipeline] == [0, 1]


def test_known_faces_are_searched_for_again(model, demo):
    pictures = list(itertools.islice(demo, 2))
    detector = Detector([face(100)], [face(100)])
    with Pipeline(Film(pictures), [model], detector=detector) as pipeline:
        list(pipeline)
    assert detector.regions[0].search_all == "periodic"
    assert any(box.x <= 100 and box.x + box.w >= 124 and box.y == 0 for box in detector.regions[1].boxes)


def test_the_line_of_a_picture(model, demo, tmp_path):
    with Pipeline(demo, [model]) as pipeline:
        line = json.loads(json.dumps(next(iter(pipeline)).to_dict()))
    assert line["frame"] == 0
    assert line["time"] == 0.0
    (found,) = line["faces"]
    assert set(found) == {"id", "box", "label", "score", "uncertain", "quality", "scores"}
    assert found["score"] == found["scores"][found["label"]]
    assert all(isinstance(v, int) for v in found["box"])
    assert set(line["timings_ms"]) == set(STAGES)
    assert "file" not in line


def test_the_line_of_a_photo_names_its_file(model, tmp_path, portrait):
    import cv2

    path = tmp_path / "one.png"
    cv2.imwrite(str(path), portrait)
    with FolderSource(tmp_path) as source, Pipeline(source, [model]) as pipeline:
        (line,) = [result.to_dict() for result in pipeline]
    assert line["file"] == str(path)
    assert len(line["faces"]) == 1


def test_a_real_face_is_found_in_nearly_every_picture(model, shared_video):
    with VideoSource(str(shared_video("pyfeat_single_face.mp4"))) as source, Pipeline(source, [model]) as pipeline:
        results = list(itertools.islice(pipeline, 40))
    assert sum(bool(r.faces) for r in results) >= 38


def test_a_scene_without_faces_has_none(model, shared_video):
    path = shared_video("intel_bottle-detection_noface.mp4")
    with VideoSource(str(path)) as source, Pipeline(source, [model]) as pipeline:
        assert not any(r.faces for r in itertools.islice(pipeline, 50))


def test_faces_survive_a_blink_and_a_short_occlusion(model, demo):
    def film():
        converter = Converter()
        for index in range(90):
            bgr = demo.picture(index / 30)
            if 40 <= index < 55:
                bgr[:] = 120  # half a second of nothing
            yield converter.convert(bgr, index / 30, index)

    with Pipeline(Film(film()), [model]) as pipeline:
        results = list(pipeline)
    assert {f.id for r in results for f in r.faces} == {1}
    assert not any(r.faces for r in results[45:55])
    assert all(r.faces for r in results[70:])


def test_a_face_that_comes_into_the_picture_is_found_within_a_round(model, portrait):
    empty = np.full((480, 640, 3), 120, np.uint8)
    scene = empty.copy()
    scene[100:388, 200:456] = portrait
    converter = Converter()
    film = [converter.convert(empty if i < 20 else scene, i / 30, i) for i in range(50)]
    with Pipeline(Film(film), [model]) as pipeline:
        counts = [len(r.faces) for r in pipeline]
    assert not any(counts[:20])
    assert counts[35:] == [1] * 15


def test_a_film_costs_a_fraction_of_its_pictures_area(model, demo):
    with Pipeline(demo, [model]) as pipeline:
        results = list(itertools.islice(pipeline, 75))
        assert pipeline.counters.full_searches == sum(r.full_search for r in results) >= 2
    assert results[0].searched > 5
    assert np.mean([r.searched for r in results[1:]]) < 3


def test_another_size_begins_anew(model, demo):
    small, large = DemoSource((320, 240)), DemoSource((800, 600))
    frames = [*itertools.islice(small, 5), *itertools.islice(large, 5), *itertools.islice(small, 5)]
    film = [Frame(f.y, f.cb, f.cr, i / 30, i, f.width, f.height) for i, f in enumerate(frames)]
    with Pipeline(Film(film), [model]) as pipeline:
        results = list(pipeline)
    assert [{f.id for f in r.faces} for r in (results[4], results[9], results[14])] == [{1}, {2}, {3}]
    for result in results:
        for found in result.faces:
            assert found.box.x + found.box.w <= result.frame.width
            assert found.box.y + found.box.h <= result.frame.height


def test_empty_pictures_are_left_out_and_counted(model, grey_frame):
    nothing = np.empty((0, 0), np.uint8)
    film = Film([grey_frame(0), Frame(nothing, nothing, nothing, 0.1, 1, 0, 0), grey_frame(2, 0.2)])
    with Pipeline(film, [model]) as pipeline:
        assert [r.index for r in pipeline] == [0, 2]
        counters = pipeline.counters
    assert (counters.captured, counters.processed, counters.skipped, counters.dropped) == (3, 2, 1, 0)


class Damaged(Film):
    """Leaves out as many damaged frames as it delivers, and fails once where it is live."""

    rounds = 2

    def __iter__(self):
        self.rounds -= 1
        for frame in super().__iter__():
            self.skipped += 1
            yield frame
        if self.live and self.rounds:
            raise SourceError("unplugged")

    def reopen(self):
        again = Damaged(self._frames, live=True)
        again.rounds = 1
        return again


@pytest.mark.parametrize("live", [False, True])
def test_no_more_is_done_than_was_captured(model, grey_frame, live, monkeypatch):
    """At every moment, with damaged and empty frames, and after a camera was opened again."""
    monkeypatch.setattr(grabber, "BACK_OFF_S", (0.01, 0.01))
    nothing = np.empty((0, 0), np.uint8)
    film = [grey_frame(i, i / 10) for i in range(4)]
    film.insert(2, Frame(nothing, nothing, nothing, 0.1, 1, 0, 0))
    with Pipeline(Damaged(film, live=live), [model]) as pipeline:
        seen = [pipeline.counters]
        seen.extend(pipeline.counters for _ in pipeline)
        seen.append(pipeline.counters)
    for counters in seen:
        assert counters.captured >= counters.processed + counters.dropped + counters.skipped
    assert [c.skipped for c in seen] == sorted(c.skipped for c in seen)
    if live:
        assert (seen[-1].captured, seen[-1].restarts) == (20, 1)
    else:
        assert seen[-1] == Counters(10, 4, 0, 6, 0, seen[-1].full_searches)


def test_it_says_nothing_to_a_service_manager(model, grey_frame, monkeypatch, tmp_path):
    """That is for the program: a loop more or less within it is no service that is up or ends."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        with Pipeline(Film([grey_frame(0)]), [model]) as pipeline:
            list(pipeline)
        with pytest.raises(BlockingIOError):
            manager.recv(100)


def test_who_waits_for_a_camera_is_told_for_how_long(model, grey_frame, monkeypatch):
    monkeypatch.setattr(grabber, "BACK_OFF_S", (0.4, 0.4))
    silences = []
    film = Damaged([grey_frame(0)], live=True)
    with Pipeline(film, [model], waiting=silences.append) as pipeline:
        assert len(list(pipeline)) == 2
    assert 0.2 < max(silences) < 2


@pytest.mark.parametrize("size", [(2, 2), (30, 20), (24, 24), (50, 1000)])
def test_tiny_and_odd_pictures_are_no_error(model, size):
    frames = list(itertools.islice(DemoSource(size), 3))
    with Pipeline(Film(frames), [model]) as pipeline:
        assert len(list(pipeline)) == 3


def test_a_clock_that_steps_back_harms_nothing(model, demo):
    frames = list(itertools.islice(demo, 12))
    times = [0, 0.03, 0.07, 50, 50.1, 1, 1, 1, 1.03, 0, 0.03, 0.07]
    film = [Frame(f.y, f.cb, f.cr, t, f.index, f.width, f.height) for f, t in zip(frames, times, strict=True)]
    with Pipeline(Film(film), [model]) as pipeline:
        results = list(pipeline)
    assert all(r.faces for r in results)
    assert all(0 <= s <= 1 for r in results for f in r.faces for s in f.scores.values())


def test_nothing_as_large_as_a_picture_is_allocated(model, demo):
    pictures = [demo.picture(index / 30) for index in range(30)]

    def film():
        converter = Converter()
        for index in itertools.count():
            yield converter.convert(pictures[index % 30], index / 30, index)

    with Pipeline(Film(film()), [model], skin="off") as pipeline:
        results = iter(pipeline)
        for _ in range(40):
            next(results)
        tracemalloc.start()
        try:
            largest = 0
            for _ in range(60):
                before = tracemalloc.get_traced_memory()[0]
                tracemalloc.reset_peak()
                next(results)
                largest = max(largest, tracemalloc.get_traced_memory()[1] - before)
        finally:
            tracemalloc.stop()
    assert largest < 640 * 480 // 8


def test_the_example_of_the_manual_runs(capsys):
    manual = (Path(__file__).parents[2] / "docs" / "device.md").read_text()
    code = re.search(r"### From Python\n\n(.*?)\n\n\S", manual, re.DOTALL)[1]
    lines = [line[4:] for line in code.splitlines()]
    assert len(lines) <= 10
    loop = next(i for i, line in enumerate(lines) if line.lstrip().startswith("for result in"))
    indent = " " * (len(lines[loop]) - len(lines[loop].lstrip()) + 4)
    exec("\n".join([*lines, f"{indent}if result.index == 2: break"]), {})
    assert capsys.readouterr().out.count("[(1, ") == 3


def crowd(count):
    return [Detection(Box(30 * (n % 80), 30 * (n // 80), 20 + n % 5, 20), 0.9) for n in range(count)]


@pytest.mark.parametrize(("stills", "most"), [(False, FACES_IN_VIDEO), (True, FACES_IN_IMAGE)])
def test_a_crowd_is_bounded_and_counted(stills, most, grey_frame, model):
    frames = [grey_frame(0, 0.0)]
    with Pipeline(Film(frames, stills=stills), [model], detector=Detector(crowd(1300))) as pipeline:
        (result,) = pipeline
    assert len(result.faces) == most
    assert result.left_out == 1300 - most
    assert result.to_dict()["left_out"] == 1300 - most
    assert min(face.box.w for face in result.faces) >= (24 if most == FACES_IN_VIDEO else 21)


def test_without_a_crowd_nothing_is_said_of_it(grey_frame, model):
    with Pipeline(Film([grey_frame(0, 0.0)]), [model], detector=Detector(crowd(3))) as pipeline:
        (result,) = pipeline
    assert "left_out" not in result.to_dict()
