"""The pages: hand-written HTML fragments in one frame, and the files beside them."""

from __future__ import annotations

import dataclasses
import hashlib
import html
import json
import re
from pathlib import Path

import fer_edge
from fer_edge.text import printable

FOLDER = Path(__file__).parent
PAGES = {"live": "Live", "photo": "Photo", "practice": "Practice", "chart": "Chart", "device": "Device"}
"""Name of the page (its HTML, its script) -> its title, in the order of the navigation; the first is at ``/``."""


@dataclasses.dataclass(frozen=True)
class Facts:
    """What every page says about this server.

    Attributes:
        model: name of the model.
        accuracy: how often it is right, in words.
        labels: the expressions, in the model's order.
        camera: whether the server has one of its own.
        source: its name.
    """

    model: str
    accuracy: str
    labels: tuple[str, ...]
    camera: bool
    source: str = ""


def address(name: str) -> str:
    """Return the path of a page."""
    return "/" if name == next(iter(PAGES)) else f"/{name}"


def render(name: str, facts: Facts) -> str:
    """Return a page as HTML."""
    links = "\n".join(
        f'<a href="{address(other)}"{" aria-current=page" if other == name else ""}>{title}</a>'
        for other, title in PAGES.items()
    )
    settings = {"labels": facts.labels, "camera": facts.camera, "source": printable(facts.source)}
    return _fill(
        "frame.html",
        title=PAGES[name],
        links=links,
        settings=html.escape(json.dumps(settings)),
        main=(FOLDER / "pages" / f"{name}.html").read_text(encoding="utf-8"),
        script=f'<script type="module" src="/static/{name}.js"></script>',
        model=html.escape(printable(facts.model)),
        accuracy=html.escape(facts.accuracy),
        version=html.escape(fer_edge.__version__),
    )


def render_refusal() -> str:
    """Return the page that asks for the token."""
    return _fill("token.html")


def _fill(file: str, **values: str) -> str:
    """Replace ``{{name}}`` in an HTML file."""
    text = (FOLDER / "pages" / file).read_text(encoding="utf-8")
    # In one pass, so that a value that holds such a name, as a label may, stays as it is.
    return re.sub(r"\{\{(\w+)\}\}", lambda found: values[found[1]], text)


@dataclasses.dataclass(frozen=True)
class Asset:
    """A file beside the pages: its bytes, media type and entity tag."""

    body: bytes
    media_type: str
    tag: str


MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def load_assets() -> dict[str, Asset]:
    """Return the files of the folder ``static`` by name; they are small, and in memory nobody can leave the folder."""
    assets = {}
    for path in (FOLDER / "static").iterdir():
        if path.suffix in MEDIA_TYPES:
            body = path.read_bytes()
            assets[path.name] = Asset(body, MEDIA_TYPES[path.suffix], f'"{hashlib.sha256(body).hexdigest()[:16]}"')
    return assets
