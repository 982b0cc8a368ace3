import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_edge.device.outputs.matroska import MatroskaWriter
from fer_edge.device.outputs.video import VideoOutput
from fer_edge.errors import OutputError
from tests.device.making import face, result


def read_video(path):
    """Return the pictures and their times in seconds."""
    capture, pictures, times = cv2.VideoCapture(str(path)), [], []
    while (got := capture.read())[0]:
        pictures.append(got[1])
        times.append(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
    return pictures, times


def test_the_video_holds_every_picture_with_its_faces(tmp_path):
    path = tmp_path / "out.MKV"
    with VideoOutput(path, 12.0) as output:
        for index in range(9):
            output.write(result(index, (160, 120), [face((60, 50, 40, 40))], time=index / 12))
    pictures, times = read_video(path)
    assert times == pytest.approx([index / 12 for index in range(9)], abs=0.001)
    capture = cv2.VideoCapture(str(path))
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(12, abs=0.1)
    assert capture.get(cv2.CAP_PROP_FRAME_COUNT) == 9
    assert pictures[0].shape == (120, 160, 3)
    assert pictures[4][50, 62:98, 1].mean() > 130  # the upper edge of the box, green on dark grey
    assert pictures[4][100, 62:98, 1].mean() < 70


def test_pictures_of_a_camera_keep_their_own_times(tmp_path):
    given_times = [3.0, 3.04, 3.5, 63.25]
    with VideoOutput(tmp_path / "out.mkv", None) as output:
        for index, time in enumerate(given_times):
            output.write(result(index, time=time))
    _, times = read_video(tmp_path / "out.mkv")
    assert times == pytest.approx([0, 0.04, 0.5, 60.25], abs=0.001)


def test_one_can_jump_in_a_finished_video(tmp_path):
    with VideoOutput(tmp_path / "out.mkv", 10.0) as output:
        for index in range(60):
            output.write(result(index))
    capture = cv2.VideoCapture(str(tmp_path / "out.mkv"))
    capture.set(cv2.CAP_PROP_POS_MSEC, 4500)
    ok, picture = capture.read()
    assert ok
    assert picture[0, 0].mean() == pytest.approx(40 + 45, abs=4)


def test_it_can_be_played_at_any_moment_and_cut_anywhere(tmp_path):
    path, cut = tmp_path / "out.mkv", tmp_path / "cut.mkv"
    ends = []
    with VideoOutput(path, 10.0) as output:
        for index in range(5):
            output.write(result(index))
            ends.append(path.stat().st_size)
            assert len(read_video(path)[0]) == index + 1
    data = path.read_bytes()
    for place in range(ends[1], ends[2], 97):
        cut.write_bytes(data[:place])
        assert len(read_video(cut)[0]) in (2, 3)  # a picture that lacks its last bytes may still be shown


def test_pictures_of_another_size_are_fitted(tmp_path):
    with VideoOutput(tmp_path / "out.mkv", None) as output:
        output.write(result(0, (160, 120)))
        output.write(result(1, (99, 77)))
    pictures, _ = read_video(tmp_path / "out.mkv")
    assert [picture.shape for picture in pictures] == [(120, 160, 3)] * 2


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (641, 479)])
def test_any_size(tmp_path, size):
    with VideoOutput(tmp_path / "out.mkv", 25) as output:
        output.write(result(0, size, []))
    pictures, _ = read_video(tmp_path / "out.mkv")
    assert [picture.shape for picture in pictures] == [(size[1], size[0], 3)]


@pytest.mark.parametrize("name", ["out.webm", "out.mp4", "out"])
def test_another_ending_is_refused_before_anything_is_written(tmp_path, name):
    with pytest.raises(OutputError, match=r"expected a name ending in \.mkv"):
        VideoOutput(tmp_path / name, 25)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(OutputError, match="cannot be written"):
        VideoOutput(tmp_path / "no" / "out.mkv", 25)


def test_a_folder_of_that_name(tmp_path):
    (tmp_path / "out.mkv").mkdir()
    with pytest.raises(OutputError, match="no regular file"):
        VideoOutput(tmp_path / "out.mkv", 25)


def test_no_picture_at_all(tmp_path):
    with VideoOutput(tmp_path / "out.mkv", 25):
        pass
    assert (tmp_path / "out.mkv").stat().st_size == 0


def elements(data):
    """Return the (id, content) of EBML elements of known length; RFC 8794, sections 4 and 5."""
    found = []
    while data:
        width = 9 - data[0].bit_length()
        identity, data = data[:width].hex(), data[width:]
        width = 9 - data[0].bit_length()
        length = int.from_bytes(data[:width], "big") & ((1 << 7 * width) - 1)
        found.append((identity, data[width : width + length]))
        assert len(found[-1][1]) == length
        data = data[width + length :]
    return found


@settings(max_examples=30, deadline=None)
@given(
    steps=st.lists(st.floats(0, 5000), max_size=30),
    length=st.sampled_from((0, 1, 125, 126, 127, 16381, 16382, 16383)),
    fps=st.none() | st.floats(0.1, 1000),
)
def test_the_structure_of_any_file(steps, length, fps, tmp_path_factory):
    path = tmp_path_factory.mktemp("mkv") / "out.mkv"
    times = np.cumsum(steps).tolist()
    with path.open("wb", buffering=0) as file:
        writer = MatroskaWriter(file, "out", (640, 480), fps)
        for time in times:
            writer.add(b"x" * length, time)
        writer.finish(0.04)
    (ebml, _), (segment, content) = elements(path.read_bytes())
    assert (ebml, segment) == ("1a45dfa3", "18538067")
    parts = elements(content)
    assert [identity for identity, _ in parts] == ["114d9b74", "ec", "1549a966", "1654ae6b"] + ["1f43b675"] * len(
        times
    ) + ["1c53bb6b"]
    clusters = [dict(elements(data)) for identity, data in parts if identity == "1f43b675"]
    assert [int.from_bytes(cluster["e7"], "big") for cluster in clusters] == [round(time * 1000) for time in times]
    assert all(cluster["a3"] == b"\x81\0\0\x80" + b"x" * length for cluster in clusters)
    for _, entry in elements(parts[0][1]):
        seek = dict(elements(entry))
        place = int.from_bytes(seek["53ac"], "big")
        assert content[place : place + len(seek["53ab"])] == seek["53ab"]
    for _, entry in elements(parts[-1][1]):
        point = dict(elements(entry))
        place = int.from_bytes(dict(elements(point["b7"]))["f1"], "big")
        assert content[place : place + 4].hex() == "1f43b675"


@pytest.mark.parametrize("size", [(66_000, 16), (16, 66_000)])
def test_a_frame_that_no_jpeg_holds_ends_in_one_line(tmp_path, size):
    with (
        pytest.raises(OutputError, match=f"cannot store pictures of {size[0]}x{size[1]}; leave --save out"),
        VideoOutput(tmp_path / "out.mkv", 10.0) as output,
    ):
        output.write(result(0, size))


def test_the_number_of_a_track_is_seen(tmp_path):
    """Two people in the same place, one after the other, are told apart in the video."""
    pictures = []
    for number in (1, 2):
        path = tmp_path / f"{number}.mkv"
        with VideoOutput(path, 10.0) as video:
            video.write(result(0, (320, 240), [face((100, 100, 80, 80), number=number)]))
        pictures.append(cv2.VideoCapture(str(path)).read()[1].astype(int))
    assert abs(pictures[0] - pictures[1]).max() > 60
