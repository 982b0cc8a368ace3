"""The ASGI application: which address is answered by what."""

from __future__ import annotations

import contextlib
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

import fer_edge
from fer_edge.device.detection.choice import HAAR, DetectorChoice
from fer_edge.device.web.about import About, Examination, stated_accuracy
from fer_edge.device.web.camera import CameraDesk
from fer_edge.device.web.hub import Hub, Kind
from fer_edge.device.web.pages import FOLDER, PAGES, Facts, address, load_assets, render, render_refusal
from fer_edge.device.web.photo import PhotoDesk
from fer_edge.device.web.security import Guard
from fer_edge.device.web.serving import Serving
from fer_edge.device.web.streams import Stream, watch
from fer_edge.model_file import read_info

_log = logging.getLogger(__name__)


def make_app(
    serving: Serving, models: Sequence[Path], hub: Hub | None, source: str | None, detector: DetectorChoice = HAAR
) -> ASGIApp:
    """Make the application.

    Args:
        serving: address and token.
        models: the model files.
        hub: results of the server's own loop; None without one, and then browsers may send their camera's pictures.
        source: name of what that loop reads.
        detector: what finds faces in visitors' photos and cameras.

    Raises:
        ModelFileError: a model cannot be read.
    """
    info = read_info(models[0])
    name = " + ".join(path.stem for path in models)
    accuracy = stated_accuracy(info) if len(models) == 1 else "accuracy of the average not measured"
    facts = Facts(name, accuracy, info.labels, hub is not None, source or "")
    photos, cameras = PhotoDesk(models, detector), CameraDesk(models, detector)
    about, examination = About(models), Examination(models[0], source)

    async def device(request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(about.facts))

    async def doctor(request: Request) -> Response:
        return JSONResponse(await examination.findings(anew=request.method == "POST"))

    async def watch_loop(websocket: WebSocket) -> None:
        assert hub is not None
        await watch(websocket, hub)

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        photos.close()
        cameras.close()

    routes: list[BaseRoute] = [
        *(Route(address(page), _page(render(page, facts))) for page in PAGES),
        Route("/static/{name}", _static()),
        Route("/openapi.json", _openapi),
        Route("/api/photo", photos.answer, methods=["POST"]),
        Route("/api/device", device),
        Route("/api/doctor", doctor, methods=["GET", "POST"]),
    ]
    if hub:
        routes += [
            Route("/api/events", Stream(hub, Kind.RESULTS), methods=["GET"]),
            Route("/api/stream.mjpg", Stream(hub, Kind.DRAWN), methods=["GET"]),
            WebSocketRoute("/api/live", watch_loop),
        ]
    else:
        routes.append(WebSocketRoute("/api/camera", cameras.serve))
    handlers = {HTTPException: _say, Exception: _say_internal}
    app = Starlette(routes=routes, exception_handlers=handlers, lifespan=lifespan)  # type: ignore[arg-type]
    return Guard(app, serving, render_refusal())


def _static() -> Callable[[Request], Awaitable[Response]]:
    assets = load_assets()

    async def static(request: Request) -> Response:
        asset = assets.get(request.path_params["name"])
        if asset is None:
            raise HTTPException(404, "no such file")
        # A browser asks each time whether its copy is still the same, which that of another version is not.
        headers = {"ETag": asset.tag, "Cache-Control": "no-cache"}
        if request.headers.get("if-none-match") == asset.tag:
            return Response(None, 304, headers)
        return Response(asset.body, 200, headers, asset.media_type)

    return static


def _page(text: str) -> Callable[[Request], Awaitable[Response]]:
    async def page(request: Request) -> Response:
        return HTMLResponse(text)

    return page


async def _openapi(request: Request) -> Response:
    document = json.loads((FOLDER / "openapi.json").read_text(encoding="utf-8"))
    document["info"]["version"] = fer_edge.__version__
    return JSONResponse(document)


async def _say(request: Request, error: HTTPException) -> Response:
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


async def _say_internal(request: Request, error: Exception) -> Response:
    _log.error("live page, %s: %s: %s", request.url.path, type(error).__name__, " ".join(str(error).split()))
    return JSONResponse({"error": "this server failed at it; its own output says why"}, 500)
