"""Whole photos in place of faces."""

import cv2
import numpy as np
import pytest

from fer_edge.convert.config import ConvertConfig
from fer_edge.device.classify import Ensemble, open_models
from fer_edge.device.detection.face import FaceNetworks
from fer_edge.device.reader import FaceReader
from fer_edge.errors import ConfigError, DataError
from fer_edge.faces.finder import FaceFinder
from fer_edge.preprocess import face_to_input, planes_of, to_grey
from fer_edge.train.data.form import Form
from fer_edge.train.data.load import load_dataset
from fer_edge.train.runs.config import TrainConfig
from fer_edge.train.runs.data import open_data
from tests.train.data.trees import face, picture, portrait, put, zipped


def images_of(dataset):
    return {
        dataset.file_of(split, i): image for split in dataset.splits.values() for i, image in enumerate(split.images)
    }


def test_photos_become_the_crops_that_a_device_sees(photos):
    dataset = load_dataset(str(photos))
    found = images_of(dataset)
    assert len(found) == 11
    reader = FaceReader("nano", FaceNetworks())
    for name in ("happy/0.png", "neutral/3.png", "neutral/two.png"):
        bgr = cv2.imread(str(photos / name))
        largest = max(reader.read(bgr), key=lambda face: face.box.w)
        assert np.array_equal(found[name], face_to_input(to_grey(bgr), largest.box, 48)), name


def test_upright_faces_are_those_that_a_device_sees(photos, tmp_path):
    tilted = tmp_path / "tilted"
    for name in (f"{label}/{number}.png" for label in ("happy", "neutral") for number in range(5)):
        bgr = cv2.imread(str(photos / name))
        height, width = bgr.shape[:2]
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), 25, 1)
        put(tilted, name, cv2.warpAffine(bgr, turn, (width, height), borderMode=cv2.BORDER_REPLICATE))
    dataset = load_dataset(str(tilted), faces="upright")
    assert dataset.photos.upright
    boxed = images_of(load_dataset(str(tilted), faces="crop"))
    reader = FaceReader("nano", FaceNetworks())
    for name, image in images_of(dataset).items():
        bgr = cv2.imread(str(tilted / name))
        largest = max(reader.read(bgr), key=lambda face: face.box.w)
        seen = face_to_input(to_grey(bgr), largest.box, 48, largest.landmarks)
        assert np.abs(image.astype(int) - seen).mean() < 0.5, name  # landmarks are kept in sixteenths of a pixel
        assert np.abs(image.astype(int) - boxed[name]).mean() > 5


def test_photos_without_a_face_and_with_several_are_named(photos):
    dataset = load_dataset(str(photos))
    assert dataset.photos.photos == 12
    assert dataset.photos.without == ("happy/wall.png",)
    assert dataset.photos.several == ("neutral/two.png",)
    text = "\n".join(dataset.notes)
    for said in ("12 whole photos", "such as happy/wall.png", "such as neutral/two.png"):
        assert said in text


def test_as_is_takes_them_whole(photos):
    dataset = load_dataset(str(photos), faces="as-is")
    assert dataset.photos is None
    assert len(images_of(dataset)) == 12


@pytest.mark.parametrize("size", [48, 98, 224])
def test_crops_are_taken_as_they_are(tmp_path, size):
    for number in range(4):
        for name, sign in (("happy", 1), ("sad", -1)):
            put(tmp_path, f"{name}/{number}.png", cv2.resize(face(sign * number), (size, size)))
    dataset = load_dataset(str(tmp_path))
    assert dataset.photos is None
    assert dataset.fingerprint == load_dataset(str(tmp_path), faces="as-is").fingerprint


def test_what_shows_no_faces_is_taken_as_it_is_unless_faces_are_asked_for(tmp_path):
    for number in range(20):
        put(tmp_path, f"{'ab'[number % 2]}/{number}.png", picture(number, 120))
    assert load_dataset(str(tmp_path)).photos is None
    with pytest.raises(DataError, match="expected photos with faces, found none in 20; see --faces as-is"):
        load_dataset(str(tmp_path), faces="crop")


def test_a_class_whose_photos_show_no_face_is_named(photos):
    for number in range(3):
        put(photos, f"sad/{number}.png", np.full((200, 300, 3), 60 + number, np.uint8))
    assert any("class 'sad' shows a face" in note for note in load_dataset(str(photos)).notes)


def test_a_zip_is_cut_as_a_folder_is(photos, tmp_path):
    folder, archive = load_dataset(str(photos)), load_dataset(str(zipped(photos, tmp_path / "own.zip")))
    assert archive.fingerprint == folder.fingerprint
    assert archive.photos == folder.photos


def test_what_was_found_is_remembered_until_a_photo_changes(photos, monkeypatch):
    first = load_dataset(str(photos))
    searched = []
    find = FaceFinder.find
    monkeypatch.setattr(FaceFinder, "find", lambda *arguments: searched.append(1) or find(*arguments))
    again = load_dataset(str(photos))
    assert not searched
    assert (again.fingerprint, again.photos, again.files) == (first.fingerprint, first.photos, first.files)
    put(photos, "happy/0.png", np.full((200, 300, 3), 90, np.uint8))
    assert load_dataset(str(photos)).photos.without == ("happy/0.png", "happy/wall.png")
    assert searched


def test_joined_sets_say_which_photos_are_meant(photos, tmp_path):
    crops = tmp_path / "crops"
    for number in range(4):
        put(crops, f"happy/{number}.png", face(number))
        put(crops, f"sad/{number}.png", face(-1 - number))
    joined = load_dataset(f"{photos}+{crops}")
    assert joined.photos.photos == 12
    assert joined.photos.without == ("own/happy/wall.png",)
    assert {"happy/0.png", "sad/3.png", "neutral/two.png"} <= images_of(joined).keys()


def test_boxes_of_a_data_set_win(tmp_path):
    put(tmp_path, "photo.jpg", portrait())
    put(tmp_path, "other.jpg", portrait(9))
    lines = [f"{name} 0 65 79 177 163 99 {label}" for name in ("photo.jpg", "other.jpg") for label in (3, 3, 6, 6)]
    (tmp_path / "label.lst").write_text("\n".join(lines))
    assert load_dataset(str(tmp_path)).photos is None


def test_a_run_and_a_conversion_are_told_what_to_do(photos):
    assert open_data(str(photos), mapping={}, faces="as-is").photos is None
    assert open_data(str(photos), mapping={}).photos.photos == 12
    with pytest.raises(ConfigError, match="`faces` is for data that are to be read"):
        open_data(load_dataset(str(photos)), mapping={}, faces="crop")
    for configuration in (TrainConfig, ConvertConfig):
        arguments = {"out": "x"} if configuration is TrainConfig else {"model": "m.keras", "data": str(photos)}
        assert configuration(**arguments).faces == "auto"
        with pytest.raises(ConfigError, match="`faces`: expected one of auto, crop, upright, as-is, found 'cut'"):
            configuration(**arguments, faces="cut")


def test_a_model_that_wants_eyes_upright_gets_the_crops_that_a_device_cuts(tmp_path):
    """Photos are tilted, so that box and landmarks frame the face otherwise."""
    for number in range(4):
        for name, degrees in (("happy", 15), ("sad", -20)):
            bgr = portrait(number + degrees)
            turn = cv2.getRotationMatrix2D((128, 114), degrees, 1)
            put(
                tmp_path, f"{name}/{number}.png", cv2.warpAffine(bgr, turn, (256, 288), borderMode=cv2.BORDER_REPLICATE)
            )
    eyes = load_dataset(str(tmp_path), form=Form(framing="eyes"))
    by_box = load_dataset(str(tmp_path))
    assert eyes.fingerprint != by_box.fingerprint
    bgr = cv2.imread(str(tmp_path / "happy/0.png"))
    (found,) = FaceReader("nano", FaceNetworks()).read(bgr)
    upright = Ensemble(open_models("nano"), upright=True)
    (expected,) = upright.crops(planes_of(bgr), found.box, found.landmarks)
    assert np.abs(images_of(eyes)["happy/0.png"].astype(int) - expected).max() <= 1
    assert np.abs(images_of(by_box)["happy/0.png"].astype(int) - expected).max() > 20
