"""The library form of ``fer-edge run``: its configuration, and the run with its outputs and summary."""

from fer_edge.device.run.config import RunConfig
from fer_edge.device.run.loop import Run, run

__all__ = ["Run", "RunConfig", "run"]
