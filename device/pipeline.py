"""The device loop: capture, regions, detect, track, classify, emit."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from time import perf_counter
from types import TracebackType
from typing import Protocol, Self

from fer_edge.device.cascade import SMALLEST, Detection, HaarCascade
from fer_edge.device.classify import Ensemble
from fer_edge.device.frame import Frame
from fer_edge.device.handover import LatestFrame
from fer_edge.device.results import Face, FrameResult, make_face
from fer_edge.device.skin import Regions, segmentation
from fer_edge.device.sources.base import Source
from fer_edge.device.tracks import Track, Tracker
from fer_edge.runtime import TFLiteModel


class FaceDetector(Protocol):
    """Finds faces in one picture."""

    def detect(self, frame: Frame, regions: Regions) -> list[Detection]:
        """Return the faces left to right; `regions` says where small ones need be looked for."""


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
        self._skin = segmentation(skin, smallest)
        self._detector = detector or HaarCascade(smallest)
        # Unrelated pictures give a face one chance to be believed, and its number to nobody else.
        self._tracker = Tracker(believed=0, remembered=0) if source.stills else Tracker()
        self._stop = stop
        self._stack = contextlib.ExitStack()
        self._latest: LatestFrame | None = None

    @property
    def dropped(self) -> int:
        """Pictures of a live source that came while the worker was busy."""
        return self._latest.dropped if self._latest else 0

    def __enter__(self) -> Self:
        if self._source.live:
            self._latest = self._stack.enter_context(LatestFrame(self._source, self._stop))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()

    def __iter__(self) -> Iterator[FrameResult]:
        """Deliver the results in the order of the pictures; raises SourceError as the source does."""
        frames: Iterable[Frame] = self._latest or self._source
        asked = perf_counter()
        for frame in frames:
            if self._stop():
                return
            captured = perf_counter()
            regions = self._skin.propose(frame, [track.box for track in self._tracker.tracks])
            proposed = perf_counter()
            detections = self._detector.detect(frame, regions)
            detected = perf_counter()
            tracks = self._tracker.update(detections, frame.time)
            faces = tuple(self._classify(frame, track) for track in tracks)
            classified = perf_counter()
            timings = {
                "capture": captured - asked,
                "skin": proposed - captured,
                "detect": detected - proposed,
                "classify": classified - detected,
                "total": classified - captured,
            }
            yield FrameResult(frame.index, frame.time, faces, timings, frame)
            asked = perf_counter()

    def _classify(self, frame: Frame, track: Track) -> Face:
        scores = self._ensemble.scores(frame.y, track.box)
        return make_face(track.id, track.box, self._ensemble.labels, self._tracker.add_scores(track, scores))
