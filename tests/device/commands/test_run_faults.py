"""The run command when it is killed, stopped at any moment, or has nowhere to write."""

import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

import cv2
import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from fer_edge.device.outputs.factory import QUEUED_PICTURES
from fer_edge.device.sources import Source


def start(model_path, *arguments, **options):
    command = [sys.executable, "-m", "fer_edge", "run", "--model", str(model_path), *map(str, arguments)]
    return subprocess.Popen(command, **({"stdout": -1, "stderr": -1, "text": True} | options))


def lines(path):
    """Return the lines of a file, all of which must be whole."""
    text = path.read_text()
    assert text == "" or text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def pictures(path):
    capture, count = cv2.VideoCapture(str(path)), 0
    while capture.read()[0]:
        count += 1
    return count


def wait_for_lines(process, path, count):
    deadline = time.monotonic() + 60
    while not path.exists() or path.read_bytes().count(b"\n") < count:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize("source", ["demo", "demo:live"])
def test_after_a_sigkill_lines_and_video_are_there(model_path, tmp_path, source):
    out, video, snapshots = tmp_path / "out.jsonl", tmp_path / "out.mkv", tmp_path / "faces"
    process = start(model_path, "--source", source, "--jsonl", out, "--save", video, "--snapshots", snapshots)
    wait_for_lines(process, out, 12)
    process.kill()
    process.communicate()
    written = len([line for line in out.read_text().splitlines(keepends=True) if line.endswith("}\n")])
    assert written >= 12
    # Those that waited, the one that was being written, and one whose line was written but which was not queued yet.
    assert written - QUEUED_PICTURES - 2 <= pictures(video) <= written
    assert {cv2.imread(str(path)) is not None for path in snapshots.glob("*.jpg")} == {True}


def test_sigterm_at_any_moment(model_path, tmp_path):
    moments = random.Random(5)
    ended = []
    for attempt in range(5):
        out, video = tmp_path / f"{attempt}.jsonl", tmp_path / f"{attempt}.mkv"
        process = start(model_path, "--source", ("demo", "demo:live")[attempt % 2], "--jsonl", out, "--save", video)
        if attempt > 1:
            wait_for_lines(process, out, 1)
        time.sleep(moments.uniform(0, 1))
        process.terminate()
        stdout, stderr = process.communicate(timeout=60)
        assert "Traceback" not in stderr
        # Before the command has begun, the signal ends Python itself.
        assert process.returncode in ((0,) if attempt > 1 else (0, -signal.SIGTERM)), stderr
        if out.exists():
            assert pictures(video) == len(lines(out))
        if process.returncode == 0:
            assert f"{len(lines(out))} frames in" in stdout
        ended.append(process.returncode)
    assert 0 in ended


def test_sigterm_while_the_reader_sleeps(model_path):
    process = start(model_path, "--source", "demo", "--jsonl", "-", pipesize=4096)
    assert json.loads(process.stdout.readline())["frame"] == 0
    time.sleep(1.5)  # until the pipe, which holds a dozen lines, is full
    process.terminate()
    deadline = time.monotonic() + 20
    while process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    for line in process.stdout.read().splitlines():
        assert json.loads(line)["frame"] > 0
    assert process.returncode == 0
    assert "Traceback" not in process.stderr.read()
    process.stdout.close()
    process.stderr.close()


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 1 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = shutil.which("mount") and os.geteuid() == 0
    if not mounted or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", folder], check=False).returncode:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize(
    ("full", "other"), [("--jsonl", "--save"), ("--save", "--jsonl")], ids=["jsonl is full", "save is full"]
)
def test_a_full_disk(model_path, small_disk, tmp_path, full, other):
    names = {"--jsonl": "out.jsonl", "--save": "out.mkv"}
    if full == "--jsonl":  # lines are small
        (small_disk / "ballast").write_bytes(bytes(1_030_000))
    paths = {full: small_disk / names[full], other: tmp_path / names[other]}
    process = start(model_path, "--source", "demo", *(word for pair in paths.items() for word in pair), "--json")
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert stderr.splitlines() == [
        f"Error: {paths[full]}: cannot be written (No space left on device); what it holds already is whole"
    ]
    worked = json.loads(stdout)["frames"]
    assert len(lines(paths["--jsonl"])) == pytest.approx(worked, abs=1)
    held = pictures(paths["--save"])
    assert held > 0
    assert worked - QUEUED_PICTURES - 2 <= held <= worked + 1


def test_a_full_disk_for_snapshots(model_path, small_disk):
    (small_disk / "ballast").write_bytes(bytes(1_044_000))
    process = start(model_path, "--source", "demo", "--snapshots", small_disk)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "face1-happy.jpg: cannot be written (No space left on device)" in stderr.splitlines()[-1]
    assert [path.name for path in small_disk.iterdir()] == ["ballast"]


@pytest.fixture
def read_only(tmp_path):
    folder = tmp_path / "read-only"
    folder.mkdir()
    if os.geteuid():
        folder.chmod(0o500)
        yield folder
        return
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "none", folder], check=False).returncode:
        pytest.skip("root can write everywhere here, and may not mount")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.parametrize(
    ("option", "name"), [("--jsonl", "out.jsonl"), ("--save", "out.mkv"), ("--snapshots", "."), ("--snapshots", "new")]
)
def test_a_read_only_folder(model_path, read_only, option, name):
    process = start(model_path, "--source", "demo", option, read_only / name)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 1
    assert stdout == ""
    assert stderr.startswith(f"Error: {read_only}")
    assert f"choose another {'folder for ' if option == '--snapshots' else ''}{option}" in stderr
    assert len(stderr.splitlines()) == 1


@pytest.mark.parametrize("arguments", [("--jsonl", "-"), ("--json",), ()])
def test_standard_output_is_closed(model_path, tmp_path, arguments):
    command = [sys.executable, "-m", "fer_edge", "run", "--model", str(model_path), "--source", "demo", "--frames", "2"]
    saved = tmp_path / "out.mkv"
    shell = ["sh", "-c", 'exec "$@" >&-', "sh", *command, "--save", str(saved), *arguments]
    ran = subprocess.run(shell, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert "Traceback" not in ran.stderr
    if arguments == ("--jsonl", "-"):
        assert ran.returncode == 1
        assert ran.stderr.startswith("Error: standard output is closed")
    else:
        assert ran.returncode == 0
        assert pictures(saved) == 2


def test_nothing_is_kept_unless_it_is_asked_for(model_path, tmp_path):
    process = start(model_path, "--source", "demo", "--frames", "3", cwd=tmp_path)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_lines_appended_to_a_file_that_has_no_room_for_one(model_path, tmp_path):
    log, before = tmp_path / "log.txt", "precious line\n" * 60
    log.write_text(before)
    command = [sys.executable, "-m", "fer_edge", "run", "--model", str(model_path), "--source", "demo", "--jsonl", "-"]
    shell = ["sh", "-c", 'ulimit -f 2; log=$1; shift; exec "$@" >> "$log"', "sh", log, *command]
    ran = subprocess.run(shell, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-1].startswith("Error: standard output: cannot be written (File too large)")
    assert log.read_text() == before


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 1), (signal.SIGTERM, -signal.SIGTERM)])
def test_a_signal_while_a_stream_is_opened(model_path, number, status):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        process = start(model_path, "--source", f"rtsp://127.0.0.1:{silent.getsockname()[1]}/camera")
        connection, _ = silent.accept()
        with connection:
            process.send_signal(number)
            stdout, stderr = process.communicate(timeout=10)
    assert (process.returncode, stdout) == (status, "")
    assert stderr.split() == (["Aborted!"] if number == signal.SIGINT else [])


@pytest.mark.parametrize("frames", [0, 1, 3])
def test_a_reader_that_dies_ends_the_run_with_its_summary_and_the_reason(monkeypatch, grey_frame, frames):
    """Whatever it dies of, and whenever."""

    class Dying(Source):
        name, live = "dying camera", True

        def __iter__(self):
            yield from (grey_frame(index, index / 10) for index in range(frames))
            time.sleep(0.3)
            raise MemoryError("none left")

    monkeypatch.setattr("fer_edge.device.run.loop.open_source", lambda spec, fps: Dying())
    done = CliRunner().invoke(main, ["run", "--source", "0"])
    assert done.exit_code == 1
    assert isinstance(done.exception, SystemExit)
    assert re.search(r"^\d+ frames in", done.stdout, re.MULTILINE)
    assert "Error: dying camera: its pictures cannot be read any more (MemoryError: none left)" in done.stderr
