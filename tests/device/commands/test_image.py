import contextlib
import csv
import json

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from fer_edge.device.detection.cascade import HaarCascade
from fer_edge.device.faces import iou
from fer_edge.device.reader import FaceReader
from fer_edge.device.sources.folder import read_photo
from fer_edge.faces.photo import SEARCH_PIXELS
from fer_edge.preprocess import Box, face_to_input


@pytest.fixture
def image(model_path):
    def invoke(*arguments):
        return CliRunner().invoke(main, ["image", "--model", str(model_path), *map(str, arguments)])

    return invoke


@pytest.fixture
def photo(tmp_path, portrait):
    path = tmp_path / "photo.jpg"
    cv2.imwrite(str(path), portrait)
    return path


@pytest.fixture
def empty(tmp_path):
    path = tmp_path / "empty.png"
    cv2.imwrite(str(path), np.full((60, 80, 3), 200, np.uint8))
    return path


def test_the_table(image, photo, empty):
    result = image(photo, empty)
    assert result.exit_code == 0, result.output
    rows = result.stdout.splitlines()
    assert rows[0] == f"{photo}: 1 face"
    assert rows[1].split()[0] == "1"
    assert rows[2:] == [f"{empty}: 0 faces"]
    assert result.stderr == ""


def test_json(image, photo, empty, model):
    result = image(photo, empty, "--json")
    assert result.exit_code == 0, result.output
    first, second = json.loads(result.stdout)
    assert (first["file"], second) == (str(photo), {"file": str(empty), "faces": []})
    (face,) = first["faces"]
    assert iou(Box(*face["box"]), Box(79, 65, 98, 98)) > 0.7
    assert set(face["scores"]) == set(model.info.labels)
    assert face["score"] == face["scores"][face["label"]]


def test_faces_are_numbered_from_left_to_right(image, portrait, tmp_path):
    path = tmp_path / "two.png"
    cv2.imwrite(str(path), np.hstack([portrait, portrait]))
    (result,) = json.loads(image(path, "--json").stdout)
    assert [face["id"] for face in result["faces"]] == [1, 2]
    assert result["faces"][0]["box"][0] < 256 < result["faces"][1]["box"][0]


def test_a_bad_photo_does_not_stop_the_others(image, photo, tmp_path):
    bad = tmp_path / "bad.jpg"
    bad.write_text("no photo")
    result = image(bad, photo, "--json")
    assert result.exit_code == 1
    assert [entry["file"] for entry in json.loads(result.stdout)] == [str(photo)]
    assert (
        result.stderr == f"Error: {bad}: expected a photo (JPEG, PNG, ...), found 8 bytes that OpenCV cannot decode\n"
    )


def test_a_photo_that_is_not_there_is_wrong_usage(image, photo, tmp_path):
    result = image(photo, tmp_path / "no.jpg")
    assert result.exit_code == 2
    assert result.stdout == ""


def test_annotated_copies(image, photo, tmp_path):
    before = photo.read_bytes()
    out = tmp_path / "new" / "folder"
    assert image(photo, "--out", out).exit_code == 0
    copy = cv2.imread(str(out / "photo-faces.jpg")).astype(int)
    original = cv2.imread(str(photo)).astype(int)
    assert copy.shape == original.shape
    label = copy[50:62, 90:140]  # above the box, written on a dark ground
    assert np.median(label) < 60 < label.max()
    assert np.abs(copy[200:] - original[200:]).mean() < 3
    assert photo.read_bytes() == before


def test_nothing_that_was_given_is_overwritten(image, photo, portrait, tmp_path):
    other = tmp_path / "other" / "photo.jpg"
    other.parent.mkdir()
    named_like_a_copy = tmp_path / "photo-faces.jpg"
    for path in (other, named_like_a_copy):
        cv2.imwrite(str(path), portrait)
    before = {path: path.read_bytes() for path in (photo, other, named_like_a_copy)}
    assert image(*before, "--out", tmp_path).exit_code == 0
    assert {path: path.read_bytes() for path in before} == before
    names = {path.name for path in tmp_path.glob("*.jpg")} - {"photo.jpg", "photo-faces.jpg"}
    assert names == {"photo-faces-2.jpg", "photo-faces-3.jpg", "photo-faces-faces.jpg"}


def test_a_photo_without_an_ending_becomes_a_png(image, photo, tmp_path):
    plain = tmp_path / "plain"
    photo.rename(plain)
    assert image(plain, "--out", tmp_path / "out").exit_code == 0
    assert cv2.imread(str(tmp_path / "out" / "plain-faces.png")).shape == (288, 256, 3)


def test_a_folder_that_cannot_be_made(image, photo):
    result = image(photo, "--out", photo / "sub")
    assert result.exit_code in (1, 2)
    assert "Traceback" not in result.output
    assert isinstance(result.exception, SystemExit)


@pytest.mark.parametrize("ending", [".pgm", ".pbm"])
def test_a_grey_format_becomes_a_png(image, portrait, tmp_path, ending):
    path = tmp_path / f"grey{ending}"
    cv2.imwrite(str(path), cv2.cvtColor(portrait, cv2.COLOR_BGR2GRAY))
    result = image(path, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert cv2.imread(str(tmp_path / "out" / "grey-faces.png")).shape == (288, 256, 3)


def test_a_copy_that_its_format_cannot_hold_does_not_stop_the_others(image, photo, tmp_path):
    wide = tmp_path / "wide.jpg"
    _, png = cv2.imencode(".png", np.zeros((30, 66_000, 3), np.uint8))
    wide.write_bytes(png)  # OpenCV goes by the content
    result = image(wide, photo, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: {tmp_path / 'out' / 'wide-faces.jpg'}: expected a picture that .jpg can")
    assert result.stderr.count("\n") == 1
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["photo-faces.jpg"]


@pytest.mark.parametrize("error", [MemoryError("no room"), cv2.error("no room")])
def test_a_photo_too_large_for_the_memory_does_not_stop_the_others(image, photo, empty, monkeypatch, error):
    def read(self, bgr):
        if bgr.shape[0] == 60:
            raise error
        return original(self, bgr)

    original = FaceReader.read
    monkeypatch.setattr(FaceReader, "read", read)
    result = image(empty, photo, "--json")
    assert result.exit_code == 1
    assert [entry["file"] for entry in json.loads(result.stdout)] == [str(photo)]
    assert result.stderr.startswith(f"Error: {empty}: a photo that OpenCV refuses (")
    assert result.stderr.count("\n") == 1


def test_a_large_photo_is_searched_small_and_its_boxes_are_its_own(image, portrait, model, tmp_path, monkeypatch):
    searched = []
    original = HaarCascade.detect
    monkeypatch.setattr(HaarCascade, "detect", lambda *args: searched.append(args[1].y.size) or original(*args))
    path = tmp_path / "large.jpg"
    large = cv2.resize(portrait, None, fx=10, fy=10, interpolation=cv2.INTER_CUBIC)
    cv2.imwrite(str(path), large)
    ((face,),) = [entry["faces"] for entry in json.loads(image(path, "--json").stdout)]
    assert searched[0] <= SEARCH_PIXELS < large.shape[0] * large.shape[1]
    assert iou(Box(*face["box"]), Box(790, 650, 980, 980)) > 0.7
    luma = cv2.cvtColor(read_photo(path), cv2.COLOR_BGR2GRAY)
    scores = model.scores(face_to_input(luma, Box(*face["box"]), model.info.input_size))
    assert list(face["scores"].values()) == pytest.approx(scores.tolist(), abs=1e-3)


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_a_folder_becomes_a_table_with_crops(image, photo, empty, portrait, tmp_path):
    inside = tmp_path / "inside"
    inside.mkdir()
    cv2.imwrite(str(inside / "two.png"), np.hstack([portrait, portrait]))
    table, crops = tmp_path / "faces.csv", tmp_path / "crops"
    result = image(tmp_path, "--recursive", "--csv", table, "--crops", crops)
    assert result.exit_code == 0, result.output
    assert result.stdout == f"3 photos, 3 faces, 1 photos without a face: {table}\n"
    rows = rows_of(table)
    files = [str(empty), str(photo), *[str(inside / "two.png")] * 2]
    assert [(row["file"], row["face"]) for row in rows] == list(zip(files, ["", "1", "1", "2"], strict=True))
    assert [bool(row["crop"]) for row in rows] == [False, True, True, True]
    assert all(cv2.imread(row["crop"]).shape[0] == int(row["w"]) for row in rows[1:])
    again = image(tmp_path, "--recursive", "--csv", table, "--crops", crops)
    assert again.stdout == result.stdout  # what was written is not read


def test_a_table_says_what_json_says(image, photo, tmp_path):
    table = tmp_path / "faces.csv"
    (entry,) = json.loads(image(photo, "--csv", table, "--json").stdout)
    (row,) = rows_of(table)
    (face,) = entry["faces"]
    assert [int(row[name]) for name in "xywh"] == face["box"]
    assert {name: float(row[f"p_{name}"]) for name in face["scores"]} == face["scores"]
    assert image(photo, "--csv", "-").stdout == table.read_text()


def test_a_bad_photo_is_missing_in_the_table(image, photo, tmp_path):
    bad = tmp_path / "bad.jpg"
    bad.write_text("no photo")
    result = image(tmp_path, "--csv", tmp_path / "faces.csv")
    assert result.exit_code == 1
    assert result.stdout.endswith("faces.csv; others could not be read\n")
    assert [row["file"] for row in rows_of(tmp_path / "faces.csv")] == [str(photo)]


def test_a_table_replaces_no_photo(image, photo):
    result = image(photo, "--csv", photo)
    assert (result.exit_code, "name the same file twice" in result.stderr) == (2, True)


def test_a_bar_where_nothing_else_is_shown(image, photo, empty, tmp_path, monkeypatch):
    shown = []
    monkeypatch.setattr(
        "fer_edge.device.commands.image.click.progressbar",
        lambda files, **options: shown.append(len(files)) or contextlib.nullcontext(files),
    )
    monkeypatch.setattr("fer_edge.device.commands.image._terminal", lambda stream: stream == "stderr")
    assert image(photo, empty, "--csv", tmp_path / "faces.csv").exit_code == 0
    assert image(photo, empty, "--json").exit_code == 0
    assert shown == [2, 2]
    monkeypatch.setattr("fer_edge.device.commands.image._terminal", lambda stream: True)
    image(photo, empty)
    image(photo, "--csv", tmp_path / "faces.csv")
    assert shown == [2, 2]


def test_blurred_faces_are_named_and_left_out_on_demand(image, tmp_path, portrait):
    path = tmp_path / "blurred.png"
    cv2.imwrite(str(path), cv2.GaussianBlur(portrait, (0, 0), 5))
    (found,) = json.loads(image("--json", path).stdout)[0]["faces"]
    assert (found["reason"], found["uncertain"]) == ("blurred", True)
    assert found["quality"] < 0.5
    line = image(path).stdout.splitlines()[1]
    assert "? " in line
    assert line.endswith("blurred")
    assert json.loads(image("--json", "--min-quality", "0.5", path).stdout)[0]["faces"] == []


def test_a_prior_changes_the_scores(image, photo):
    def happy(*arguments):
        return json.loads(image("--json", *arguments, photo).stdout)[0]["faces"][0]["scores"]["happy"]

    rare = "angry=1,disgust=1,fear=1,happy=0.01,sad=1,surprise=1,neutral=1"
    assert happy("--prior", rare) < happy("--prior", "uniform") < happy()
    assert image("--prior", "happy=1", photo).exit_code == 2


@pytest.mark.parametrize("value", ["-0.1", "1.1", "nan", "x"])
def test_a_quality_out_of_range_is_refused(image, photo, value):
    assert image("--min-quality", value, photo).exit_code == 2


def test_an_uncertain_face_looks_uncertain_in_the_text(image, photo, monkeypatch):
    assert "happy?" not in image(photo).stdout
    monkeypatch.setattr("fer_edge.device.results.UNCERTAIN", 1.1)
    assert "happy?" in image(photo).stdout


def test_upright_needs_a_detector_that_finds_eyes(image, photo):
    refused = image("--upright", photo)
    assert refused.exit_code == 2
    assert "--upright needs eyes, which haar does not find; give --detector face or yunet" in refused.output
    found = [
        json.loads(image("--json", "--detector", "face", *more, photo).stdout)[0]["faces"][0]
        for more in ([], ["--upright"])
    ]
    assert found[0]["box"] == found[1]["box"]
    assert found[0]["scores"] != found[1]["scores"]
