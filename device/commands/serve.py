"""``fer-edge serve``."""

from __future__ import annotations

from pathlib import Path

import click

from fer_edge.commands.logs import logging_options
from fer_edge.commands.usage import as_usage_error
from fer_edge.device.commands.options import ListenAddress, Page, detector_options, models_option, serving_options
from fer_edge.device.outputs.address import Listen
from fer_edge.device.web.serving import DEFAULT_LISTEN, Serving, require_packages
from fer_edge.lazy import require


@click.command()
@click.argument("listen", metavar="[[HOST:]PORT]", type=ListenAddress(), default=str(DEFAULT_LISTEN))
@models_option
@detector_options
@serving_options
@logging_options
def serve(
    listen: Listen,
    models: tuple[Path, ...],
    detector: str,
    detector_model: Path | None,
    token: str | None,
    tls_cert: Path | None,
    tls_key: Path | None,
) -> None:
    """Serve the live page without a camera: it works with photos and with the browser's own camera.

    The address is 127.0.0.1:8080 unless given. Any other host than this machine itself needs a token, which is kept in
    the file that is named, and browsers give their camera only on localhost or over TLS. Ends on Ctrl-C or SIGTERM.
    """
    with as_usage_error():
        page = Page(listen, token)
        serving = Serving(listen, page.token, tls_cert, tls_key)
    require("cv2", "device")
    require_packages()
    from fer_edge.device.detection.choice import DetectorChoice
    from fer_edge.device.web.serve import serve_page

    with as_usage_error():
        chosen = DetectorChoice(detector, detector_model)
    serve_page(serving, models, lambda url: page.say(url, " (Ctrl-C ends it)"), chosen)
