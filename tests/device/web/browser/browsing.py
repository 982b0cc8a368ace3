"""What the tests in a real browser need: Chromium, films for its camera, a loop with a page, axe-core."""

import contextlib
import functools
import json
import shutil
import struct
import subprocess
import tarfile
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_edge.device.classify import open_models
from fer_edge.device.outputs.address import Listen
from fer_edge.device.pipeline import Pipeline
from fer_edge.device.sources import open_source
from fer_edge.device.sources.wrappers import Paced, Repeated
from fer_edge.device.web.live import LivePage
from fer_edge.device.web.pages import address
from fer_edge.device.web.serving import Serving
from tests.device.web.conftest import answers, free_port, wait_for

CHROMIUM = "/usr/bin/chromium"
AXE = "axe-core@4.10.3"
CACHE = Path.home() / ".cache" / "fer-edge-tests"

FAKE_CAMERA = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")


@contextlib.contextmanager
def chromium(*arguments):
    """Start Chromium; skip the test where there is none."""
    api = pytest.importorskip("playwright.sync_api", reason="needs the Python package playwright")
    if not Path(CHROMIUM).exists():
        pytest.skip("needs Debian's Chromium: sudo apt install chromium")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *arguments])
        yield browser
        browser.close()


def film(path, pictures):
    """Write a film for Chromium's fake camera, which plays it again and again: JPEG after JPEG."""
    path.write_bytes(b"".join(cv2.imencode(".jpg", bgr)[1].tobytes() for bgr in pictures))
    return path


@functools.cache
def axe_source():
    """Return axe-core's script, fetched once from the npm registry; skip the test where that cannot be."""
    script = CACHE / AXE / "package" / "axe.min.js"
    if not script.exists():
        if shutil.which("npm") is None:
            pytest.skip("needs axe-core, which npm fetches: sudo apt install npm")
        script.parent.parent.mkdir(parents=True, exist_ok=True)
        command = ["npm", "pack", AXE, "--pack-destination", script.parent.parent]
        fetched = subprocess.run(command, capture_output=True, text=True, check=False)
        if fetched.returncode:
            pytest.skip(f"axe-core cannot be fetched: {fetched.stderr.strip().splitlines()[-1]}")
        with tarfile.open(script.parent.parent / fetched.stdout.strip()) as archive:
            archive.extractall(script.parent.parent, filter="data")
    return script.read_text(encoding="utf-8")


def violations(page):
    """Return what axe-core finds on the page (WCAG 2.0 to 2.2 A and AA, and best practices)."""
    page.evaluate(axe_source())
    found = page.evaluate("axe.run()")["violations"]
    return [(one["id"], [node["html"] for node in one["nodes"]]) for one in found]


class LoopWithPage:
    """A device loop with its live page, in a thread; remembers what it said about each picture."""

    def __init__(self, spec, model_path):
        self.lines = {}
        self.port = free_port()
        self.over = threading.Event()
        self.spec, self.model_path = spec, model_path
        self.thread = threading.Thread(target=self.run)

    def run(self):
        with open_source(self.spec) as source:
            paced = source if source.live else Paced(Repeated(source), self.over.is_set)
            pipeline = Pipeline(paced, open_models([self.model_path]), stop=self.over.is_set)
            serving = Serving(Listen("127.0.0.1", self.port))
            with LivePage(serving, [self.model_path], source.name, pipeline) as page, pipeline:
                for result in pipeline:
                    self.lines[result.index] = json.loads(json.dumps(result.to_dict()))
                    page.write(result)

    def __enter__(self):
        self.thread.start()
        wait_for(lambda: answers(self.port), 60)
        wait_for(lambda: self.lines, 60)
        return self

    def __exit__(self, *error):
        self.over.set()
        self.thread.join()


class Watched:
    """A page in the browser, and what went wrong on it."""

    def __init__(self, browser, **context):
        self.context = browser.new_context(**context)
        self.context.set_default_timeout(60_000)
        self.page = self.context.new_page()
        self.requests, self.errors = [], []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("requestfailed", lambda request: self.errors.append(f"{request.url}: {request.failure}"))
        self.received, self.pictures = [], {}
        self.page.on("websocket", lambda socket: socket.on("framereceived", self._received))

    def _console(self, message):
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def _received(self, payload):
        if isinstance(payload, bytes):
            (length,) = struct.unpack_from(">I", payload)
            line = json.loads(payload[4 : 4 + length])
            self.pictures[line["frame"]] = payload[4 + length :]
        else:
            line = json.loads(payload)
        self.received.append(line)

    def close(self):
        self.context.close()


PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 860}


@contextlib.contextmanager
def opened(browser, port, name, **context):
    watched = Watched(browser, **context)
    try:
        watched.page.goto(f"http://127.0.0.1:{port}{address(name)}")
        yield watched
        assert not watched.errors
    finally:
        watched.close()


def until(page, expression):
    """Wait; Playwright's own way evaluates a string inside the page, which the page's policy forbids."""
    for _ in range(600):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"it did not come about in time: {expression}")


def use_camera(page):
    page.get_by_role("button", name="Use my camera").click()


def settle(page, name):
    """Wait until a page shows what it is for."""
    if name in ("live", "practice"):
        until(page, "document.querySelector('#picture').dataset.frame > 2")
    elif name == "chart":
        until(page, "document.querySelector('#recorded').textContent.includes('recorded.')")
    elif name == "device":
        page.wait_for_selector("#findings li")
        page.wait_for_selector("#machine dd")


def as_picture(data):
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
