"""Photo in a real Chromium."""

import base64

import cv2
import numpy as np
import pytest

from tests.device.web.browser.browsing import DESKTOP, Watched, as_picture, opened, until
from tests.device.web.conftest import jpeg

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


def test_photo_of_seven_people_and_the_annotated_copy(browser, bare, seven, tmp_path):
    path = tmp_path / "seven.jpg"
    path.write_bytes(seven)
    with opened(browser, bare, "photo", viewport=DESKTOP) as watched:
        page = watched.page
        page.set_input_files("#file", path)
        page.wait_for_selector("#download:visible")
        assert page.locator(".person").count() == 7
        assert "7 faces" in page.text_content("#message")
        with page.expect_download() as file:
            page.click("#download")
        assert file.value.suggested_filename == "seven-faces.jpg"
        annotated, original = as_picture(file.value.path().read_bytes()), as_picture(seven)
        assert annotated.shape == original.shape
        assert (np.abs(annotated.astype(int) - original).max(axis=2) > 80).sum() > 7 * 400


@pytest.mark.parametrize("how", ["drop", "paste"])
def test_a_photo_is_dropped_or_pasted(browser, bare, seven, how):
    give = """([data, how]) => {
      const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], 'party.jpg', {type: 'image/jpeg'}));
      document.dispatchEvent(how === 'paste' ? new ClipboardEvent('paste', {clipboardData: transfer})
        : new DragEvent('drop', {dataTransfer: transfer, bubbles: true, cancelable: true}));
    }"""
    with opened(browser, bare, "photo") as watched:
        watched.page.evaluate(give, [base64.b64encode(seven).decode(), how])
        watched.page.wait_for_selector("#download:visible")
        assert watched.page.locator(".person").count() == 7


def test_a_picture_is_taken_with_the_camera(browser, bare):
    with opened(browser, bare, "photo") as watched:
        watched.page.click("#take")
        watched.page.click("#shoot")
        watched.page.wait_for_selector("#download:visible")
        assert watched.page.locator(".person").count() == 1


def test_photos_that_are_none_and_too_large_ones(browser, bare, seven, bomb, portrait, tmp_path):
    big = cv2.resize(portrait, (3840, 5184), interpolation=cv2.INTER_LINEAR)
    noise = np.random.default_rng(1).integers(0, 60, big.shape, np.uint8)
    files = {
        "notes.jpg": (b"shopping list\n" * 50, "no JPEG, PNG or WebP picture"),
        "truncated.jpg": (seven[: len(seven) // 2], "cut off or damaged"),
        "bomb.png": (bomb, "400 million pixels"),
        "twenty.jpg": (jpeg(cv2.add(big, noise)), " ms."),
        "again.jpg": (seven, "7 faces"),
    }
    assert len(files["twenty.jpg"][0]) > 4 * 1024 * 1024
    watched = Watched(browser)
    page = watched.page
    page.goto(f"http://127.0.0.1:{bare}/photo")
    for name, (data, words) in files.items():
        path = tmp_path / name
        path.write_bytes(data)
        page.set_input_files("#file", path)
        until(page, f"document.querySelector('#message').textContent.includes('{words}')")
    # The browser notes each answer of 400 and more on its console by itself.
    assert all("Failed to load resource" in error for error in watched.errors)
    watched.close()
