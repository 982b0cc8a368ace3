"""The report of an analysis: one HTML page that needs nothing else, with plots as SVG."""

from __future__ import annotations

import html
import io
from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from fer_edge.device.archive.summary import BINS, Overview
from fer_edge.lazy import require

CAVEAT = (
    "The labels classify expressions as annotators of data sets saw them. They are not what a person feels. In the EU, "
    "inferring emotions at work and in education is prohibited (AI Act, Art. 5(1)(f))."
)
STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}table{border-collapse:collapse}"
    "td,th{padding:.2rem .8rem .2rem 0;text-align:left;overflow-wrap:anywhere;vertical-align:top}"
    "svg{max-width:100%;height:auto}.note{color:#555;font-size:.9rem}"
)
COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#666666", "#000000")
"""Okabe and Ito's palette, which readers with any colour vision can tell apart (Color Universal Design, 2008)."""


def render(overview: Overview, settings: Mapping[str, Any]) -> str:
    """Return the page.

    Args:
        overview: what to show.
        settings: models, detector and sampling, as the plan has them.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    count = sum(overview.faces.values())
    failed = sum(overview.files.values()) - overview.files["read"]
    facts = {
        "files": f"{sum(overview.files.values()):,}" + (f", {failed:,} of them not read to the end" if failed else ""),
        "images and frames": f"{overview.frames:,}",
        "faces": f"{count:,}" + (f", {overview.uncertain:,} of them uncertain" if overview.uncertain else ""),
        "models": ", ".join(settings["models"]),
        "detector": settings["detector"],
        "videos": f"a frame every {settings['every']:g} s" if settings["every"] else "every frame",
    }
    sections = [("Overview", _table(facts))]
    if count:
        sections += _plots(overview)
    if overview.failures:
        shown = f"The first {len(overview.failures)} of {failed:,}." if failed > len(overview.failures) else ""
        sections.append(("Not read to the end", _table(dict(overview.failures)) + f"<p class=note>{shown}</p>"))
    body = "".join(f"<h2>{title}</h2>{content}" for title, content in sections)
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>fer-edge analysis</title><style>{STYLE}</style>"
        f"<h1>Faces and expressions of an archive</h1>{body}<p class=note>{CAVEAT}</p></html>\n"
    )


def _table(rows: Mapping[str, str]) -> str:
    cells = (f"<tr><th>{html.escape(name)}<td>{html.escape(value)}" for name, value in rows.items())
    return f"<table>{''.join(cells)}</table>"


def _plots(overview: Overview) -> list[tuple[str, str]]:
    labels = overview.labels
    found = [
        ("Share of each expression", _bars(labels, [overview.faces[label] for label in labels])),
        ("Scores of the labels", _scores(overview)),
    ]
    if len(overview.minutes) > 1:
        found.append(("Faces by minute of the videos", _minutes(overview.minutes)))
    for title, counts in (("By file, those with the most faces", overview.per_file), ("By track", overview.per_track)):
        if counts:
            found.append((title, _stacked(counts, labels)))
    return found


def _axes(height: float) -> tuple[Any, Any]:
    figure = require("matplotlib.figure", "archive").Figure(figsize=(8, height), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _svg(figure: Any) -> str:
    sink = io.StringIO()
    matplotlib = require("matplotlib", "archive")
    with matplotlib.rc_context({"svg.hashsalt": "fer-edge", "svg.fonttype": "none"}):
        figure.savefig(sink, format="svg", metadata={"Date": None})
    page = sink.getvalue()
    return page[page.index("<svg") :]


def _plain(name: str) -> str:
    """Keep matplotlib from taking what is between dollar signs for a formula."""
    return name.replace("$", r"\$")


def _bars(labels: tuple[str, ...], counts: list[int]) -> str:
    figure, axes = _axes(0.3 * len(labels) + 0.8)
    shares = 100 * np.array(counts) / max(sum(counts), 1)
    bars = axes.barh([_plain(label) for label in labels], shares, color=[_colour(at) for at in range(len(labels))])
    axes.bar_label(bars, [f"{share:.1f} % ({count:,})" for share, count in zip(shares, counts, strict=True)], padding=4)
    axes.invert_yaxis()
    axes.set_xlabel("share of the faces, %")
    axes.margins(x=0.2)
    return _svg(figure)


def _scores(overview: Overview) -> str:
    figure, axes = _axes(2.4)
    edges = np.linspace(0, 1, BINS + 1)
    axes.bar(edges[:-1], overview.scores, np.diff(edges), align="edge", color=COLOURS[0], edgecolor="white")
    axes.set(xlabel="score of the label", ylabel="faces", xlim=(0, 1))
    return _svg(figure)


def _minutes(minutes: Counter[int]) -> str:
    figure, axes = _axes(2.4)
    last = max(minutes)
    axes.step(range(last + 1), [minutes[minute] for minute in range(last + 1)], where="post", color=COLOURS[0])
    axes.set(xlabel="minute of the video", ylabel="faces", ylim=(0, None))
    return _svg(figure)


def _stacked(counts: Mapping[str, Counter[str]], labels: tuple[str, ...]) -> str:
    figure, axes = _axes(0.28 * len(counts) + 1.2)
    names = [_plain(_short(name)) for name in counts]
    places = range(len(names))
    left = np.zeros(len(names))
    for at, label in enumerate(labels):
        widths = np.array([100 * count[label] / max(count.total(), 1) for count in counts.values()])
        axes.barh(places, widths, left=left, color=_colour(at), label=_plain(label))
        left += widths
    axes.set_yticks(places, [f"{name} ({count.total():,})" for name, count in zip(names, counts.values(), strict=True)])
    axes.invert_yaxis()
    axes.set(xlabel="share of the faces, %", xlim=(0, 100))
    axes.legend(ncols=min(len(labels), 4), loc="lower center", bbox_to_anchor=(0.5, 1), frameon=False)
    return _svg(figure)


def _colour(at: int) -> str:
    return COLOURS[at % len(COLOURS)]


def _short(name: str, most: int = 40) -> str:
    return name if len(name) <= most else f"…{name[1 - most :]}"
