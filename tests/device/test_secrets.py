"""Where the address of a camera is seen, its password is not."""

import dataclasses
import itertools
import logging

import pytest
from click.testing import CliRunner

import fer_edge
from fer_edge.cli import main
from fer_edge.device.doctor.camera import check_camera
from fer_edge.device.doctor.system import System
from fer_edge.device.sources import open_source
from fer_edge.errors import SourceError
from fer_edge.text.address import without_secrets
from tests.device.sources.http_camera import http_camera, jpeg, send_image, send_stream

USER, PASSWORD = "gardener", "s3cret"


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("rtsp://gardener:s3cret@cam:554/s1", "rtsp://***@cam:554/s1"),
        ("rtsp://gardener@cam/", "rtsp://***@cam/"),
        ("rtsp://gardener:s3cret@[fe80::1]/s", "rtsp://***@[fe80::1]/s"),
        ("rtsp://gardener:s3c@ret/s3c#ret@cam/x", "rtsp://***@cam/x"),
        ("http://gardener:#s3cret@cam/x", "http://***@cam/x"),
        ("rtsp:/gardener:s3cret@cam", "rtsp:/***@cam"),
        ("gardener:s3cret@cam/s", "***@cam/s"),
        ("http://cam/snap.cgi?user=gardener&pwd=s3cret", "http://cam/snap.cgi?***"),
        ("http://cam/snap.cgi?s3cret", "http://cam/snap.cgi?***"),
        ("http://cam/x#s3cret", "http://cam/x#***"),
        ("rtsp://cam/user=gardener_password=s3cret_channel=1.sdp", "rtsp://cam/user=***"),
        ("rtsp://cam/a/token=s3cret/b", "rtsp://cam/a/token=***/b"),
        ("http://cam:8080/stream", "http://cam:8080/stream"),
        ("clip@home.mp4", "clip@home.mp4"),
        ("2026-11-29T10:20:30.mp4", "2026-11-29T10:20:30.mp4"),
        ("what?#1.mp4", "what?#1.mp4"),
        ("demo:live", "demo:live"),
    ],
)
def test_what_of_a_source_is_shown(source, shown):
    assert without_secrets(source) == shown


@pytest.fixture(params=["stream", "image"])
def address(request):
    """The address of a camera, with a password, that sends 20 frames or images and then nothing."""
    count = itertools.count()

    def answer(handler):
        if request.param == "stream":
            send_stream(handler, [0.0] * 20)
        elif next(count) < 20:
            send_image(handler, jpeg(120, (320, 240)))
        else:
            handler.send_error(503)

    with http_camera(answer) as url:
        yield url.replace("//", f"//{USER}:{PASSWORD}@") + f"/snap?key={PASSWORD}"


def hides(*texts):
    return not any(secret in str(text) for text in texts for secret in (USER, PASSWORD))


def test_the_summary_and_the_configuration(address):
    config = fer_edge.RunConfig(
        source=address, models="nano", frames=1, mqtt=f"mqtt://{USER}:{PASSWORD}@broker/home/desk"
    )
    assert hides(config, dataclasses.replace(config, serve=8080, token=PASSWORD * 3))
    with fer_edge.run(config=dataclasses.replace(config, mqtt=None)) as loop:
        list(loop)
    assert loop.summary()["source"].startswith("http://***@127.0.0.1:")
    assert hides(loop.summary())


def test_doctor(address):
    finding = check_camera(System.here(), address)
    assert "320x240" in finding.found or "64x48" in finding.found
    assert hides(finding)


def test_lines_about_a_camera_that_goes_away(address, caplog, monkeypatch):
    from fer_edge.device.sources import snapshot_url

    monkeypatch.setattr(snapshot_url, "INTERVAL_S", 0.0)
    monkeypatch.setattr(snapshot_url, "SILENCE_TIMEOUT_S", 0.1)
    with caplog.at_level(logging.DEBUG), open_source(address) as source, pytest.raises(SourceError) as error:
        list(source)
    assert "after" in str(error.value)
    assert hides(error.value, caplog.text, source.name)


@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "--source", f"http://{USER}:{PASSWORD}@127.0.0.1:9/x", "--model", "nano"],
        ["run", "--source", f"{USER}:{PASSWORD}@127.0.0.1/x", "--model", "nano"],
        ["bench", "--source", f"rtsp://{USER}:{PASSWORD}@127.0.0.1:9/x", "--model", "nano", "--frames", "1"],
        ["doctor", "--source", f"rtsp:/{USER}:{PASSWORD}@127.0.0.1/x"],
    ],
)
def test_what_commands_say_of_an_address_that_does_not_work(arguments):
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code != 0
    assert "127.0.0.1" in done.output
    assert hides(done.output)


def test_the_environment_names_the_source(monkeypatch):
    monkeypatch.setenv("FER_EDGE_SOURCE", f"rtsp://{USER}:{PASSWORD}@127.0.0.1:9/x")
    for command in ("run", "bench"):
        done = CliRunner().invoke(main, [command, "--model", "nano"])
        assert "rtsp://***@127.0.0.1:9/x: expected a stream" in done.output
        assert hides(done.output)
