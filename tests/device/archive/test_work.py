import logging
import threading

import cv2
import numpy as np
import pytest

from fer_edge.device.archive import work
from fer_edge.device.archive.settings import make_settings
from fer_edge.device.archive.tables import Rows
from fer_edge.device.archive.work import Analyzer
from fer_edge.device.faces import iou
from fer_edge.device.reader import FaceReader
from fer_edge.errors import ConfigError, ModelFileError
from fer_edge.preprocess import Box


@pytest.fixture(scope="module")
def analyzer(settings):
    return Analyzer(settings)


@pytest.fixture
def rows_of(analyzer):
    def add(path, kind="image", using=analyzer):
        rows = Rows()
        using.add(rows, str(path), kind)
        return rows.faces, rows.files

    return add


def box(row):
    return Box(row["x"], row["y"], row["w"], row["h"])


def test_an_image_as_the_reader_reads_it(rows_of, archive, model_path):
    (row,), (file,) = rows_of(archive / "a.jpg")
    (face,) = FaceReader(str(model_path)).read(archive / "a.jpg")
    assert (box(row), row["label"], row["track"], row["frame"]) == (face.box, face.label, None, 0)
    assert row["p_happy"] == round(face.scores["happy"], 4)
    assert (file["status"], file["faces"], file["frames"]) == ("read", 1, 1)


def test_a_large_image_is_decoded_smaller_and_its_boxes_are_its_own(rows_of, portrait, tmp_path):
    large = cv2.resize(portrait, None, fx=12, fy=12, interpolation=cv2.INTER_CUBIC)
    path = tmp_path / "large.jpg"
    cv2.imwrite(str(path), large)
    (small,), _ = rows_of(archive_image(portrait, tmp_path))
    (row,), (file,) = rows_of(path)
    assert (file["width"], file["height"]) == large.shape[1::-1]
    assert iou(box(row), Box(*(12 * value for value in box(small)))) > 0.7


def archive_image(portrait, folder):
    path = folder / "small.png"
    cv2.imwrite(str(path), portrait)
    return path


def test_a_video_is_tracked(rows_of, archive):
    faces, (file,) = rows_of(archive / "films" / "clip.mkv", "video")
    assert (file["status"], file["frames"], file["faces"]) == ("read", 12, len(faces))
    assert {row["track"] for row in faces} == {1}
    assert faces[-1]["time"] == pytest.approx(1.1)


def test_a_sampled_video(model_path, rows_of, archive):
    sampling = Analyzer(make_settings([model_path], detector="haar", every=0.5))
    faces, (file,) = rows_of(archive / "films" / "clip.mkv", "video", sampling)
    assert (file["frames"], {row["track"] for row in faces}) == (3, {None})
    assert {row["time"] for row in faces} == {0.0, 0.5, 1.0}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("cut.jpg", None, "that OpenCV cannot decode"),
        ("text.png", b"hello", "5 bytes that OpenCV cannot decode"),
        ("empty.jpg", b"", "0 bytes"),
        ("gone.jpg", ..., "cannot be read"),
    ],
)
def test_what_is_no_image_has_a_row_that_says_why(rows_of, archive, tmp_path, name, content, said):
    path = tmp_path / name
    if content is not ...:
        path.write_bytes((archive / "damaged.jpg").read_bytes() if content is None else content)
    faces, (file,) = rows_of(path)
    assert (faces, file["status"], file["faces"]) == ([], "unreadable", 0)
    assert said in file["reason"]


def test_a_video_that_ends_early_keeps_what_was_read(rows_of, archive, tmp_path):
    whole = (archive / "films" / "clip.mkv").read_bytes()
    (tmp_path / "cut.mkv").write_bytes(whole[: len(whole) * 2 // 3])
    faces, (file,) = rows_of(tmp_path / "cut.mkv", "video")
    assert (file["status"], file["faces"]) == ("damaged", len(faces))
    assert file["reason"]
    _, (none,) = rows_of(archive / "notes.md", "video")
    assert none["status"] == "unreadable"


def test_pixels_are_bounded(rows_of, tmp_path):
    cv2.imwrite(str(tmp_path / "wide.png"), np.zeros((10_001, 10_000), np.uint8))
    _, (file,) = rows_of(tmp_path / "wide.png")
    assert "expected at most 100 million pixels" in file["reason"]


def test_a_pipe_is_not_waited_for(rows_of, tmp_path):
    import os

    os.mkfifo(tmp_path / "pipe.jpg")
    _, (file,) = rows_of(tmp_path / "pipe.jpg")
    assert "a pipe" in file["reason"]


def test_a_worker_with_another_model_refuses(settings):
    import dataclasses

    with pytest.raises(ModelFileError, match="expected the model with SHA-256"):
        Analyzer(dataclasses.replace(settings, digests=("0" * 64,)))


def test_settings_are_checked(model_path):
    with pytest.raises(ConfigError):
        make_settings([model_path], every=-1)
    with pytest.raises(ConfigError):
        make_settings([])
    assert make_settings([model_path]).models == ("compact",)


def test_a_raw_stream_is_whole(rows_of, portrait, tmp_path):
    jpeg = cv2.imencode(".jpg", portrait)[1].tobytes()
    (tmp_path / "camera.mjpeg").write_bytes(jpeg * 5)
    _, (file,) = rows_of(tmp_path / "camera.mjpeg", "video")
    assert (file["status"], file["reason"], file["frames"]) == ("read", "", 5)


@pytest.mark.parametrize("kind", ["image", "video"])
def test_a_path_that_cannot_be_one(rows_of, kind):
    _, (file,) = rows_of("a\0b.jpg", kind)
    assert file["status"] == "unreadable"


def test_a_store_with_errors_of_its_own_has_a_row_that_says_so(rows_of, monkeypatch):
    from fsspec.implementations.memory import MemoryFileSystem

    class BotoError(Exception):
        """What no protocol but one knows."""

    def fail(*arguments, **options):
        raise BotoError("no credentials")

    monkeypatch.setattr(MemoryFileSystem, "open", fail)
    monkeypatch.setattr(MemoryFileSystem, "get_file", fail)
    for file, kind in (("memory://a.jpg", "image"), ("memory://a.mp4", "video")):
        _, (row,) = rows_of(file, kind)
        assert row["reason"] == f"{file}: cannot be read (no credentials)"


def test_warnings_of_another_thread_are_not_of_this_file():
    log = logging.getLogger("fer_edge.device.sources.video")
    with work._warnings() as said:
        other = threading.Thread(target=log.warning, args=("theirs",))
        other.start()
        other.join()
        log.warning("ours")
    assert said == ["ours"]
