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
from fer_edge.device.detection.image_search import ImageSearch
from fer_edge.device.detection.search import SpreadSearch
from fer_edge.device.detection.skin import SkinSegmentation, segmentation
from fer_edge.device.frame import Frame
from fer_edge.device.results import Counters, Face, FrameResult, make_face
from fer_edge.device.service.watchdog import Watchdog
from fer_edge.device.sources.base import Source
from fer_edge.device.sources.grabber import LatestFrame
from fer_edge.device.tracking.tracker import Track, Tracker
from fer_edge.runtime import TFLiteModel


class Pipeline:
    """Runs a source through the loop; iterate it for one `FrameResult` per picture.

    A live source is read in a thread of its own, and pictures that come while the worker is busy are
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
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """Set up the loop.

        Args:
            source: where pictures come from.
            classifiers: one model, or several whose probabilities are averaged.
            skin: ``static`` looks for small faces mainly where skin is, ``off`` everywhere.
            smallest: side of the smallest face looked for, in pixels of the picture.
            detector: what finds faces, by default the Haar cascade.
            stop: asked before each picture, and while waiting for one, whether to end.

        Raises:
            ModelFileError: the labels of the models differ.
            MissingExtraError: the cascade's data are not installed.
        """
        self._source = source
        self._ensemble = Ensemble(classifiers)
        self._search = _search(source, detector, segmentation(skin, smallest), smallest)
        # In unrelated images one detection has to be enough, and no face has the number of another.
        self._tracker = Tracker(min_hits=1, max_age_s=0) if source.stills else Tracker()
        self._stop = stop
        self._watchdog = Watchdog()
        self._shape: tuple[int, ...] = ()
        self._processed = self._skipped = self._full_searches = 0
        self._stack = contextlib.ExitStack()
        self._latest: LatestFrame | None = None

    @property
    def dropped(self) -> int:
        """Pictures of a live source that came while the worker was busy."""
        return self._latest.dropped if self._latest else 0

    @property
    def counters(self) -> Counters:
        """What happened to the pictures so far."""
        latest = self._latest
        skipped = self._skipped + (latest.skipped if latest else self._source.skipped)
        return Counters(
            captured=latest.captured if latest else self._processed + self._skipped,
            processed=self._processed,
            dropped=self.dropped,
            skipped=skipped,
            restarts=latest.restarts if latest else 0,
            full_searches=self._full_searches,
        )

    def __enter__(self) -> Self:
        if self._source.live:
            self._latest = self._stack.enter_context(LatestFrame(self._source, self._stop, self._watchdog.beat))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()
        self._watchdog.stopping()

    def __iter__(self) -> Iterator[FrameResult]:
        """Deliver the results in the order of the pictures; raises SourceError as the source does."""
        frames: Iterable[Frame] = self._latest or self._source
        asked = perf_counter()
        for frame in frames:
            if self._stop():
                return
            if not self._is_usable(frame):
                continue
            captured = perf_counter()
            found = self._search.find(frame, self._tracker.tracks)
            detected = perf_counter()
            tracks = self._tracker.update(found.detections, frame.time)
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
            yield FrameResult(frame.index, frame.time, faces, timings, frame, found.searched, found.full)
            self._watchdog.beat()
            # The name would keep the picture's memory from being used for the one that comes now.
            del frame
            asked = perf_counter()

    def _is_usable(self, frame: Frame) -> bool:
        """Leave out empty pictures, and begin anew where the size of the pictures changes."""
        if not frame.y.size:
            self._skipped += 1
            return False
        if frame.y.shape != self._shape:
            self._shape = frame.y.shape
            self._tracker.reset()
            self._search.reset()
        return True

    def _classify(self, frame: Frame, track: Track) -> Face:
        scores = self._ensemble.scores(frame.y, track.box)
        shown = self._tracker.add_scores(track, scores)
        return make_face(track.id, track.box, self._ensemble.labels, shown.scores, shown.label, track.landmarks)


def _search(source: Source, detector: FaceDetector | None, skin: SkinSegmentation, smallest: int) -> Search:
    """Choose how to search: photos and foreign detectors picture by picture, films with what is known already."""
    if source.stills or detector:
        return ImageSearch(detector or HaarCascade(smallest), skin)
    return SpreadSearch(HaarCascade(smallest), skin)
