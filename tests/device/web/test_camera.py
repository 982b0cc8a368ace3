import json

import numpy as np
import pytest
from starlette.websockets import WebSocketDisconnect

from fer_edge.device.web import camera
from fer_edge.device.web.hub import Hub
from tests.device.web.conftest import jpeg


@pytest.fixture
def film(demo):
    """A face that keeps still, because nobody knows how fast a busy machine sends."""
    return 6 * [jpeg(demo.picture(0.0))]


def test_each_picture_is_answered(client, film):
    with client() as page, page.websocket_connect("/api/camera") as browser:
        for number, picture in enumerate(film):
            browser.send_bytes(picture)
            line = json.loads(browser.receive_text())
            assert line["frame"] == number
            assert [face["label"] for face in line["faces"]] == ["happy"]
            assert line["size"] == [640, 480]
        assert line["faces"][0]["id"] == 1
        assert line["loop"]["captured"] == len(film)
        assert line["time"] > 0


def test_two_cameras_share_nothing(client, film):
    with client() as page, page.websocket_connect("/api/camera") as one, page.websocket_connect("/api/camera") as two:
        one.send_bytes(film[0])
        assert len(json.loads(one.receive_text())["faces"]) == 1
        two.send_bytes(jpeg(np.full((48, 64, 3), 128, np.uint8)))
        answer = json.loads(two.receive_text())
        assert (answer["frame"], answer["faces"], answer["size"]) == (0, [], [64, 48])


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (b"notes", "no JPEG, PNG or WebP"),
        (jpeg(np.zeros((1500, 1500, 3), np.uint8)), "million pixels"),
        (jpeg(np.zeros((48, 64, 3), np.uint8))[:-20], "cut off"),
        (b"\xff\xd8\xff\xc0\x00\x0b\x08\x00\x10\x00\x10\x01\x01\x11\x00\xff\xda\x00\x02\xff\xd9", "damaged"),
    ],
)
def test_what_is_no_picture_ends_it_with_a_reason(client, picture, words):
    with client() as page, page.websocket_connect("/api/camera") as browser:
        browser.send_bytes(picture)
        with pytest.raises(WebSocketDisconnect) as closed:
            browser.receive_text()
        assert words in closed.value.reason


def test_a_text_is_no_picture(client):
    with client() as page, page.websocket_connect("/api/camera") as browser:
        browser.send_text("hello")
        with pytest.raises(WebSocketDisconnect) as closed:
            browser.receive_text()
        assert "expected pictures" in closed.value.reason


@pytest.mark.parametrize("where", ["opening the models", "the loop"])
def test_a_fault_of_the_server_is_told_and_the_place_is_free_again(client, film, monkeypatch, caplog, where):
    """Whatever fails, more often than there are places."""

    def fail(*arguments):
        raise ZeroDivisionError("by\nzero")

    name = "open_models" if where == "opening the models" else "to_line"
    with client() as page:
        with monkeypatch.context() as broken:
            broken.setattr(camera, name, fail)
            for _ in range(camera.CAMERAS + 1):
                with page.websocket_connect("/api/camera") as browser:
                    browser.send_bytes(film[0])
                    with pytest.raises(WebSocketDisconnect) as closed:
                        browser.receive_text()
                    assert (closed.value.code, closed.value.reason) == (
                        1011,
                        "this server failed at it; its own output says why",
                    )
        with page.websocket_connect("/api/camera") as browser:
            browser.send_bytes(film[0])
            assert json.loads(browser.receive_text())["frame"] == 0
    messages = {record.getMessage() for record in caplog.records if record.name.startswith("fer_edge")}
    assert messages == {"live page, browser camera: ZeroDivisionError: by zero"}


def test_a_fault_in_taking_a_picture_is_told_as_well(client, film, monkeypatch):
    def fail(*arguments):
        raise MemoryError("none left")

    monkeypatch.setattr(camera, "checked_header", fail)
    with client() as page, page.websocket_connect("/api/camera") as browser:
        browser.send_bytes(film[0])
        with pytest.raises(WebSocketDisconnect) as closed:
            browser.receive_text()
        assert closed.value.code == 1011


def test_the_loops_of_browsers_are_nothing_to_a_service_manager(client, film, monkeypatch, tmp_path):
    """Else each of them would say that the service is up, and that it ends."""
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        with client() as page, page.websocket_connect("/api/camera") as browser:
            browser.send_bytes(film[0])
            browser.receive_text()
        with pytest.raises(BlockingIOError):
            manager.recv(100)


def test_so_many_cameras_and_no_more(client, film, monkeypatch):
    monkeypatch.setattr(camera, "CAMERAS", 1)
    with client() as page:
        with page.websocket_connect("/api/camera") as one:
            one.send_bytes(film[0])
            one.receive_text()
            with page.websocket_connect("/api/camera") as two:
                with pytest.raises(WebSocketDisconnect) as closed:
                    two.receive_text()
                assert "in use already" in closed.value.reason
        with page.websocket_connect("/api/camera") as again:
            again.send_bytes(film[0])
            assert json.loads(again.receive_text())["frame"] == 0


def test_one_that_sends_nothing_is_let_go(client, monkeypatch):
    monkeypatch.setattr(camera, "IDLE", 0.05)
    with client() as page, page.websocket_connect("/api/camera") as browser, pytest.raises(WebSocketDisconnect):
        browser.receive_text()


def test_a_server_with_a_camera_takes_no_others(client):
    hub = Hub()
    with pytest.raises(WebSocketDisconnect), client(hub=hub, source="demo").websocket_connect("/api/camera"):
        pass
    hub.close()
