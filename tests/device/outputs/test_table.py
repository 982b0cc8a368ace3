"""Faces as rows of a CSV file."""

import csv
import dataclasses
import json
import os
import threading

import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from fer_edge.device.outputs.table import COLUMNS, CsvLines
from fer_edge.device.run import RunConfig
from fer_edge.errors import ConfigError
from tests.device.making import face, result

LABELS = ("angry", "happy")


def rows_of(path):
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_a_row_a_face_in_the_documented_order(tmp_path):
    path = tmp_path / "faces.csv"
    with CsvLines(str(path), LABELS) as output:
        assert path.read_text() == ",".join((*COLUMNS, "p_angry", "p_happy")) + "\n"
        output.write(result(3))
        assert len(path.read_text().splitlines()) == 2  # at once
    (row,) = rows_of(path)
    expected = {"file": "", "frame": "3", "face": "1", "x": "10", "y": "12", "w": "20", "h": "20", "crop": ""}
    expected |= {"quality": "1.0", "reason": ""}
    expected |= {"label": "happy", "score": "0.75", "uncertain": "0", "p_angry": "0.25", "p_happy": "0.75"}
    assert row.items() >= expected.items()
    assert float(row["time"]) == pytest.approx(result(3).time, abs=1e-4)


def test_several_faces_and_none(tmp_path):
    path = tmp_path / "faces.csv"
    with CsvLines(str(path), LABELS) as output:
        output.write(dataclasses.replace(result(0), faces=(face(), face(number=2))))
        output.write(dataclasses.replace(result(1), faces=()))
    rows = rows_of(path)
    assert [(row["frame"], row["face"]) for row in rows] == [("0", "1"), ("0", "2"), ("1", "")]
    assert set(list(rows[2].values())[3:]) == {""}


def test_names_that_need_quotes(tmp_path):
    path = tmp_path / "faces.csv"
    labels = ('so "so"', "a, b")
    odd = dataclasses.replace(face(), label="a, b", quality=0.3, reason="dark", scores={'so "so"': 0.25, "a, b": 0.75})
    with CsvLines(str(path), labels) as output:
        output.write(dataclasses.replace(result(0), faces=(odd,)))
    (row,) = rows_of(path)
    assert (row["quality"], row["reason"]) == ("0.3", "dark")
    assert (row["label"], row["p_a, b"], row['p_so "so"']) == ("a, b", "0.75", "0.25")


@pytest.mark.parametrize("emptied", [False, True])
def test_a_rotated_file_begins_with_the_head(tmp_path, emptied):
    path = tmp_path / "faces.csv"
    with CsvLines(str(path), LABELS) as output:
        output.write(result(0))
        if emptied:  # logrotate's copytruncate
            os.truncate(path, 0)
        else:
            path.rename(tmp_path / "old.csv")
            output.reopen()
        output.write(result(1))
        output.reopen()  # with a head already
        output.write(result(2))
    assert [row["frame"] for row in rows_of(path)] == ["1", "2"]


def test_a_pipe_gets_one_head(tmp_path):
    path, read = tmp_path / "pipe", []
    os.mkfifo(path)
    reader = threading.Thread(target=lambda: read.append(path.read_text()))
    reader.start()
    while True:
        try:
            output = CsvLines(str(path), LABELS)
            break
        except Exception:  # until the reader is there
            continue
    with output:
        output.write(result(0))
        output.write(result(1))
    reader.join()
    lines = read[0].splitlines()
    assert [line.split(",")[1] for line in lines] == ["frame", "0", "1"]


def test_the_loop_writes_one(tmp_path, model_path):
    path = tmp_path / "faces.csv"
    arguments = ["run", "--source", "demo", "--model", str(model_path), "--frames", "3"]
    done = CliRunner().invoke(main, [*arguments, "--csv", str(path), "--jsonl", str(tmp_path / "faces.jsonl")])
    assert done.exit_code == 0, done.output
    lines = [json.loads(line) for line in (tmp_path / "faces.jsonl").read_text().splitlines()]
    rows = rows_of(path)
    assert [(int(row["frame"]), row["label"]) for row in rows] == [
        (line["frame"], line["faces"][0]["label"]) for line in lines
    ]
    piped = CliRunner().invoke(main, [*arguments, "--csv", "-"])
    assert piped.stdout == path.read_text()
    assert "3 frames" in piped.stderr


def test_standard_output_is_for_one(tmp_path):
    with pytest.raises(ConfigError, match="`jsonl` and `csv` would both write to standard output"):
        RunConfig(source="demo", jsonl="-", csv="-")
    for command in (["run", "--source", "demo"], ["image", __file__]):
        done = CliRunner().invoke(main, [*command, "--json", "--csv", "-"])
        assert (done.exit_code, "give --csv a file" in done.stderr) == (2, True)
    with pytest.raises(ConfigError, match="name the same file twice"):
        RunConfig(source="demo", jsonl=tmp_path / "x", csv=tmp_path / "x")


def test_a_place_that_cannot_be_written_names_the_option(tmp_path):
    done = CliRunner().invoke(main, ["run", "--source", "demo", "--csv", str(tmp_path / "no/faces.csv")])
    assert (done.exit_code, "choose another --csv" in done.stderr) == (1, True)
