"""Folders of photos."""

import cv2
import numpy as np
import pytest

from fer_edge.device.archive.photos import PhotoRun, list_photos
from fer_edge.device.reader import FaceReader
from fer_edge.errors import SourceError
from fer_edge.preprocess import face_to_input, square_around, to_grey


@pytest.fixture
def folder(tmp_path, portrait):
    for name in ("b.jpg", "a.png", "deep/er/c.png", ".hidden/d.png", ".e.png"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), portrait)
    (tmp_path / "photos/notes.txt").write_text("no photo")
    return tmp_path / "photos"


def test_photos_of_folders_come_in_the_order_of_their_names(folder, tmp_path):
    assert list_photos([folder]) == [folder / "a.png", folder / "b.jpg"]
    inside = [*list_photos([folder]), folder / "deep/er/c.png"]
    assert list_photos([folder], recursive=True) == inside
    assert list_photos([folder], recursive=True, but=[folder / "deep"]) == inside[:2]
    alone = tmp_path / "no photo at all"
    assert list_photos([alone, folder]) == [alone, *inside[:2]]  # what is named is read, or refused when it is


def test_a_folder_without_photos_is_refused(folder, tmp_path):
    bare = tmp_path / "bare"
    bare.mkdir()
    with pytest.raises(SourceError, match=r"deep: expected photos \(.*\), found none; --recursive looks into"):
        list_photos([folder / "deep"])
    with pytest.raises(SourceError, match=r"found none$"):
        list_photos([bare], recursive=True)


def test_crops_are_what_the_model_saw(model, folder, tmp_path, portrait):
    reader = FaceReader(model)
    two = folder / "two.png"
    cv2.imwrite(str(two), np.hstack([portrait, portrait]))
    with PhotoRun(reader, [two], crops=tmp_path / "crops") as photo_run:
        result = photo_run.read(two)
    assert [path.name for path in result.crops] == ["two-face1.png", "two-face2.png"]
    bgr = cv2.imread(str(two))
    for face, path in zip(result.faces, result.crops, strict=True):
        crop = cv2.imread(str(path))
        x, y, side, _ = square_around(face.box, bgr.shape[1], bgr.shape[0])
        assert np.array_equal(crop, bgr[y : y + side, x : x + side])
        whole = face_to_input(to_grey(bgr), face.box, 48)
        assert np.array_equal(cv2.resize(to_grey(crop), (48, 48), interpolation=cv2.INTER_AREA), whole)
    assert [face["crop"] for face in result.to_dict()["faces"]] == [str(path) for path in result.crops]


def test_faces_of_photos_of_one_name_stay_apart(model, folder, tmp_path):
    files = [folder / "a.png", folder / "b.jpg", tmp_path / "a.jpg"]
    files[2].write_bytes((folder / "b.jpg").read_bytes())
    with PhotoRun(FaceReader(model), files, crops=tmp_path / "crops") as photo_run:
        crops = [path.name for file in files for path in photo_run.read(file).crops]
    assert crops == ["a-face1.png", "b-face1.png", "a-2-face1.png"]


def test_what_was_read_is_counted(model, folder, tmp_path):
    grey = folder / "grey.png"
    cv2.imwrite(str(grey), np.full((80, 80), 90, np.uint8))
    with PhotoRun(FaceReader(model), [folder / "a.png", grey, folder / "notes.txt"]) as photo_run:
        photo_run.read(folder / "a.png")
        photo_run.read(grey)
        with pytest.raises(SourceError):
            photo_run.read(folder / "notes.txt")
    assert (photo_run.photos, photo_run.faces, photo_run.without) == (2, 1, 1)
