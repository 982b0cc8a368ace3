"""Which videos are called truncated: those whose parts are, and not those with fewer frames than announced."""

import struct

import cv2
import numpy as np
import pytest

from fer_edge.device.outputs.matroska import MatroskaWriter
from fer_edge.device.sources.container import is_cut
from fer_edge.device.sources.edit_list import shows_all
from fer_edge.device.sources.video import VideoSource
from fer_edge.errors import SourceError
from tests.device.sources.http_camera import jpeg


def write_matroska(path, times, fps=None, finish=True):
    with path.open("wb", buffering=0) as file:
        writer = MatroskaWriter(file, str(path), (64, 48), fps)
        for number, time in enumerate(times):
            writer.add(jpeg(number), time)
        if finish:
            writer.finish(0.04)
    return path


def write_opencv(path, count=40):
    random = np.random.default_rng(0)
    writer = cv2.VideoWriter(
        str(path), cv2.VideoWriter.fourcc(*("MJPG" if path.suffix == ".avi" else "mp4v")), 20, (64, 48)
    )
    for _ in range(count):
        writer.write(random.integers(0, 256, (48, 64, 3), np.uint8))
    writer.release()
    return path


def warnings_of(path, caplog):
    caplog.clear()
    with VideoSource(str(path)) as source:
        count = sum(1 for _ in source)
    return count, [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize(
    "times",
    [
        [0.05 * number for number in range(20)] + [1 + 0.5 * number for number in range(20)],  # of varying rate
        [3600 + 0.05 * number for number in range(40)],  # a part of a longer recording
        [60.0 * number for number in range(10)],  # time lapse
    ],
)
@pytest.mark.parametrize("fps", [None, 20.0])  # with 20 as fer-edge's own --save, whose loop took fewer frames
def test_fewer_frames_than_announced_are_no_damage(tmp_path, caplog, times, fps):
    assert warnings_of(write_matroska(tmp_path / "v.mkv", times, fps), caplog) == (len(times), [])


def test_an_edit_list_is_no_damage(tmp_path, caplog):
    path = write_opencv(tmp_path / "v.mp4")
    data = bytearray(path.read_bytes())
    place = data.index(b"elst") + 4
    assert struct.unpack_from(">II", data, place) == (0, 1)  # version, entries
    duration, start = struct.unpack_from(">Ii", data, place + 8)
    timescale = struct.unpack_from(">I", data, data.index(b"mdhd") + 16)[0]
    struct.pack_into(">Ii", data, place + 8, duration // 4, start + timescale * 3 // 2)
    path.write_bytes(data)
    count, messages = warnings_of(path, caplog)
    assert 0 < count < 20
    assert messages == []


def test_a_recording_that_was_killed_between_two_frames_is_whole(tmp_path, caplog):
    path = write_matroska(tmp_path / "v.mkv", [0.04 * number for number in range(10)], finish=False)
    assert warnings_of(path, caplog) == (10, [])


@pytest.mark.parametrize("finish", [True, False])
def test_a_matroska_file_that_was_cut(tmp_path, caplog, finish):
    path = write_matroska(tmp_path / "v.mkv", [0.04 * number for number in range(10)], finish=finish)
    path.write_bytes(path.read_bytes()[:3000])
    count, messages = warnings_of(path, caplog)
    assert 0 < count < 10
    assert messages == [
        f"{path}: the file ends in the middle of a part, it is truncated or still being written; "
        f"{count} frames could be decoded"
    ]


def test_zeros_at_the_end_as_a_power_cut_leaves_them(tmp_path, caplog):
    path = write_matroska(tmp_path / "v.mkv", [0.04 * number for number in range(10)], finish=False)
    data = path.read_bytes()
    path.write_bytes(data[:3000] + bytes(len(data) - 3000))
    assert len(warnings_of(path, caplog)[1]) == 1


def test_an_avi_file_that_was_cut(tmp_path, caplog):
    path = write_opencv(tmp_path / "v.avi")
    assert warnings_of(path, caplog) == (40, [])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    count, messages = warnings_of(path, caplog)
    assert 0 < count < 40
    assert len(messages) == 1


def test_an_mp4_file_that_was_cut(tmp_path):
    path = write_opencv(tmp_path / "v.mp4")
    data = path.read_bytes()
    assert not is_cut(path)
    path.write_bytes(data + bytes(100))  # padding
    assert not is_cut(path)
    path.write_bytes(data[: len(data) // 2])  # without the index, which is at the end
    assert is_cut(path)
    with pytest.raises(SourceError, match="found one that ends in the middle of a part"):
        VideoSource(str(path))


def test_an_mp4_file_whose_frames_cannot_be_decoded(tmp_path, caplog):
    path = write_opencv(tmp_path / "v.mp4")
    assert warnings_of(path, caplog) == (40, [])
    data = bytearray(path.read_bytes())
    start, end = data.index(b"mdat") + 4, data.index(b"moov") - 4
    middle = (start + end) // 2
    data[middle:end] = bytes(end - middle)  # as a power cut leaves it
    path.write_bytes(data)
    count, messages = warnings_of(path, caplog)
    assert 0 < count < 38
    assert messages == [f"{path}: only {count} of its 40 frames could be decoded; the file is damaged"]


@pytest.mark.parametrize("length", [0, 7, 8, 20, 60, 200, 400])
def test_an_index_that_is_cut_says_nothing(tmp_path, length):
    path = write_opencv(tmp_path / "v.mp4", 3)
    data = path.read_bytes()
    assert shows_all(path)
    start = data.index(b"moov") - 4
    path.write_bytes(data[:start] + (length + 8).to_bytes(4, "big") + b"moov" + data[start + 8 : start + 8 + length])
    assert shows_all(path) in (True, False)


@pytest.mark.parametrize("content", [b"", b"\x1a\x45\xdf\xa3", b"RIFF", b"0000ftyp", b"text of any kind", bytes(40)])
def test_no_content_is_too_short_or_strange(tmp_path, content):
    path = tmp_path / "v"
    path.write_bytes(content)
    assert is_cut(path) in (True, False)
    assert not shows_all(path)
