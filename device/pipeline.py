"""The device loop: capture, regions, detect, track, classify, emit."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from time import perf_counter
from types import TracebackType
from typing import Self

from fer_edge.device.classify import Ensemble
from fer_edge.device.detection.cascade import SMALLEST, HaarCascade
from fer_edge.device.detection.detector import FaceDetector, Search
from fer_edge.device.detection.face import FaceNetworks
from fer_edge.device.detection.image_search import ImageSearch
from fer_edge.device.detection.network_search import NetworkSearch
from fer_edge.device.detection.search import SpreadSearch
from fer_edge.device.detection.skin import SkinSegmentation, segmentation
from fer_edge.device.faces import FACES_IN_IMAGE, FACES_IN_VIDEO, foremost
from fer_edge.device.frame import Frame
from fer_edge.device.results import Counters, Face, FrameResult, make_face
from fer_edge.device.sources.base import Source
from fer_edge.device.sources.grabber import Captured, FrameGrabber
from fer_edge.device.tracking.baseline import Baseline
from fer_edge.device.tracking.quality import levels, reason_of
from fer_edge.device.tracking.tracker import Track, Tracker
from fer_edge.errors import ConfigError
from fer_edge.runtime import TFLiteModel


class Pipeline:
    """Runs a source through the loop; iterate it for one `FrameResult` per picture.

    A live source is read in a thread of its own, and frames that come while the loop is busy are
    dropped; a file or folder is read as fast as it is worked on, and nothing is dropped. The source is
    the caller's to close, after the pipeline.
    """

    def __init__(
        self,
        source: Source,
        classifiers: Sequence[TFLiteModel],
        *,
        skin: str = "static",
        smallest: int = SMALLEST,
        detector: FaceDetector | None = None,
        prior: str | None = None,
        upright: bool = False,
        baseline: float | None = None,
        stop: Callable[[], bool] = lambda: False,
        waiting: Callable[[float], None] = lambda silent_s: None,
    ) -> None:
        """Set up the loop.

        Args:
            source: where pictures come from.
            classifiers: one model, or several whose probabilities are averaged.
            skin: ``static`` looks for small faces mainly where skin is, ``off`` everywhere.
            smallest: side of the smallest face looked for, in pixels of the picture.
            detector: what finds faces, by default the Haar cascade.
            prior: how common expressions are to be taken to be, `fer_edge.labels.PRIOR_FORM`; None: as the models do.
            upright: frame faces by eyes and mouth, upright, where the detector finds these.
            baseline: seconds of a face at rest after which its scores are the deviation from it; None: never.
            stop: asked after each frame was read, and several times a second while a live source delivers none,
                whether to end.
            waiting: called several times a second while a live source that has delivered frames delivers none, with
                the seconds since the latest one; not while an attempt to open it again hangs.

        Raises:
            ModelFileError: the labels of the models differ, or what they assume is not known.
            ConfigError: `prior` or `baseline` has no meaning for the models or the source.
            MissingExtraError: the cascade's data are not installed.
        """
        self._source = source
        self._ensemble = Ensemble(classifiers, prior, upright)
        self._search = _search(source, detector, segmentation(skin, smallest), smallest)
        # In unrelated images one detection has to be enough, and no face has the number of another.
        self._most_faces = FACES_IN_IMAGE if source.stills else FACES_IN_VIDEO
        self._tracker = Tracker(min_hits=1, max_age_s=0) if source.stills else Tracker(baseline=self._rest(baseline))
        if source.stills and baseline is not None:
            raise ConfigError("baseline", "`baseline` belongs to a video, in which faces stay; photos have none")
        self._stop = stop
        self._waiting = waiting
        self._shape: tuple[int, ...] = ()
        self._processed = self._empty = self._full_searches = 0
        self._stack = contextlib.ExitStack()
        self._grabber: FrameGrabber | None = None

    @property
    def dropped(self) -> int:
        """Frames of a live source that came while the loop was busy."""
        return self._grabber.captured.dropped if self._grabber else 0

    @property
    def counters(self) -> Counters:
        """What happened to the frames so far; may be asked for in any thread."""
        # What the loop did is read before what came: the other way around more could seem done than captured.
        processed, empty, full_searches = self._processed, self._empty, self._full_searches
        if self._grabber:
            came = self._grabber.captured
        else:
            came = Captured(frames=processed + empty, skipped=self._source.skipped)
        return Counters(
            captured=came.frames + came.skipped,
            processed=processed,
            dropped=came.dropped,
            skipped=empty + came.skipped,
            restarts=came.restarts,
            full_searches=full_searches,
        )

    def __enter__(self) -> Self:
        if self._source.live:
            self._grabber = self._stack.enter_context(FrameGrabber(self._source, self._stop, self._waiting))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()

    def __iter__(self) -> Iterator[FrameResult]:
        """Deliver the results in the order of the pictures; raises SourceError as the source does."""
        frames: Iterable[Frame] = self._grabber or self._source
        asked = perf_counter()
        for frame in frames:
            if self._stop():
                return
            if not self._is_usable(frame):
                continue
            captured = perf_counter()
            found = self._search.find(frame, self._tracker.tracks)
            detected = perf_counter()
            detections = foremost(found.detections, self._most_faces)
            left_out = found.left_out + len(found.detections) - len(detections)
            tracks = self._tracker.update(detections, frame.time)
            faces = tuple(self._classify(frame, track) for track in tracks)
            classified = perf_counter()
            timings = {
                "capture": captured - asked,
                "skin": found.skin,
                "detect": detected - captured - found.skin,
                "classify": classified - detected,
                "total": classified - captured,
            }
            self._processed += 1
            self._full_searches += found.full
            yield FrameResult(frame.index, frame.time, faces, timings, frame, found.searched, found.full, left_out)
            # The name would keep the picture's memory from being used for the one that comes now.
            del frame
            asked = perf_counter()

    def _is_usable(self, frame: Frame) -> bool:
        """Leave out empty frames, and forget all faces where the size of the frames changes."""
        if not frame.y.size:
            self._empty += 1
            return False
        if frame.y.shape != self._shape:
            self._shape = frame.y.shape
            self._tracker.reset()
            self._search.reset()
        return True

    def _classify(self, frame: Frame, track: Track) -> Face:
        crops = self._ensemble.crops(frame, track.box, track.landmarks)
        quality = self._tracker.add_levels(track, levels(crops[0], track.box, track.landmarks))
        shown = self._tracker.add_scores(track, self._ensemble.scores(crops))
        return make_face(
            *(track.id, track.box, self._ensemble.labels, shown.scores, shown.label, track.landmarks),
            quality=float(quality.min()),
            reason=reason_of(quality),
            baseline=self._tracker.has_baseline(track),
        )

    def _rest(self, seconds: float | None) -> Baseline | None:
        return None if seconds is None else Baseline(seconds, self._ensemble.labels)


def _search(source: Source, detector: FaceDetector | None, skin: SkinSegmentation, smallest: int) -> Search:
    """Choose how to search: photos and foreign detectors picture by picture, films with what is known already."""
    if isinstance(detector, FaceNetworks) and not source.stills:
        return NetworkSearch(detector.finder, skin)
    if source.stills or detector:
        return ImageSearch(detector or HaarCascade(smallest), skin)
    return SpreadSearch(HaarCascade(smallest), skin)
