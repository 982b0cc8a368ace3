"""The live page without a loop of its own, until the process is told to stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from fer_edge.device.classify import Ensemble, open_models
from fer_edge.device.detection.choice import HAAR, DetectorChoice
from fer_edge.device.service.signals import StopSignals
from fer_edge.device.service.watchdog import Watchdog
from fer_edge.device.web.server import Server
from fer_edge.device.web.serving import Serving

_POLL_S = 0.2


def serve_page(
    serving: Serving, models: Sequence[Path], report: Callable[[str], None], detector: DetectorChoice = HAAR
) -> None:
    """Serve until SIGINT or SIGTERM; only in the main thread, which hears them.

    Args:
        serving: where, and to whom.
        models: the model files.
        report: told the address once it is answered.
        detector: what finds faces.

    Raises:
        ModelFileError: a model, or that of the detector, cannot be used.
        OutputError: the address or the certificate cannot be used.
    """
    Ensemble(open_models(models))  # refuses models that cannot be used before anybody comes
    detector.open()  # likewise
    with StopSignals() as stop, Server(serving, models, None, None, detector) as server, Watchdog() as watchdog:
        report(server.url)
        while not stop.requested:
            watchdog.beat()
            time.sleep(_POLL_S)
