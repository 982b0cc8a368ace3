"""``fer-edge serve``."""

from __future__ import annotations

from pathlib import Path

import click

from fer_edge.commands.usage import as_usage_error
from fer_edge.device.commands.options import ListenAddress, models_option, serving_options
from fer_edge.device.outputs.address import Listen
from fer_edge.device.web.serving import DEFAULT_LISTEN, Serving, require_packages
from fer_edge.lazy import require


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
    with as_usage_error():
        serving = Serving(listen, token, tls_cert, tls_key)
    require("cv2", "device")
    require_packages()
    from fer_edge.device.web.serve import serve_page

    serve_page(serving, models, lambda url: click.echo(f"live page: {url} (Ctrl-C ends it)", err=True))
