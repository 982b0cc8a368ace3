"""The faces of photos as files."""

import csv
import json

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from fer_edge.errors import DataError, OutputError
from fer_edge.train.data.load import load_dataset
from fer_edge.train.data.photos.crops import crop_photos
from tests.train.data.trees import portrait, put


def test_training_on_the_crops_sees_what_training_on_the_photos_sees(photos, tmp_path):
    done = crop_photos(photos, tmp_path / "crops")
    assert (done.crops, done.without, done.several) == (11, ("happy/wall.png",), ("neutral/two.png",))
    whole, cut = load_dataset(str(photos)), load_dataset(str(tmp_path / "crops"))
    assert cut.photos is None
    for name, split in whole.splits.items():
        assert sorted(split.hashes()) == sorted(cut.splits[name].hashes())


def test_the_list_names_every_photo(photos, tmp_path):
    crop_photos(photos, tmp_path / "crops")
    with (tmp_path / "crops/faces.csv").open(newline="") as stream:
        rows = {row["file"]: row for row in csv.DictReader(stream)}
    assert len(rows) == 12
    assert rows["happy/wall.png"] == {
        "file": "happy/wall.png",
        "faces": "0",
        **dict.fromkeys(("x", "y", "w", "h", "crop"), ""),
    }
    assert rows["neutral/two.png"]["faces"] == "2"
    first = rows["happy/0.png"]
    x, y, w, h = (int(first[name]) for name in "xywh")
    crop = cv2.imread(str(tmp_path / "crops" / first["crop"]))
    assert w == h
    assert np.array_equal(crop, portrait()[y : y + h, x : x + w])


def test_names_that_differ_by_their_ending_stay_apart(tmp_path):
    put(tmp_path, "photos/a.png", portrait())
    put(tmp_path, "photos/a.bmp", portrait(5))
    assert crop_photos(tmp_path / "photos", tmp_path / "crops").crops == 2
    assert {path.name for path in (tmp_path / "crops").iterdir()} == {"a.png", "a-2.png", "faces.csv"}


def test_nothing_is_mixed_with_what_is_there(photos, tmp_path):
    with pytest.raises(OutputError, match="among them"):
        crop_photos(photos, photos / "crops")
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").write_text("mine")
    with pytest.raises(OutputError, match="new or empty folder"):
        crop_photos(photos, tmp_path / "full")
    (tmp_path / "bare").mkdir()
    with pytest.raises(DataError, match="expected photos"):
        crop_photos(tmp_path / "bare", tmp_path / "crops")


def test_the_command(photos, tmp_path):
    result = CliRunner().invoke(main, ["data", "crop", str(photos), "--out", str(tmp_path / "crops")])
    assert result.exit_code == 0, result.output
    assert (
        result.output.splitlines()[0]
        == f"11 faces in {tmp_path / 'crops'}, every photo in {tmp_path / 'crops/faces.csv'}"
    )
    assert "1 photos without a face:\n  happy/wall.png" in result.output
    again = CliRunner().invoke(main, ["data", "crop", str(photos), "--out", str(tmp_path / "two"), "--json"])
    assert json.loads(again.stdout)["several"] == ["neutral/two.png"]


def test_inspect_lists_them(photos):
    text = CliRunner().invoke(main, ["data", "inspect", str(photos)]).output
    assert "1 photos with several faces, of which the largest is taken:\n  neutral/two.png" in text
    document = json.loads(CliRunner().invoke(main, ["data", "inspect", str(photos), "--json"]).stdout)
    assert document["photos"]["without"] == ["happy/wall.png"]
    whole = CliRunner().invoke(main, ["data", "inspect", str(photos), "--faces", "as-is", "--json"])
    assert json.loads(whole.stdout)["photos"] is None
