import json
import os
import shutil
import subprocess
import sys

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from fer_edge.machine import describe_machine
from fer_edge.model_file import file_hash, flatbuffer
from tests.device.bench.test_report import SCHEMA

SHORT = ("--runs", "5", "--seconds", "0", "--threads", "1", "--frames", "0")


@pytest.fixture
def bench(model_path):
    def run(*arguments, model=model_path):
        return CliRunner().invoke(main, ["bench", "--model", str(model), *map(str, arguments)])

    return run


def test_prints_a_table(bench, model_path):
    result = bench("--runs", "20", "--seconds", "0", "--threads", "1,2", "--frames", "2")
    assert result.exit_code == 0, result.output
    assert f"model: {model_path.name}" in result.stdout
    assert "measured on: " in result.stdout
    assert "at least 20 runs and 0 s" in result.stdout
    rows = [line.replace("*", " ").split()[:2] for line in result.stdout.splitlines() if line.strip()]
    assert [row for row in rows if row[0].isdecimal()] == [["1", "on"], ["1", "off"], ["2", "on"], ["2", "off"]]
    assert {"capture", "skin", "detect", "classify", "total"} <= {row[0] for row in rows}


@pytest.mark.parametrize(("xnnpack", "measured"), [("on", [True]), ("off", [False]), ("both", [True, False])])
def test_kernels_can_be_chosen(bench, xnnpack, measured):
    result = bench(*SHORT, "--xnnpack", xnnpack, "--json")
    assert [row["xnnpack"] for row in json.loads(result.stdout)["latency"]] == measured


def test_the_document_fits_its_schema(bench):
    result = bench(*SHORT, "--frames", "2", "--json")
    assert result.stderr == ""
    SCHEMA.validate(json.loads(result.stdout))


def test_a_result_can_be_compared_with_itself(bench, tmp_path):
    out = tmp_path / "bench.json"
    assert bench(*SHORT, "--runs", "40", "--frames", "20", "--out", out).exit_code == 0
    result = CliRunner().invoke(main, ["bench", "--compare", str(out), str(out)])
    assert result.exit_code == 0, result.output
    assert "1.000  [" in result.stdout
    assert "machines differ" not in result.stdout


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A data set of 20 noisy pictures of PublicTest, as FER2013's file has them: the file, pictures and labels."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (20, 48, 48), dtype=np.uint8), rng.integers(0, 7, 20)
    rows = [
        f"{label},{' '.join(map(str, image.ravel()))},PublicTest" for image, label in zip(images, labels, strict=True)
    ]
    file = tmp_path / "fer2013.csv"
    file.write_text("\n".join(["emotion,pixels,Usage", *rows]))
    return file, images, labels


def test_accuracy_of_the_same_file_in_the_same_run(bench, data, model):
    file, images, labels = data
    result = bench(*SHORT, "--data", file, "--json")
    assert result.exit_code == 0, result.output
    accuracy = json.loads(result.stdout)["accuracy"]
    assert accuracy["top1"] == pytest.approx((model.predict(images).argmax(axis=1) == labels).mean())
    assert (accuracy["data"], accuracy["split"], accuracy["images"]) == ("fer2013.csv", "PublicTest", 20)


@pytest.mark.skipif(bool(describe_machine()["board"]), reason="this machine is a board and may be a Raspberry Pi")
def test_says_that_a_workstation_is_no_raspberry_pi(bench):
    assert "; not a Raspberry Pi\n" in bench(*SHORT).stdout


def test_json_and_file_hold_the_same_document(bench, model_path, tmp_path):
    out = tmp_path / "bench.json"
    result = bench(*SHORT, "--threads", "2,1,2", "--xnnpack", "on", "--json", "--out", out)
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document == json.loads(out.read_text())
    assert document["model"]["sha256"] == file_hash(model_path)
    assert document["machine"]["cores"] >= 1
    assert [row["threads"] for row in document["latency"]] == [2, 1]
    assert {row["runs"] for row in document["latency"]} == {5}
    assert document["pipeline"] is None
    assert list(tmp_path.iterdir()) == [out]


def test_a_link_stays_and_the_file_behind_it_is_replaced(bench, tmp_path):
    real, link = tmp_path / "real.json", tmp_path / "link.json"
    real.write_text("old")
    link.symlink_to(real)
    assert bench(*SHORT, "--out", link).exit_code == 0
    assert link.is_symlink()
    assert json.loads(real.read_text())["protocol"]["min_runs"] == 5


@pytest.mark.parametrize("threads", ["0", "a,b", "", "1,,2", "-1", "65", "1.5", "²", "9" * 5000])
def test_refuses_thread_counts_that_are_none(bench, threads):
    result = bench(*SHORT, f"--threads={threads}")
    assert result.exit_code == 2
    assert "is no list of thread counts from 1 to 64" in result.stderr


@pytest.mark.parametrize(
    ("option", "value"), [("--runs", 0), ("--runs", "x"), ("--frames", -1), ("--seconds", -1), ("--seconds", "1.5")]
)
def test_refuses_numbers_out_of_range(bench, option, value):
    result = bench(option, value)
    assert result.exit_code == 2
    assert option in result.stderr


def test_refuses_a_model_that_does_not_exist(bench):
    result = bench(*SHORT, model="no-such-model")
    assert result.exit_code == 2
    assert "neither a file nor a shipped model" in result.stderr


def one_line_error(result):
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    return result.stderr


def test_refuses_a_text_file(bench, tmp_path):
    file = tmp_path / "text.tflite"
    file.write_text("not a model")
    assert "text.tflite: expected a TFLite model" in one_line_error(bench(*SHORT, model=file))


def test_refuses_a_model_without_metadata(bench, tmp_path, model_path):
    file = tmp_path / "bare.tflite"
    file.write_bytes(flatbuffer(model_path.read_bytes()))
    assert "expected a model with fer-edge's labels" in one_line_error(bench(*SHORT, model=file))


def test_a_source_that_fails_is_one_line(bench, tmp_path):
    text = tmp_path / "film.mp4"
    text.write_text("not a film")
    assert "film.mp4: expected a video" in one_line_error(bench("--runs", "5", "--frames", "1", "--source", text))


def test_data_that_cannot_be_read_are_one_line_before_the_measurement(bench, data):
    file, _, _ = data
    long = ("--runs", 10**9, "--frames", 10**9, "--data", file)
    assert "expected a split named Nowhere" in one_line_error(bench(*long, "--split", "Nowhere"))
    file.write_text("not,the,data\n")
    assert "expected the columns" in one_line_error(bench(*long))


def test_refuses_data_that_do_not_exist(bench):
    result = bench(*SHORT, "--data", "no-such.csv")
    assert result.exit_code == 2
    assert "no-such.csv" in result.stderr


def test_refuses_a_source_that_does_not_exist(bench):
    result = bench("--source", "no-such-film.mp4")
    assert result.exit_code == 2
    assert "no-such-film.mp4" in result.stderr


def test_an_out_that_cannot_be_written_fails_before_the_measurement(bench, tmp_path):
    result = bench("--runs", 10**9, "--frames", 10**9, "--out", tmp_path / "absent" / "bench.json")
    assert "bench.json: expected an existing folder" in one_line_error(result)
    assert result.stdout == ""


def test_a_device_is_not_replaced_by_a_file(bench, tmp_path):
    pipe = tmp_path / "pipe"

    os.mkfifo(pipe)
    assert "found a device, pipe or folder" in one_line_error(bench(*SHORT, "--out", pipe))
    assert pipe.is_fifo()


def test_a_result_that_cannot_be_stored_is_printed_all_the_same(bench, tmp_path):
    result = bench(*SHORT, "--json", "--out", tmp_path / ("x" * 250))  # the name of the partial file is too long
    assert "cannot be written (File name too long)" in one_line_error(result)
    assert json.loads(result.stdout)["latency"]


def test_a_result_is_stored_even_if_it_cannot_be_printed(model_path, tmp_path):
    out = tmp_path / "bench.json"
    command = [sys.executable, "-m", "fer_edge", "bench", "--model", str(model_path), *SHORT, "--out", str(out)]
    reader, writer = os.pipe()
    os.close(reader)
    ran = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
    os.close(writer)
    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
    assert json.loads(out.read_text())["latency"]


def test_no_input_is_replaced(bench, data, model_path, portrait, tmp_path):
    model, photos = tmp_path / "model.tflite", tmp_path / "photos"
    shutil.copy(model_path, model)
    photos.mkdir()
    cv2.imwrite(str(photos / "a.png"), portrait)
    long = ("--runs", 10**9, "--frames", 10**9, "--source", photos, "--data", data[0])
    for file, option in ((model, "--model"), (photos / "a.png", "a photo of --source"), (data[0], "--data")):
        before = file.read_bytes()
        result = bench(*long, "--out", file, model=model)
        assert result.exit_code == 2
        assert f"{option} and --out name the same file twice" in result.stderr
        assert file.read_bytes() == before
