"""Live in a real Chromium."""

import base64

import numpy as np
import pytest

from tests.device.web.browser.browsing import DESKTOP, LoopWithPage, as_picture, opened, settle, until
from tests.device.web.conftest import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


SNAPSHOT = """() => {
  const canvas = document.querySelector('#picture');
  const cards = [...document.querySelectorAll('.person')].map((card) =>
    [Number(card.dataset.person), card.querySelector('strong').textContent.replace('?', '')]);
  return {frame: Number(canvas.dataset.frame), cards, url: canvas.toDataURL('image/png')};
}"""


def snapshot(page):
    taken = page.evaluate(SNAPSHOT)
    return taken["frame"], dict(taken["cards"]), as_picture(base64.b64decode(taken["url"].partition(",")[2]))


def outlined(shown, sent, box, scale):
    """Return how much the edges of a box and its inside differ from the picture that was sent."""
    x, y, w, h = (round(value * scale) for value in box)
    difference = np.abs(shown.astype(int) - sent).max(axis=2)
    rows, columns = slice(y + h // 4, y + 3 * h // 4), slice(x + w // 4, x + 3 * w // 4)
    left, right = (difference[rows, at - 1 : at + 2].max(axis=1).mean() for at in (x, x + w))
    lower = difference[y + h - 1 : y + h + 2, columns].max(axis=0).mean()
    return min(left, right, lower), difference[rows, columns].mean()


@pytest.mark.parametrize("clip", ["demo:live", "webcam_cap12.mp4"])
def test_live_shows_the_picture_its_boxes_and_its_labels(browser, model_path, shared_video, clip):
    spec = clip if clip == "demo:live" else str(shared_video(clip))
    boxes = []
    with LoopWithPage(spec, model_path) as loop, opened(browser, loop.port, "live", viewport=DESKTOP) as watched:
        settle(watched.page, "live")
        for _ in range(8):
            frame, cards, picture = snapshot(watched.page)
            line = loop.lines[frame]
            assert cards == {face["id"]: face["label"] for face in line["faces"]}
            (received,) = [one for one in watched.received if one["frame"] == frame]
            assert received["faces"] == line["faces"]
            scale = picture.shape[1] / received["size"][0]
            for face in line["faces"]:
                edge, inside = outlined(picture, as_picture(watched.pictures[frame]), face["box"], scale)
                assert edge > 40 > 5 > inside
                boxes.append(tuple(face["box"]))
            until(watched.page, f"document.querySelector('#picture').dataset.frame > {frame + 8}")
        assert watched.page.text_content("#fps") != "–"
    assert len(boxes) >= 6
    assert len(set(boxes)) > 3  # it moves


def test_nobody_watches_any_more_once_the_browser_is_closed(browser, model_path):
    with LoopWithPage("demo:live", model_path) as loop:
        with opened(browser, loop.port, "live") as watched:
            settle(watched.page, "live")
        before = len(loop.lines)
        wait_for(lambda: len(loop.lines) > before + 5)
        with opened(browser, loop.port, "live") as watched:
            settle(watched.page, "live")  # and again
