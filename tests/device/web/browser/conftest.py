import pytest

from fer_edge.device.outputs.address import Listen
from fer_edge.device.web.server import Server
from fer_edge.device.web.serving import Serving
from tests.device.web.browser.browsing import FAKE_CAMERA, LoopWithPage, chromium, film
from tests.device.web.conftest import answers, free_port, wait_for


@pytest.fixture(scope="package")
def browser(tmp_path_factory, demo):
    """Chromium with a camera that shows the demo film."""
    path = film(tmp_path_factory.mktemp("film") / "demo.mjpeg", (demo.picture(n / 30) for n in range(120)))
    arguments = (f"--use-file-for-fake-video-capture={path}", "--host-resolver-rules=MAP fer-edge.test 127.0.0.1")
    with chromium(*FAKE_CAMERA, *arguments) as browser:
        yield browser


@pytest.fixture(scope="package")
def loop(model_path):
    with LoopWithPage("demo:live", model_path) as loop:
        yield loop


@pytest.fixture(scope="package")
def bare(model_path):
    """The port of a server without a camera."""
    port = free_port()
    with Server(Serving(Listen("127.0.0.1", port)), [model_path], None, None):
        wait_for(lambda: answers(port))
        yield port
