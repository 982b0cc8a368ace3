import dataclasses
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import cv2
import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from fer_edge.device.outputs.jsonl import JsonLines
from fer_edge.device.outputs.window import Window
from fer_edge.device.results import STAGES
from fer_edge.device.sources.demo import DemoSource
from fer_edge.errors import OutputError, SourceError
from fer_edge.model_file import write_info
from tests.device.sources.http_camera import jpeg


@pytest.fixture
def run(model_path):
    def invoke(*arguments, model=model_path):
        return CliRunner().invoke(main, ["run", "--model", str(model), *map(str, arguments)])

    return invoke


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def test_a_line_a_picture_and_the_summary_apart(run):
    result = run("--source", "demo", "--frames", 3, "--jsonl", "-")
    assert result.exit_code == 0, result.output
    assert [line["frame"] for line in lines(result.stdout)] == [0, 1, 2]
    assert all(len(line["faces"]) == 1 for line in lines(result.stdout))
    assert "3 frames in" in result.stderr


def test_the_summary(run):
    result = run("--source", "demo", "--frames", 3)
    assert result.exit_code == 0, result.output
    assert "0 dropped, 3 with a face" in result.stdout
    assert all(f"\n{stage} " in result.stdout for stage in STAGES)


def test_the_summary_as_json(run, clip, model_path):
    result = run("--source", clip, "--json")
    assert result.exit_code == 0, result.output
    summary = json.loads(result.stdout)
    assert summary["source"] == str(clip)
    assert summary["models"] == [str(model_path)]
    assert summary["skin"] == "static"
    assert (summary["frames"], summary["dropped"], summary["frames_with_face"]) == (12, 0, 12)
    assert set(summary["latency_ms"]) == set(STAGES)


def test_a_file_is_repeated_with_loop(run, clip):
    result = run("--source", clip, "--loop", "--frames", 30, "--jsonl", "-")
    assert [line["frame"] for line in lines(result.stdout)] == list(range(30))


def test_a_video_and_lines_are_written_together(run, clip, tmp_path):
    result = run("--source", clip, "--save", tmp_path / "out.mkv", "--jsonl", tmp_path / "out.jsonl", "--skin", "off")
    assert result.exit_code == 0, result.output
    assert "12 frames in" in result.stdout
    assert len(lines((tmp_path / "out.jsonl").read_text())) == 12
    capture = cv2.VideoCapture(str(tmp_path / "out.mkv"))
    pictures = 0
    while capture.read()[0]:
        pictures += 1
    assert pictures == 12
    assert capture.get(cv2.CAP_PROP_FPS) == pytest.approx(10, abs=0.1)


def test_a_folder_of_photos(run, tmp_path, portrait):
    for name in ("a.png", "b.png"):
        cv2.imwrite(str(tmp_path / name), portrait)
    (tmp_path / "c.png").write_text("no photo")
    result = run("--source", tmp_path, "--jsonl", "-")
    assert result.exit_code == 0, result.output
    found = lines(result.stdout)
    assert [line["file"] for line in found] == [str(tmp_path / "a.png"), str(tmp_path / "b.png")]
    assert [face["id"] for line in found for face in line["faces"]] == [1, 2]


def test_several_models_are_averaged(run, model_path):
    result = run("--source", "demo", "--frames", 1, "--jsonl", "-", "--model", model_path)
    assert result.exit_code == 0, result.output
    one = run("--source", "demo", "--frames", 1, "--jsonl", "-")
    assert lines(result.stdout)[0]["faces"] == lines(one.stdout)[0]["faces"]


def test_models_with_other_labels_are_refused(run, model_path, model, tmp_path):
    other = tmp_path / "other.tflite"
    shutil.copy(model_path, other)
    write_info(other, dataclasses.replace(model.info, labels=tuple(map(str.upper, model.info.labels))))
    result = run("--source", "demo", "--model", other)
    assert result.exit_code == 1
    assert "models are averaged only if their labels agree" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--source", "no-such-file.mp4"],
        ["--source", "demo", "--frames", "0"],
        ["--source", "demo", "--skin", "green"],
        ["--source", "demo", "--json", "--jsonl", "-"],
        ["--source", "demo", "--threads", "many"],
        ["--source", "demo", "--model", "no-such-model"],
    ],
)
def test_wrong_usage(run, arguments):
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""


@pytest.mark.parametrize("option", ["--save", "--jsonl"])
def test_the_source_is_not_overwritten(run, clip, option):
    before = clip.read_bytes()
    result = run("--source", clip, option, clip.parent / "." / clip.name)
    assert result.exit_code == 2
    assert "name the same file twice" in result.stderr
    assert clip.read_bytes() == before


def test_a_source_that_does_not_work(run, tmp_path):
    path = tmp_path / "notes.mp4"
    path.write_text("notes")
    result = run("--source", path, "--json")
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith(f"Error: {path}: expected a video")
    assert len(result.stderr.splitlines()) == 1


def test_a_source_that_fails_on_the_way(run, monkeypatch, tmp_path):
    def film(self):
        frames = original(self)
        yield next(frames)
        yield next(frames)
        raise SourceError("demo: unplugged")

    original = DemoSource.__iter__
    monkeypatch.setattr(DemoSource, "__iter__", film)
    result = run("--source", "demo", "--json", "--jsonl", tmp_path / "out.jsonl")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["frames"] == 2
    assert result.stderr == "Error: demo: unplugged\n"
    assert len(lines((tmp_path / "out.jsonl").read_text())) == 2


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")  # noqa: PTH110
def test_a_full_disk(run):
    result = run("--source", "demo", "--jsonl", "/dev/full")
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("Error: /dev/full: cannot be written (No space left")


@pytest.mark.parametrize("option", ["--save", "--jsonl"])
def test_an_output_that_cannot_be_opened(run, tmp_path, option):
    result = run("--source", "demo", option, tmp_path / "no" / "out.mkv")
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_the_run_ends_when_the_window_is_closed(run, monkeypatch):
    class ClosedAtOnce(Window):
        def __init__(self):
            pass

        def write(self, result):
            self.dismissed = True

        def close(self):
            pass

    monkeypatch.setattr("fer_edge.device.outputs.window.Window", ClosedAtOnce)
    result = run("--source", "demo", "--display", "--json")
    assert json.loads(result.stdout)["frames"] == 1


def test_the_signals_are_left_as_they_were(run):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    run("--source", "demo", "--frames", 1)
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def start(model_path, *arguments):
    command = [sys.executable, "-m", "fer_edge", "run", "--model", str(model_path), *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize(
    ("number", "source"), [(signal.SIGINT, "demo"), (signal.SIGTERM, "demo"), (signal.SIGTERM, "demo:live")]
)
def test_an_orderly_end_on_a_signal(model_path, tmp_path, number, source):
    out, video = tmp_path / "out.jsonl", tmp_path / "out.mkv"
    process = start(model_path, "--source", source, "--jsonl", out, "--save", video, "--json")
    deadline = time.monotonic() + 60
    while not (out.exists() and out.stat().st_size):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr
    assert "Traceback" not in stderr
    written = lines(out.read_text())
    assert json.loads(stdout)["frames"] == len(written) > 0
    capture = cv2.VideoCapture(str(video))
    for _ in written:
        assert capture.read()[0]
    assert not capture.read()[0]


def test_it_ends_quietly_when_nobody_reads_any_more(model_path):
    process = start(model_path, "--source", "demo", "--jsonl", "-")
    assert json.loads(process.stdout.readline())["frame"] == 0
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait(timeout=60) == 1
    process.stderr.close()


def test_what_an_output_left_out_is_in_the_summary(run, monkeypatch, tmp_path):
    monkeypatch.setattr(JsonLines, "write", lambda self, result: setattr(self, "dropped", self.dropped + 1))
    path = tmp_path / "out.jsonl"
    result = run("--source", "demo", "--frames", 3, "--jsonl", path, "--json")
    assert json.loads(result.stdout)["dropped_by_outputs"] == {str(path): 3}
    assert f"{path}: could not keep up, 3 left out" in result.stderr


def test_what_an_output_leaves_out_at_the_end_is_in_the_summary_too(run, monkeypatch, tmp_path):
    def close(self):
        self.dropped += 2
        original(self)

    original = JsonLines.close
    monkeypatch.setattr(JsonLines, "close", close)
    path = tmp_path / "out.jsonl"
    result = run("--source", "demo", "--frames", 3, "--jsonl", path, "--json")
    assert json.loads(result.stdout)["dropped_by_outputs"] == {str(path): 2}
    assert f"{path}: could not keep up, 2 left out" in result.stderr


def test_an_output_that_fails_at_the_end_leaves_the_summary(run, monkeypatch, tmp_path):
    def close(self):
        original(self)
        raise OutputError("the disk does not answer")

    original = JsonLines.close
    monkeypatch.setattr(JsonLines, "close", close)
    result = run("--source", "demo", "--frames", 3, "--jsonl", tmp_path / "out.jsonl", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["frames"] == 3
    assert result.stderr == "Error: the disk does not answer\n"


@pytest.mark.parametrize("live", [False, True])
@pytest.mark.parametrize("frames", [0, 1, 3])
def test_a_reader_that_dies_at_any_moment_leaves_the_summary(run, monkeypatch, live, frames):
    def film(self):
        yield from itertools.islice(original(self), frames)
        raise RuntimeError("driver")

    original = DemoSource.__iter__
    monkeypatch.setattr(DemoSource, "__iter__", film)
    result = run("--source", "demo:live" if live else "demo", "--json")
    assert result.exit_code == 1
    assert "driver" in f"{result.exception} {result.stderr}"
    assert json.loads(result.stdout)["frames"] <= frames


def test_a_broker_that_is_none_is_wrong_usage_and_its_password_is_not_repeated(run, monkeypatch):
    for result in (
        run("--source", "demo", "--mqtt", "http://me:s3cret@host/topic"),
        CliRunner(env={"FER_EDGE_MQTT": "mqtt://me:s3cret@host:x/topic"}).invoke(main, ["run", "--source", "demo"]),
    ):
        assert result.exit_code == 2
        assert "expected mqtt://" in " ".join(result.stderr.split())
        assert "s3cret" not in result.output


@pytest.mark.parametrize(
    ("arguments", "extra"), [(("--mqtt", "mqtt://host/topic"), "mqtt"), (("--metrics", "9100"), "metrics")]
)
def test_an_extra_that_is_not_installed(run, monkeypatch, arguments, extra):
    for module in ("paho", "paho.mqtt", "paho.mqtt.client", "prometheus_client"):
        monkeypatch.setitem(sys.modules, module, None)
    result = run("--source", "demo", *arguments)
    assert result.exit_code == 1
    assert f"pip install 'fer-edge[{extra}]'" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_detector_and_its_model_go_together(model_path):
    for arguments in (["--detector", "yunet"], ["--detector-model", str(model_path)]):
        result = CliRunner().invoke(main, ["run", "--source", "demo", *arguments])
        assert result.exit_code == 2
        assert "go together" in result.stderr


def test_another_file_as_detector_is_refused(model_path):
    arguments = ["run", "--source", "demo", "--detector", "yunet", "--detector-model", str(model_path)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1


@pytest.fixture
def inputs(tmp_path, portrait, model_path):
    """A model, a folder of one photo, and a hard link to each."""
    model = tmp_path / "model.tflite"
    shutil.copy(model_path, model)
    (tmp_path / "photos").mkdir()
    photo = tmp_path / "photos" / "a.jpg"
    cv2.imwrite(str(photo), portrait)
    links = {"model": tmp_path / "model-link", "photo": tmp_path / "photo-link"}
    os.link(model, links["model"])
    os.link(photo, links["photo"])
    return {"model": model, "photo": photo}, links


@pytest.mark.parametrize("option", ["--save", "--jsonl"])
@pytest.mark.parametrize("what", ["model", "photo"])
@pytest.mark.parametrize("linked", [False, True])
def test_no_input_is_overwritten(run, inputs, option, what, linked):
    files, links = inputs
    before = files[what].read_bytes()
    arguments = ["--source", files["photo"].parent, option, (links if linked else files)[what]]
    result = run(*arguments, model=files["model"])
    assert result.exit_code == 2
    assert "name the same file twice" in result.stderr
    assert files[what].read_bytes() == before


@pytest.mark.parametrize("option", ["--tls-cert", "--tls-key", "--detector-model"])
def test_no_key_and_no_detector_is_overwritten(run, tmp_path, option):
    names = ("--tls-cert", "--tls-key", "--detector-model")
    files = {name: tmp_path / name.strip("-") for name in names}
    for file in files.values():
        file.write_text("precious")
    given = [word for pair in files.items() for word in pair]
    result = run("--source", "demo", "--serve", "8765", "--detector", "yunet", *given, "--jsonl", files[option])
    assert result.exit_code == 2
    assert f"{option} and --jsonl name the same file twice" in result.stderr
    assert files[option].read_text() == "precious"


def test_lines_may_lie_beside_the_photos(run, inputs):
    files, _ = inputs
    for _ in range(2):
        out = files["photo"].parent / "out.jsonl"
        result = run("--source", files["photo"].parent, "--jsonl", out)
        assert result.exit_code == 0, result.output
        assert len(lines(out.read_text())) == 1


def test_an_empty_source_is_not_the_current_folder(run, inputs, monkeypatch):
    monkeypatch.chdir(inputs[0]["photo"].parent)
    result = run("--source", "")
    assert result.exit_code == 2
    assert "'' does not exist; expected picamera2" in result.stderr


def test_a_skin_that_the_detector_would_not_ask_is_refused(run, model_path):
    result = run("--source", "demo", "--detector", "yunet", "--detector-model", model_path, "--skin", "adaptive")
    assert result.exit_code == 2
    assert "takes no --skin adaptive" in result.stderr


def test_damaged_photos_are_counted_with_loop(run, tmp_path, portrait):
    cv2.imwrite(str(tmp_path / "a.png"), portrait)
    (tmp_path / "b.png").write_text("no photo")
    result = run("--source", tmp_path, "--loop", "--frames", 3, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["skipped"] == 2


def test_the_rate_of_a_raw_stream(tmp_path, model_path):
    raw = tmp_path / "raw.mjpeg"
    raw.write_bytes(b"".join(jpeg(20 * number) for number in range(6)))
    lines = tmp_path / "out.jsonl"
    command = ["run", "--model", str(model_path), "--source", str(raw), "--jsonl", str(lines)]
    assert CliRunner().invoke(main, [*command, "--fps", "5"]).exit_code == 0
    assert [json.loads(line)["time"] for line in lines.read_text().splitlines()] == [0, 0.2, 0.4, 0.6, 0.8, 1.0]
    for fps in ("0", "-1", "nan", "1e9"):
        refused = CliRunner().invoke(main, [*command, "--fps", fps])
        assert refused.exit_code == 2
        assert "above 0" in refused.output
    refused = CliRunner().invoke(main, ["run", "--source", "demo", "--fps", "5"])
    assert refused.exit_code == 1
    assert "leave out --fps" in refused.output
