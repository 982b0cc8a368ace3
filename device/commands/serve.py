"""``fer-edge serve``."""

from __future__ import annotations

import time
from pathlib import Path

import click

from fer_edge.device.commands.options import ListenAddress, models_option
from fer_edge.device.outputs.address import Listen
from fer_edge.device.service.signals import StopSignals
from fer_edge.device.service.watchdog import Watchdog
from fer_edge.device.web.opening import require_packages
from fer_edge.device.web.options import DEFAULT_LISTEN, serving, serving_options
from fer_edge.lazy import require

_POLL = 0.2


@click.command()
@click.argument("listen", metavar="[[HOST:]PORT]", type=ListenAddress(), default=str(DEFAULT_LISTEN))
@models_option
@serving_options
def serve(
    listen: Listen, models: tuple[Path, ...], token: str | None, tls_cert: Path | None, tls_key: Path | None
) -> None:
    """Serve the live page without a camera: it works with photos and with the browser's own camera.

    The address is 127.0.0.1:8080 unless given. Any other host than this machine itself needs a token, which is in the
    address that is printed, and browsers give their camera only on localhost or over TLS. Ends on Ctrl-C or SIGTERM.
    """
    wanted = serving(listen, token, tls_cert, tls_key)
    assert wanted is not None
    require("cv2", "device")
    require_packages()
    from fer_edge.device.classify import Ensemble, open_models
    from fer_edge.device.web.server import Server

    Ensemble(open_models(models))  # refuses models that cannot be used before anybody comes
    watchdog = Watchdog()
    with StopSignals() as stop, Server(wanted, models, None, None) as server:
        click.echo(f"live page: {server.url} (Ctrl-C ends it)", err=True)
        while not stop.requested:
            watchdog.beat()
            time.sleep(_POLL)
    watchdog.stopping()
