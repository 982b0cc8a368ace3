"""The report as a browser would read it."""

import base64
import re
from html.parser import HTMLParser

import numpy as np
from matplotlib.figure import Figure

from fer_edge.train.explain.figures import STRONGEST, overview_figure
from fer_edge.train.explain.network import stages
from fer_edge.train.explain.pictures import Picture
from fer_edge.train.explain.report import Plate, report_html


class Reader(HTMLParser):
    """Collects what a browser would fetch, and the text."""

    def __init__(self):
        super().__init__()
        self.fetched, self.text, self.open = [], "", []

    def handle_starttag(self, tag, attributes):
        self.fetched += [value for name, value in attributes if name in ("src", "srcset", "href", "data")]
        if tag not in ("meta", "img", "source"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def plate(picture, title):
    return Plate("saliency", picture, "x.png", title, "caption of " + title, b"light " + title.encode(), b"dark")


def test_the_report_needs_no_other_file_and_names_are_text(tflite_network, face):
    name = "<script>alert('x')</script> & co"
    pictures = [Picture(name, f"/secret/folder/{name}", face), Picture("two", "two.png", face)]
    scores = tflite_network.predict(np.stack([face, face]))
    page = report_html(tflite_network, pictures, scores, [plate("", "one"), plate("two", "two"), plate(name, "three")])
    reader = Reader()
    reader.feed(page)
    assert reader.open == []
    assert len(reader.fetched) == 6
    assert all(value.startswith("data:image/png;base64,") for value in reader.fetched)
    assert {base64.b64decode(value.split(",")[1]) for value in reader.fetched} >= {
        b"light one",
        b"light three",
        b"dark",
    }
    assert not re.search(r"url\(|@import|https?://", page)
    assert "<script" not in page
    assert name in reader.text
    assert f"happy{100 * scores[0].max():.1f} %" in reader.text
    assert reader.text.index("caption of one") < reader.text.index("caption of three") < reader.text.index("of two")


def test_a_file_is_shown_without_its_folder(tflite_network, face, tmp_path):
    file = tmp_path / "mine.png"
    file.write_bytes(b"")
    scores = tflite_network.predict(face[None])
    page = report_html(tflite_network, [Picture("mine", str(file), face)], scores, [])
    assert "mine.png" in page
    assert str(tmp_path) not in page


def test_activation_rows_say_how_many_of_how_many_they_show(tflite_network, face):
    layers = stages(tflite_network.layers)
    draw = overview_figure(layers, tflite_network.activations(face, layers))
    figure = Figure()
    draw(figure)
    said = [axes.get_ylabel().splitlines() for axes in figure.axes if axes.get_ylabel()]
    assert [name for name, _ in said] == [layer.name for layer in layers]
    for (_, text), layer in zip(said, layers, strict=True):
        height, width, channels = layer.shape[-3:]
        assert text == f"{min(channels, STRONGEST)} of {channels} maps, {height}×{width}"
