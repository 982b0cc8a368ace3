import os
import signal
import struct
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_edge.device.web import decoder as decoder_module
from fer_edge.device.web import decoding
from fer_edge.device.web.decoder import Decoder
from fer_edge.device.web.decoding import UploadError
from fer_edge.images import SCANS
from tests.device.web.conftest import jpeg, wait_for


@pytest.fixture
def decoder():
    made = Decoder(decoding.PIXELS)
    yield made
    made.close()


@pytest.fixture
def picture(portrait):
    return jpeg(portrait)


def process_of(decoder):
    return decoder._process._process


def pid_of(decoder):
    return process_of(decoder).pid


def with_scans(count):
    """A progressive JPEG whose last scan is there so many times more."""
    data = jpeg_progressive()
    last = data.rindex(b"\xff\xda")
    start = data.rindex(b"\xff\xc4", 0, last)
    return data[:-2] + data[start:-2] * count + b"\xff\xd9"


def jpeg_progressive(side=64):
    noise = np.random.default_rng(1).integers(0, 255, (side, side), np.uint8)
    return cv2.imencode(".jpg", noise, (cv2.IMWRITE_JPEG_PROGRESSIVE, 1))[1].tobytes()


def test_it_gets_no_passwords(decoder, picture, monkeypatch):
    monkeypatch.setenv("FER_EDGE_TOKEN", "a-secret-that-stays")
    decoder.decode(picture)
    environment = Path(f"/proc/{pid_of(decoder)}/environ").read_bytes()
    assert b"PATH=" in environment
    assert b"FER_EDGE_" not in environment


@pytest.mark.parametrize("ending", [".jpg", ".png", ".webp"])
def test_it_decodes_as_this_process_would(decoder, portrait, ending):
    data = jpeg(portrait, ending)
    photo = decoder.decode(data)
    assert np.array_equal(photo.bgr, decoding.decode(data).bgr)
    assert (photo.width, photo.height) == portrait.shape[1::-1]


def test_one_process_does_for_all(decoder, picture):
    decoder.decode(picture)
    first = pid_of(decoder)
    for _ in range(3):
        decoder.decode(picture)
    assert pid_of(decoder) == first
    assert first != os.getpid()


def test_a_refusal_costs_no_process(decoder, picture):
    decoder.decode(picture)
    first = pid_of(decoder)
    with pytest.raises(UploadError, match="cut off or damaged"):
        decoder.decode(picture[: len(picture) // 2])
    decoder.decode(picture)
    assert pid_of(decoder) == first


def test_a_process_that_dies_costs_one_picture(decoder, picture):
    decoder.decode(picture)
    os.kill(pid_of(decoder), signal.SIGSTOP)
    threading.Timer(0.3, os.kill, (pid_of(decoder), signal.SIGKILL)).start()
    with pytest.raises(UploadError, match="broke down"):
        decoder.decode(picture)
    assert decoder.decode(picture).width == 256


def test_a_process_that_hangs_is_ended(picture):
    decoder = Decoder(decoding.PIXELS, 0.5)
    try:
        decoder.decode(picture)
        hanging = process_of(decoder)
        os.kill(hanging.pid, signal.SIGSTOP)
        start = time.monotonic()
        with pytest.raises(UploadError, match="longer than"):
            decoder.decode(picture)
        assert time.monotonic() - start < 5
        assert hanging.poll() == -signal.SIGKILL
        assert decoder.decode(picture).width == 256
    finally:
        decoder.close()


def test_the_end_does_not_wait_for_a_picture(decoder, picture):
    decoder.decode(picture)
    os.kill(pid_of(decoder), signal.SIGSTOP)
    ended = []

    def decode():
        try:
            decoder.decode(picture)
        except UploadError as refused:
            ended.append(str(refused))

    thread = threading.Thread(target=decode)
    thread.start()
    time.sleep(0.2)
    start = time.monotonic()
    decoder.close()
    thread.join(5)
    assert not thread.is_alive()
    assert time.monotonic() - start < 2
    assert ended
    with pytest.raises(UploadError, match="the page ends"):
        decoder.decode(picture)


def test_no_process_outlives_its_owner(picture):
    decoder = Decoder(decoding.PIXELS)
    decoder.decode(picture)
    process = process_of(decoder)
    del decoder
    wait_for(lambda: process.poll() is not None)


def test_its_memory_is_limited(decoder, picture):
    decoder.decode(picture)
    limits = Path(f"/proc/{pid_of(decoder)}/limits").read_text()
    (soft,) = (line.split()[3] for line in limits.splitlines() if line.startswith("Max address space"))
    assert int(soft) < 3 * 1024**3


def test_a_picture_for_which_the_memory_does_not_do_is_refused(monkeypatch):
    monkeypatch.setattr(decoder_module, "checked_header", lambda data, most: None)
    decoder = Decoder(400_000_000)
    try:
        with pytest.raises(UploadError, match=r"cannot be decoded"):
            decoder.decode(jpeg(np.zeros((18000, 18000), np.uint8), ".png"))
    finally:
        decoder.close()


def test_a_size_that_only_the_decoder_sees_is_refused(monkeypatch):
    """As if the header had been read wrongly: OpenCV's own limit is the same, and the result is measured."""
    fooled = decoding.ImageHeader("PNG", 100, 100)
    monkeypatch.setattr(decoding, "read_header", lambda data: fooled)
    with pytest.raises(UploadError, match="another size than its header says"):
        decoding.decode(jpeg(np.zeros((300, 200), np.uint8), ".png"))


def test_opencv_has_the_same_limit(monkeypatch):
    monkeypatch.setattr(decoder_module, "checked_header", lambda data, most: None)
    decoder = Decoder(10_000)
    try:
        assert decoder.decode(jpeg(np.zeros((90, 100), np.uint8), ".png")).width == 100
        with pytest.raises(UploadError) as refused:
            decoder.decode(jpeg(np.zeros((200, 100), np.uint8), ".png"))
        assert refused.value.status == 413
    finally:
        decoder.close()


def test_more_scans_than_any_program_writes_are_refused(decoder):
    assert decoder.decode(with_scans(3)).width == 64
    start = time.monotonic()
    with pytest.raises(UploadError, match=f"scans instead of at most {SCANS}"):
        decoder.decode(with_scans(5000))
    assert time.monotonic() - start < 5


def test_one_that_cannot_begin_is_told(monkeypatch, picture, caplog):
    monkeypatch.setattr(decoder_module.sys, "executable", "/bin/false")
    with pytest.raises(UploadError, match="cannot decode pictures") as refused:
        Decoder(decoding.PIXELS).decode(picture)
    assert refused.value.status == 503
    assert "does not begin" in caplog.text


def test_a_hidden_size_never_reaches_the_decoder(decoder):
    data = jpeg(np.zeros((16, 16, 3), np.uint8))
    at = data.index(b"\xff\xc0")
    large = data[2 : at + 5] + struct.pack(">HH", 15000, 15000) + data[at + 9 :]
    small = data[2 : at + 5] + struct.pack(">HH", 100, 100) + data[at + 9 :]
    with pytest.raises(UploadError, match="15000 x 15000") as refused:
        decoder.decode(b"\xff\xd8\xff\x00" + struct.pack(">H", len(large) + 2) + large + small)
    assert refused.value.status == 413
    assert decoder._process is None
