"""Clips as sources that know how long decoding took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from baselines import Picture

from fer_edge.device.frame import Converter, Frame
from fer_edge.device.opencv import cv2
from fer_edge.device.sources import Source
from fer_edge.device.sources.demo import DemoSource

LOOPED = "intel_asl_again.mkv"
"""The clip of one face at 640 x 480, which is short and therefore looped."""


class Clip(Source):
    """The pictures of a film, and the processor time that decoding them took."""

    def __init__(self, path: Path | None, frames: int) -> None:
        """Take a video file, or None for the demo film, and at most that many pictures."""
        self.name = path.name if path else "demo"
        self._path, self._frames = path, frames
        self.decoding = self.converting = 0.0
        self.rate = 30.0 if path is None else _open(path).get(cv2.CAP_PROP_FPS) or 25.0

    def pictures(self) -> Iterator[tuple[float, Picture]]:
        """Yield time and picture, which the next one overwrites; the clock for decoding runs in here only."""
        shown = 0
        round_start = 0.0
        while shown < self._frames:
            before = shown
            for seconds, bgr in self._once():
                yield round_start + seconds, bgr
                shown += 1
                if shown == self._frames:
                    return
            if self.name != LOOPED or shown == before:
                return
            round_start += seconds + 1 / self.rate

    def _once(self) -> Iterator[tuple[float, Picture]]:
        if self._path is None:
            demo, index = DemoSource(), 0
            bgr = demo.picture(0.0)
            while True:
                start = time.process_time()
                np.copyto(bgr, demo.picture(index / 30))
                self.decoding += time.process_time() - start
                yield index / 30, bgr
                index += 1
        capture, index, bgr = _open(self._path), 0, None
        while True:
            start = time.process_time()
            ok, bgr = capture.read(bgr)
            self.decoding += time.process_time() - start
            if not ok:
                return
            yield index / self.rate, bgr
            index += 1

    def __iter__(self) -> Iterator[Frame]:
        """Convert as the sources of the loop do."""
        converter = Converter()
        for index, (seconds, bgr) in enumerate(self.pictures()):
            start = time.process_time()
            frame = converter.convert(bgr, seconds, index)
            self.converting += time.process_time() - start
            yield frame
            del frame


def _open(path: Path) -> Any:
    """Open a video with one decoding thread: others would work ahead while the loop's time is taken."""
    return cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])
