import asyncio
import json
import resource
import struct
import threading

import cv2
import numpy as np
import pytest
from click.testing import CliRunner
from starlette.requests import ClientDisconnect
from starlette.testclient import TestClient

from fer_edge.cli import main
from fer_edge.device.web import decoder, decoding, upload
from fer_edge.device.web import photo as photo_module
from fer_edge.device.web.decoding import UploadError, decode
from fer_edge.device.web.photo import PhotoDesk
from tests.device.web.conftest import jpeg


def send(client: TestClient, data, kind="image/jpeg", **headers):
    return client.post("/api/photo", content=data, headers={"Content-Type": kind, **headers})


def test_seven_people(client, seven):
    response = send(client(), seven)
    assert response.status_code == 200
    answer = response.json()
    assert len(answer["faces"]) == 7
    assert {face["label"] for face in answer["faces"]} == {"happy"}
    assert [face["id"] for face in answer["faces"]] == list(range(1, 8))


def test_the_faces_are_those_of_the_image_command(client, seven, tmp_path):
    path = tmp_path / "seven.jpg"
    path.write_bytes(seven)
    (expected,) = json.loads(CliRunner().invoke(main, ["image", str(path), "--json"]).stdout)
    assert send(client(), seven).json()["faces"] == expected["faces"]


def test_a_photo_without_faces(client):
    answer = send(client(), jpeg(np.full((60, 80, 3), 128, np.uint8), ".png"), "image/png").json()
    assert answer["faces"] == []
    assert answer["size"] == [80, 60]


@pytest.mark.parametrize("ending", [".jpg", ".png"])
def test_a_photo_of_twenty_megapixels_has_its_faces_where_they_are(portrait, ending):
    large = cv2.resize(portrait, (3840, 5184), interpolation=cv2.INTER_LINEAR)
    large[: 5184 // 4] = 100  # the face is not in the middle, so that a wrong factor shows
    photo = decode(jpeg(large, ending))
    assert (photo.width, photo.height) == (3840, 5184)
    assert photo.bgr.shape[0] * photo.bgr.shape[1] <= decoding.SEARCHED
    assert photo.bgr.shape[0] / photo.bgr.shape[1] == pytest.approx(5184 / 3840, rel=0.01)


def test_boxes_are_in_pixels_of_the_photo(client, portrait):
    small = send(client(), jpeg(portrait)).json()["faces"][0]["box"]
    large = send(client(), jpeg(cv2.resize(portrait, None, fx=9, fy=9))).json()
    assert large["size"] == [portrait.shape[1] * 9, portrait.shape[0] * 9]
    assert np.allclose(large["faces"][0]["box"], 9 * np.array(small), atol=9 * 8)


def test_a_photo_that_was_turned_by_the_camera(portrait):
    """EXIF orientation 6: the stored picture has to be turned a quarter to the right."""
    turned = cv2.rotate(portrait, cv2.ROTATE_90_COUNTERCLOCKWISE)
    data = jpeg(turned)
    entry = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 1) + entry + struct.pack("<I", 0)
    data = data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:]
    photo = decode(data)
    assert (photo.width, photo.height) == (portrait.shape[1], portrait.shape[0])
    assert photo.bgr.shape == portrait.shape


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        (b"", 400, "no JPEG, PNG or WebP picture"),
        (b"shopping list\n" * 50, 400, "no JPEG, PNG or WebP picture, whatever its name"),
        (b"\xff\xd8\xff\xe0", 400, "cut off or damaged"),
    ],
)
def test_what_is_no_photo(client, data, status, words):
    response = send(client(), data)
    assert response.status_code == status
    assert words in response.json()["error"]


def test_a_truncated_jpeg(client, seven):
    response = send(client(), seven[: len(seven) // 2])
    assert response.status_code == 400
    assert "cut off" in response.json()["error"]


def test_a_jpeg_whose_inside_is_damaged(client, seven):
    data = seven[:200] + bytes(len(seven) - 300) + seven[-100:]
    response = send(client(), data)
    assert response.status_code in (200, 400)  # a decoder may find something in it
    assert "error" in response.json() or "faces" in response.json()


def test_a_decompression_bomb_is_never_decoded(client, bomb, monkeypatch):
    assert len(bomb) < 1024 * 1024
    decoded = []
    monkeypatch.setattr(decoder, "_Process", lambda *arguments: decoded.append(arguments))
    response = send(client(), bomb, "image/png")
    assert response.status_code == 413
    assert "20000 x 20000 are 400 million pixels" in response.json()["error"]
    assert not decoded


def test_one_of_too_many_bytes(client):
    response = send(client(), bytes(upload.LARGEST + 1))
    assert response.status_code == 413
    assert "larger than 16 MB" in response.json()["error"]


def test_a_body_without_a_length_is_bounded_as_well(client):
    def chunks():
        for _ in range(20):
            yield bytes(1024 * 1024)

    assert send(client(), chunks()).status_code == 413


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data; boundary=x", "image/svg+xml", ""])
def test_another_content_type(client, kind):
    response = send(client(), b"x", kind)
    assert response.status_code == 415
    assert "image/jpeg" in response.json()["error"]


def test_two_hundred_photos_in_a_row_take_no_more_memory(client, portrait):
    data = jpeg(portrait)
    with client() as page:
        for _ in range(20):
            assert send(page, data).status_code == 200
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for _ in range(180):
            assert len(send(page, data).json()["faces"]) == 1
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20 * 1024  # KB


def test_too_many_at_once_are_sent_away(model_path, monkeypatch):
    desk, gate = PhotoDesk([model_path]), threading.Event()
    monkeypatch.setattr(desk, "read", lambda data: gate.wait(20) and {})
    monkeypatch.setattr(photo_module, "receive", _received)

    async def crowd():
        visitors = [asyncio.create_task(desk.answer(None)) for _ in range(15)]
        while sum(visitor.done() for visitor in visitors) < 5:
            await asyncio.sleep(0)
        sent_away = [visitor.result().status_code for visitor in visitors if visitor.done()]
        gate.set()
        return sent_away, sorted([answer.status_code for answer in await asyncio.gather(*visitors)])

    sent_away, all_of_them = asyncio.run(crowd())
    assert sent_away == [503] * 5
    assert all_of_them == [200] * 10 + [503] * 5
    desk.close()


async def _received(request):
    return b""


class Sending:
    """A request whose body is what `chunks` gives."""

    headers = {"content-type": "image/jpeg"}  # noqa: RUF012

    def __init__(self, chunks):
        self.stream = chunks


async def _silence():
    yield b"\xff\xd8"
    await asyncio.sleep(60)


def test_visitors_who_send_nothing_do_not_keep_the_others_waiting(model_path, monkeypatch):
    desk = PhotoDesk([model_path])
    monkeypatch.setattr(desk, "read", lambda data: {"bytes": len(data)})

    async def photo():
        yield b"photo"

    async def crowd():
        idle = [asyncio.create_task(desk.answer(Sending(_silence))) for _ in range(3)]
        await asyncio.sleep(0.05)
        answer = await asyncio.wait_for(desk.answer(Sending(photo)), 5)
        for visitor in idle:
            visitor.cancel()
        return answer

    assert json.loads(asyncio.run(crowd()).body) == {"bytes": 5}
    desk.close()


def test_no_more_photos_are_held_than_a_small_machine_has_room_for(model_path, monkeypatch):
    desk, gate = PhotoDesk([model_path]), threading.Event()
    held, most = 0, 0

    async def receive(request):
        nonlocal held, most
        held += 1
        most = max(most, held)
        await asyncio.sleep(0.01)
        return b""

    def read(data):
        nonlocal held
        gate.wait(20)
        held -= 1
        return {}

    monkeypatch.setattr(desk, "read", read)
    monkeypatch.setattr(photo_module, "receive", receive)

    async def crowd():
        visitors = [asyncio.create_task(desk.answer(None)) for _ in range(10)]
        await asyncio.sleep(0.2)
        gate.set()
        return [answer.status_code for answer in await asyncio.gather(*visitors)]

    assert asyncio.run(crowd()) == [200] * 10
    assert most <= photo_module.RECEIVED + photo_module.IN_WORK
    desk.close()


def test_a_visitor_who_goes_silent_is_let_go(monkeypatch):
    monkeypatch.setattr(upload, "SILENCE", 0.05)
    with pytest.raises(UploadError, match="nothing more came for") as error:
        asyncio.run(asyncio.wait_for(upload.receive(Sending(_silence)), 5))
    assert error.value.status == 408


def test_a_visitor_who_goes_away_is_no_error_of_the_server(model_path):
    desk = PhotoDesk([model_path])

    async def away():
        yield b"\xff\xd8"
        raise ClientDisconnect

    assert asyncio.run(desk.answer(Sending(away))).status_code == 400
    assert desk._visitors == 0
    desk.close()


def test_a_photo_that_comes_too_slowly(model_path, monkeypatch):
    monkeypatch.setattr(upload, "PATIENCE", 0.05)

    class Slow:
        headers = {"content-type": "image/png"}  # noqa: RUF012

        async def stream(self):
            while True:
                yield b"x"
                await asyncio.sleep(0.01)

    with pytest.raises(UploadError, match="did not come within") as error:
        asyncio.run(upload.receive(Slow()))
    assert error.value.status == 408


def test_nothing_is_written_to_the_disk(client, seven, monkeypatch):
    import tempfile

    def refuse(*arguments, **keywords):
        raise AssertionError("a temporary file")

    page = client()
    send(page, seven)
    for name in ("SpooledTemporaryFile", "NamedTemporaryFile", "TemporaryFile", "mkstemp"):
        monkeypatch.setattr(tempfile, name, refuse)
    assert send(page, seven).status_code == 200
