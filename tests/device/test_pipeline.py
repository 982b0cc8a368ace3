import itertools
import json

import numpy as np
import pytest

from fer_edge.device.cascade import Detection
from fer_edge.device.pipeline import Pipeline
from fer_edge.device.results import STAGES
from fer_edge.device.sources import Source
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


def face(x=0, votes=50):
    return Detection(Box(x, 0, 24, 24), votes)


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
    detector = Detector([face(votes=12)], [], [face(votes=12)], [face(votes=12)], [face(votes=12)])
    with Pipeline(film, [model], detector=detector) as pipeline:
        assert [len(r.faces) for r in pipeline] == [0, 0, 0, 0, 1]


def test_photos_are_independent(model, grey_frame):
    film = Film([grey_frame(i, float(i)) for i in range(2)], stills=True)
    with Pipeline(film, [model], detector=Detector([face(votes=6)], [face(votes=6)])) as pipeline:
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
        indices = [r.index for r in itertools.islice(pipeline, 5)]
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
    assert set(found) == {"id", "box", "label", "score", "scores"}
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
