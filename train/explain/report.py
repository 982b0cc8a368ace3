"""The report: one HTML page that needs no other file, for light and dark screens."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_edge.model_file import file_hash
from fer_edge.train.explain.network import Network
from fer_edge.train.explain.pictures import Picture

STYLE = """
:root { color-scheme: light dark; --paper: #fff; --ink: #1c2024; --soft: #5b636c; --line: #d9dde2; --bar: #3b76b5 }
@media (prefers-color-scheme: dark) {
  :root { --paper: #15181c; --ink: #d7dce2; --soft: #98a1ab; --line: #343a41; --bar: #6ba3dc }
}
body { margin: 0 auto; max-width: 70rem; padding: 1.5rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.2rem; margin: 2.5rem 0 .5rem }
h2 { border-top: 1px solid var(--line); padding-top: 1rem } h3 { font-size: 1rem; margin: 1.5rem 0 .5rem }
figure { margin: 0 0 1.5rem } figure img { display: block; max-width: 100%; height: auto }
figcaption { max-width: 48rem; margin-top: .5rem; color: var(--soft); font-size: .9rem }
.meta { color: var(--soft); font-size: .9rem; overflow-wrap: anywhere; margin: .25rem 0 0 }
table { border-collapse: collapse; font-size: .9rem } td { padding: .1rem .8rem .1rem 0 }
td.bar { width: 12rem } td.bar div { background: var(--bar); height: .7rem } td.number { text-align: right }
"""


@dataclasses.dataclass(frozen=True)
class Plate:
    """One picture of the report.

    Attributes:
        kind: ``filters``, ``activations``, ``saliency`` or ``dream``.
        picture: name of the `Picture` it belongs to; empty if it belongs to the model.
        file: name of its PNG file.
        title: heading.
        caption: what it shows, and what it does not prove.
        light: PNG for light pages, the one that is also written as a file.
        dark: PNG for dark pages.
    """

    kind: str
    picture: str
    file: str
    title: str
    caption: str
    light: bytes
    dark: bytes


def report_html(
    network: Network, pictures: Sequence[Picture], scores: NDArray[np.float32], plates: Sequence[Plate]
) -> str:
    """Return the page.

    Args:
        network: the explained model.
        pictures: the faces it was shown.
        scores: pictures x classes, its probabilities.
        plates: what was drawn.
    """
    info, path = network.info, network.path
    colour = "grey" if info.channels == 1 else "RGB"
    parts = [
        f"<h1>{escape(path.name)}: what it looks at</h1>",
        f'<p class="meta">{escape(info.name)}, {info.input_size}×{info.input_size} {colour} pixels, '
        f"{len(info.labels)} classes ({escape(', '.join(info.labels))}). SHA-256 {file_hash(path)}.</p>",
        "<p>These pictures help to notice what a model does. They are no proof that it does it for a good reason, and "
        "they say nothing about what the person in a picture feels.</p>",
    ]
    of_model = [plate for plate in plates if not plate.picture]
    if of_model:
        parts += ["<h2>The model</h2>", *map(_figure, of_model)]
    for picture, row in zip(pictures, scores, strict=True):
        note = f": {picture.note}" if picture.note else ""
        parts += [
            f"<h2>{escape(picture.name)}</h2>",
            f'<p class="meta">{escape(_shown(picture.source) + note)}</p>',
            _scores(info.labels, row),
        ]
        parts += [_figure(plate) for plate in plates if plate.picture == picture.name]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(path.name)}: what it looks at</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def _figure(plate: Plate) -> str:
    return (
        f'<figure><h3>{escape(plate.title)}</h3><picture><source media="(prefers-color-scheme: dark)" '
        f'srcset="{_inline(plate.dark)}"><img src="{_inline(plate.light)}" alt="{escape(plate.title)}"></picture>'
        f"<figcaption>{escape(plate.caption)}</figcaption></figure>"
    )


def _scores(labels: Sequence[str], scores: NDArray[np.float32]) -> str:
    rows = [
        f'<tr><td>{escape(labels[i])}</td><td class="bar"><div style="width:{100 * scores[i]:.1f}%"></div></td>'
        f'<td class="number">{100 * scores[i]:.1f} %</td></tr>'
        for i in np.argsort(-scores, kind="stable")
    ]
    return f"<table>{''.join(rows)}</table>"


def _shown(source: str) -> str:
    """A file by its name only: a report is passed on, and where it was made is nobody's business."""
    return Path(source).name if Path(source).is_file() else source


def _inline(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
