import itertools
import os
import threading

import pytest

from fer_edge.device.sources import Source, open_source, picamera2
from fer_edge.device.sources.demo import DemoSource
from fer_edge.device.sources.folder import FolderSource
from fer_edge.device.sources.video import VideoSource
from fer_edge.device.sources.wrappers import Paced, Repeated
from fer_edge.errors import SourceError
from tests.device.sources.http_camera import http_camera


def test_the_spec_chooses_the_kind(clip, tmp_path, portrait):
    import cv2

    photo = tmp_path / "Photo.JPG"
    cv2.imwrite(str(photo), portrait)
    for spec, kind in (("demo", DemoSource), (clip, VideoSource), (tmp_path, FolderSource), (photo, FolderSource)):
        with open_source(str(spec)) as source:
            assert type(source) is kind


def test_the_demo_is_a_film_or_a_camera():
    assert not open_source("demo").live
    assert open_source("demo:live").live


@pytest.mark.parametrize("number", ["63", "0" * 30 + "63", "/dev/video63"])
def test_a_webcam_that_is_not_there(number, capfd):
    with pytest.raises(SourceError, match="webcam 63: no camera answers"):
        open_source(number)
    assert capfd.readouterr().err == ""


def test_a_webcam_number_beyond_all_cameras():
    with pytest.raises(SourceError, match="no camera answers"):
        open_source("99999999999")


def test_without_a_spec_the_best_camera_is_taken(monkeypatch):
    monkeypatch.setattr(picamera2, "is_installed", lambda: False)
    with pytest.raises(SourceError, match="webcam 0"):
        open_source()
    chosen = object()
    monkeypatch.setattr(picamera2, "is_installed", lambda: True)
    monkeypatch.setattr(picamera2, "Picamera2Source", lambda mounting: chosen)
    assert open_source() is chosen


@pytest.mark.parametrize("spec", ["no-such-file.mp4", "no/such/folder", "-1", "demo2"])
def test_what_does_not_exist(spec):
    with pytest.raises(SourceError, match="no such file or folder; --source is picamera2"):
        open_source(spec)


@pytest.mark.parametrize("scheme", ["rtsp", "http", "rtmp"])
def test_a_stream_that_nobody_sends(scheme, capfd):
    with pytest.raises(SourceError) as error:
        open_source(f"{scheme}://user:s3cret@127.0.0.1:9/cam?key=s3cret")
    assert str(error.value).startswith(f"{scheme}://***@127.0.0.1:9/cam")
    assert "nothing answers at 127.0.0.1:9 (Connection refused); check that the camera is on" in str(error.value)
    assert "convert" not in str(error.value)
    assert "s3cret" not in str(error.value)
    assert capfd.readouterr().err == ""


def test_a_host_that_answers_but_sends_no_stream():
    with http_camera(lambda handler: handler.send_error(404)) as address, pytest.raises(SourceError) as error:
        open_source(f"{address}/cam")
    assert "answers and sends none that this OpenCV can decode; check the address's path" in str(error.value)


def test_a_name_that_leads_nowhere():
    with pytest.raises(SourceError, match=r"nothing answers at no-such-host\.invalid:554 \(.*[Nn]ame.*\)"):
        open_source("rtsp://no-such-host.invalid/cam")


def test_repeating_goes_on_counting(clip):
    with Repeated(open_source(str(clip))) as source:
        frames = list(itertools.islice(source, 30))
    assert [f.index for f in frames] == list(range(30))
    assert frames[12].time == pytest.approx(1.2, abs=0.01)
    assert all(a.time < b.time for a, b in itertools.pairwise(frames))
    assert (frames[0].y == frames[12].y).all()
    assert not (frames[0].y == frames[11].y).all()


def test_a_named_pipe_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "film.mkv")
    with pytest.raises(SourceError, match=r"film\.mkv: expected .* found a named pipe"):
        open_source(str(tmp_path / "film.mkv"))


def test_a_pipe_that_somebody_writes_is_read(clip):
    reader, writer = os.pipe()
    data = clip.read_bytes()
    feeding = threading.Thread(target=lambda: (os.write(writer, data), os.close(writer)))
    feeding.start()
    with open_source(f"/dev/fd/{reader}") as source:
        assert len(list(source)) == 12
    feeding.join(10)
    os.close(reader)


@pytest.mark.parametrize("name", ["2026-11-29T10:20:30.mkv", "concat:a.mkv", "http:clip.mkv", "100%d.mkv", "#1?.mkv"])
def test_a_file_name_is_no_protocol_and_no_pattern(clip, tmp_path, monkeypatch, name):
    (tmp_path / name).write_bytes(clip.read_bytes())
    monkeypatch.chdir(tmp_path)
    with open_source(name) as source:
        assert source.name == name
        assert not source.live
        assert [len(list(source)) for _ in range(2)] == [12, 12]


def test_the_address_of_a_file_is_the_file(clip, tmp_path):
    path = tmp_path / "ein film.mkv"
    path.write_bytes(clip.read_bytes())
    with open_source(path.as_uri()) as source:
        assert not source.live
        assert len(list(source)) == 12


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("list.txt", b"photos/a.jpg\nphotos/b.jpg\n"),
        ("windows.txt", "C:\\photos\\a.jpg\r\n".encode("utf-16")),
        ("umlauts.lst", "Fotos/Gro\u00dfmutter.jpg\n".encode() * 500),
        ("log.ans", b"\x1b[31mred\x1b[0m text\n"),
        ("table.csv", b"emotion,pixels,Usage\n0,1 2 3,Training\n"),
    ],
)
def test_text_is_not_played_as_a_film(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match="found text; to work on the files of a list, put them"):
        open_source(str(tmp_path / name))


def test_a_playlist_is_no_text(clip, tmp_path):
    path = tmp_path / "films.ffconcat"
    path.write_text(f"ffconcat version 1.0\nfile '{clip.name}'\nfile '{clip.name}'\n")
    (tmp_path / clip.name).write_bytes(clip.read_bytes())
    with open_source(str(path)) as source:
        assert len(list(source)) == 24


@pytest.mark.parametrize("device", ["/dev/null", "/dev/zero"])
def test_every_character_device_is_taken_for_a_camera(tmp_path, device, capfd):
    link = tmp_path / "usb-Some_Camera-video-index0.jpg"
    link.symlink_to(device)
    for spec in (device, link):
        with pytest.raises(SourceError, match=f"{spec}: no camera answers there"):
            open_source(str(spec))
    assert capfd.readouterr().err == ""


class Damaged(Source):
    name, fps = "damaged", 10.0

    def __init__(self, frame):
        self.frame = frame

    def __iter__(self):
        self.skipped += 1
        return iter([self.frame(0, 0.0)])


def test_who_wraps_a_source_says_what_it_left_out(grey_frame):
    for wrap in (Repeated, lambda source: Paced(source, lambda: True)):
        source = wrap(Damaged(grey_frame))
        assert source.skipped == 0
        next(iter(source))
        assert source.skipped == 1
