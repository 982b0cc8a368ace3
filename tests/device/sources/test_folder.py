import itertools
import json
import logging
import os
import struct
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_edge.device.sources import folder, open_source
from fer_edge.device.sources.folder import FolderSource, is_still, read_photo
from fer_edge.device.sources.wrappers import Repeated
from fer_edge.errors import SourceError
from fer_edge.images import MOST_PIXELS, most_pixels


def jpeg_with_orientation(picture, orientation):
    """A JPEG whose EXIF says how to turn it."""
    _, jpeg = cv2.imencode(".jpg", picture)
    tiff = b"II*\0" + struct.pack("<IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    body = b"Exif\0\0" + tiff
    return jpeg[:2].tobytes() + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:].tobytes()


@pytest.fixture
def photos(tmp_path, portrait):
    for name in ("b.png", "a.JPG", "c.bmp"):
        cv2.imwrite(str(tmp_path / name), portrait)
    (tmp_path / "notes.txt").write_text("no photo")
    (tmp_path / "d.jpg").write_text("no photo either")
    return tmp_path


def test_photos_come_sorted_and_bad_ones_are_named(photos, caplog):
    with caplog.at_level(logging.WARNING), FolderSource(photos) as source:
        frames = list(source)
    assert [f.file for f in frames] == [str(photos / name) for name in ("a.JPG", "b.png", "c.bmp")]
    assert [(f.index, f.time) for f in frames] == [(0, 0.0), (1, 1.0), (2, 2.0)]
    assert source.stills
    (record,) = caplog.records
    assert record.getMessage().startswith(f"{photos / 'd.jpg'}: expected a photo")
    assert record.getMessage().endswith("; skipped")


def test_an_empty_folder(tmp_path):
    (tmp_path / "film.mp4").touch()
    with pytest.raises(SourceError, match="expected a folder with photos"):
        FolderSource(tmp_path)


def test_a_folder_of_nothing_but_bad_photos(tmp_path):
    (tmp_path / "a.jpg").touch()
    with pytest.raises(SourceError, match="not one of its 1 photos"):
        list(FolderSource(tmp_path))


def test_a_single_photo(photos):
    (frame,) = FolderSource(photos / "b.png")
    assert (frame.width, frame.height) == (256, 288)


@pytest.mark.parametrize(("orientation", "quarters"), [(1, 0), (3, 2), (6, 3), (8, 1)])
def test_photos_are_turned_as_the_camera_was_held(tmp_path, portrait, orientation, quarters):
    path = tmp_path / "turned.jpg"
    path.write_bytes(jpeg_with_orientation(portrait, orientation))
    assert np.abs(read_photo(path).astype(int) - np.rot90(portrait, quarters)).mean() < 4


@pytest.mark.parametrize("picture", [np.full((9, 7), 77, np.uint8), np.full((9, 7, 4), 77, np.uint8)])
def test_grey_and_transparent_photos(tmp_path, picture):
    path = tmp_path / "p.png"
    cv2.imwrite(str(path), picture)
    assert read_photo(path).shape == (9, 7, 3)


def test_16_bit_photos(tmp_path):
    path = tmp_path / "p.png"
    cv2.imwrite(str(path), np.full((9, 7), 77 * 256, np.uint16))
    assert read_photo(path)[0, 0, 0] == 77


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\xff\xd8\xff\xe0" + bytes(99), b"\x89PNG\r\n\x1a\n" + bytes(40)])
def test_what_is_no_photo(tmp_path, content, capfd):
    path = tmp_path / "p.jpg"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=rf"p\.jpg: expected a photo .*found .*{len(content)} bytes"):
        read_photo(path)
    assert capfd.readouterr().err == ""


def test_a_photo_that_announces_too_many_pixels(tmp_path):
    path = tmp_path / "p.pgm"
    path.write_bytes(b"P5 70000 70000 255\n" + bytes(99))
    with pytest.raises(SourceError, match=r"p\.pgm: "):
        read_photo(path)


def test_a_photo_that_does_not_fit_into_the_memory(tmp_path, portrait):
    """In a process of its own, because OpenCV reads its limit once."""
    paths = [tmp_path / "large.png", tmp_path / "small.png"]
    cv2.imwrite(str(paths[0]), cv2.resize(portrait, (1000, 1001)))
    cv2.imwrite(str(paths[1]), cv2.resize(portrait, (1000, 1000)))
    command = [sys.executable, "-m", "fer_edge", "image", *paths, "--json"]
    environment = os.environ | {"OPENCV_IO_MAX_IMAGE_PIXELS": "1000000"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert [entry["file"] for entry in json.loads(done.stdout)] == [str(paths[1])]
    assert done.stderr.startswith(f"Error: {paths[0]}: a photo that OpenCV refuses (more pixels than OPENCV_IO_MAX_I")
    assert done.stderr.count("\n") == 1


def test_how_many_pixels_fit():
    assert most_pixels("MemTotal:  425984 kB\nMemAvailable:   300000 kB\n") == 30_720_000
    assert most_pixels("MemAvailable:   99000000 kB\n") == most_pixels("") == MOST_PIXELS


def test_a_photo_that_is_not_there(tmp_path):
    with pytest.raises(SourceError, match=r"p\.jpg: expected a photo, but it cannot be read \(No such file"):
        read_photo(tmp_path / "p.jpg")


def test_bad_photos_are_counted_each_time_and_named_once(photos, caplog):
    with caplog.at_level(logging.WARNING), Repeated(FolderSource(photos)) as source:
        frames = list(itertools.islice(source, 7))
    assert [f.index for f in frames] == list(range(7))
    assert source.skipped == 2
    assert len(caplog.records) == 1


@pytest.mark.parametrize("error", [MemoryError(), cv2.error("no room")])
def test_a_photo_too_large_for_the_memory_is_skipped(photos, monkeypatch, error):
    def convert(bgr, time, index):
        if not index and not source.skipped:
            raise error
        return original(bgr, time, index)

    original = folder.frame_from_bgr
    monkeypatch.setattr(folder, "frame_from_bgr", convert)
    source = FolderSource(photos)
    assert [f.file for f in source] == [str(photos / name) for name in ("b.png", "c.bmp")]
    assert source.skipped == 2


def test_a_photo_from_a_pipe(portrait):
    reader, writer = os.pipe()
    _, jpeg = cv2.imencode(".jpg", portrait)
    os.write(writer, jpeg.tobytes())
    os.close(writer)
    assert read_photo(Path(f"/dev/fd/{reader}")).shape == portrait.shape
    os.close(reader)


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="needs /dev/zero")  # noqa: PTH110
def test_a_device_is_no_photo():
    with pytest.raises(SourceError, match="/dev/zero: expected a photo, found a device"):
        read_photo(Path("/dev/zero"))


@pytest.mark.parametrize("name", ["turned.jfif", "turned.JPE", "turned.jpg_large", "turned"])
def test_a_turned_photo_is_turned_whatever_its_name(tmp_path, portrait, name):
    path = tmp_path / name
    path.write_bytes(jpeg_with_orientation(portrait, 6))
    with open_source(str(path)) as source:
        (frame,) = source
    assert source.stills
    assert (frame.width, frame.height) == portrait.shape[:2]


@pytest.mark.parametrize("name", ["film.mjpeg", "film.MJPG", "film.gif"])
def test_what_begins_like_a_photo_may_be_a_video(tmp_path, portrait, name):
    path = tmp_path / name
    path.write_bytes(cv2.imencode(".jpg", portrait)[1].tobytes() * 3)
    assert not is_still(path)


def test_photos_of_all_listed_names_are_in_a_folder(tmp_path, portrait, caplog):
    jpeg = cv2.imencode(".jpg", portrait)[1].tobytes()
    for name in ("a.jfif", "b.jpe", "c.JIF", "d.jpg_large", "e"):
        (tmp_path / name).write_bytes(jpeg)
    cv2.imwrite(str(tmp_path / "f.jp2"), portrait)
    (tmp_path / "g.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(99))
    (tmp_path / "notes.txt").write_text("P1 is where the car stands")
    with caplog.at_level(logging.WARNING), FolderSource(tmp_path) as source:
        frames = list(source)
    assert [Path(frame.file or "").name for frame in frames] == [
        "a.jfif",
        "b.jpe",
        "c.JIF",
        "d.jpg_large",
        "e",
        "f.jp2",
    ]
    assert source.skipped == 1
    (record,) = caplog.records
    assert "g.heic: expected a photo" in record.getMessage()
    assert "a HEIC file, which OpenCV cannot decode; save it as JPEG" in record.getMessage()


def test_nothing_is_seen_below_transparent_pixels(tmp_path):
    picture = np.full((9, 7, 4), 77, np.uint8)
    picture[:, :, 3] = 0
    cv2.imwrite(str(tmp_path / "p.png"), picture)
    assert (read_photo(tmp_path / "p.png") == 255).all()
