"""Where the loop's processor time goes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from films import Clip

from fer_edge.device.classify import open_models
from fer_edge.device.opencv import cv2
from fer_edge.device.pipeline import Pipeline

CALIBRATION = 5000
"""Calls from which the cost of a clock is learned."""


def loop_overhead(clip: Clip, model: Path) -> dict[str, float]:
    """Run the loop once more and take the time of its parts apart.

    Returns:
        Shares of the loop's processor time: ``cascade``, ``resize`` and ``inference``; ``convert``, the colours of
        the source's pictures; ``follow``, template matching; ``overhead``, which is all
        else. What the clocks cost is taken out.
    """
    seconds: Counter[str] = Counter()
    calls: Counter[str] = Counter()

    def timed(stage: str, inner: Callable[..., Any]) -> Callable[..., Any]:
        def outer(*args: Any, **kwargs: Any) -> Any:
            start = time.process_time()
            try:
                return inner(*args, **kwargs)
            finally:
                seconds[stage] += time.process_time() - start
                calls[stage] += 1

        return outer

    class Timed:
        def __init__(self, inner: Any, stage: str, *names: str) -> None:
            self._inner = inner
            self.__dict__.update({name: timed(stage, getattr(inner, name)) for name in names})

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inner, name)

    (classifier,) = open_models([model])
    classifier.interpreter = Timed(classifier.interpreter, "inference", "invoke")
    functions = {"resize": "resize", "cvtColor": "convert", "extractChannel": "convert", "matchTemplate": "follow"}
    before = {name: getattr(cv2, name) for name in ("CascadeClassifier", *functions)}
    try:
        cascade = before["CascadeClassifier"]
        cv2.CascadeClassifier = lambda: Timed(cascade(), "cascade", "detectMultiScale", "detectMultiScale2")
        for name, stage in functions.items():
            setattr(cv2, name, timed(stage, before[name]))
        with Pipeline(clip, [classifier]) as pipeline:
            cpu = time.process_time()
            for _ in pipeline:
                pass
            cpu = time.process_time() - cpu - clip.decoding
    finally:
        for name, original in before.items():
            setattr(cv2, name, original)
    # The clock is a system call, and dozens of them in a picture would be taken for the loop's own work.
    idle, start = timed("clock", lambda: None), time.process_time()
    for _ in range(CALIBRATION):
        idle()
    outside = (time.process_time() - start) / CALIBRATION
    inside = seconds.pop("clock") / calls.pop("clock")
    cpu -= outside * sum(calls.values())
    shares = {stage: (spent - inside * calls[stage]) / cpu for stage, spent in seconds.items()}
    return {**shares, "overhead": 1 - sum(shares.values())}
