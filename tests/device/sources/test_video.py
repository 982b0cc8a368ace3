import contextlib
import logging

import cv2
import numpy as np
import pytest

from fer_edge.device.sources.video import VideoSource
from fer_edge.errors import SourceError


def write_video(path, pictures, fps=25, code="mp4v"):
    size = (pictures[0].shape[1], pictures[0].shape[0])
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*code), fps, size)
    for picture in pictures:
        writer.write(picture)
    writer.release()
    return path


def numbered(count, size=(160, 120)):
    """Pictures whose brightness is their number."""
    return [np.full((size[1], size[0], 3), 10 * number, np.uint8) for number in range(count)]


def test_every_picture_in_order_with_its_time(clip, caplog):
    with VideoSource(str(clip)) as source:
        frames = list(source)
    assert (source.name, source.live, source.fps) == (str(clip), False, pytest.approx(10))
    assert [f.index for f in frames] == list(range(12))
    assert [f.time for f in frames] == pytest.approx([i / 10 for i in range(12)], abs=0.002)
    assert {(f.width, f.height) for f in frames} == {(320, 240)}
    assert not caplog.records


def test_it_can_be_played_again(tmp_path):
    path = write_video(tmp_path / "v.mkv", numbered(20))
    with VideoSource(str(path)) as source:
        first, second = ([round(f.y.mean() / 10) for f in source] for _ in range(2))
    assert first == second == list(range(20))


def test_playing_again_starts_over(tmp_path):
    source = VideoSource(str(write_video(tmp_path / "v.mkv", numbered(20))))
    frames = iter(source)
    assert [next(frames).index for _ in range(5)] == list(range(5))
    again = next(iter(source))
    assert (again.index, again.time, round(again.y.mean() / 10)) == (0, 0.0, 0)


def test_times_increase_where_the_file_stores_none(tmp_path, monkeypatch):
    path = write_video(tmp_path / "v.avi", numbered(10), fps=20, code="MJPG")
    source = VideoSource(str(path))
    real = source._capture

    class WithoutTimes:
        def get(self, key):
            return 0.0 if key == cv2.CAP_PROP_POS_MSEC else real.get(key)

        def __getattr__(self, name):
            return getattr(real, name)

    monkeypatch.setattr(source, "_capture", WithoutTimes())
    assert [f.time for f in source] == pytest.approx([i / 20 for i in range(10)])


def test_a_text_file_is_no_video(tmp_path, capfd):
    path = tmp_path / "notes.mp4"
    path.write_text("these are notes\n" * 50)
    with pytest.raises(SourceError, match=r"notes\.mp4: expected a video that this OpenCV can decode"):
        VideoSource(str(path))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("content", [b"", b"\x00" * 4096])
def test_an_empty_file_is_no_video(tmp_path, content):
    path = tmp_path / "empty.mkv"
    path.write_bytes(content)
    with pytest.raises(SourceError):
        list(VideoSource(str(path)))


def test_a_truncated_video_gives_what_it_has_and_one_warning(tmp_path, caplog, capfd):
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (120, 160, 3), dtype=np.uint8) for _ in range(40)]
    whole = write_video(tmp_path / "whole.mkv", noise)
    path = tmp_path / "part.mkv"
    path.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    source = VideoSource(str(path))
    with caplog.at_level(logging.WARNING):
        frames = [len(list(source)) for _ in range(2)]
    assert 0 < frames[0] < 30
    assert frames[0] == frames[1]
    (record,) = caplog.records
    assert record.getMessage() == (
        f"{path}: the file ends in the middle of a part, it is truncated or still being written; "
        f"{frames[0]} frames could be decoded"
    )
    assert capfd.readouterr().err == ""


def test_a_damaged_video_never_raises_anything_else(tmp_path, capfd):
    whole = write_video(tmp_path / "whole.mkv", numbered(25)).read_bytes()
    rng = np.random.default_rng(1)
    for _ in range(12):
        data = np.frombuffer(whole, np.uint8).copy()
        data[rng.integers(0, data.size, 60)] = rng.integers(0, 256, 60)
        path = tmp_path / "damaged.mkv"
        path.write_bytes(data.tobytes())
        with contextlib.suppress(SourceError):
            assert 0 < len(list(VideoSource(str(path)))) <= 26


def test_grey_video(tmp_path):
    path = tmp_path / "grey.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"FFV1"), 25, (64, 48), isColor=False)
    writer.write(np.full((48, 64), 90, np.uint8))
    writer.release()
    (frame,) = VideoSource(str(path))
    assert abs(int(frame.y[0, 0]) - 90) <= 2
    assert np.abs(frame.cb.astype(int) - 128).max() <= 2
