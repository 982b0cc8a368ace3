"""Whole analyses by real worker processes, as users run them."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import pyarrow.parquet
import pytest

from fer_edge.device.archive.run import Analysis

ORDER = [("file", "ascending"), ("frame", "ascending"), ("x", "ascending")]


@pytest.fixture
def analyze(model_path):
    def invoke(*arguments, environment=None, check=True):
        command = [sys.executable, "-m", "fer_edge", "analyze", "--model", str(model_path), "--detector", "haar"]
        done = subprocess.run(
            [*command, *map(str, arguments)], capture_output=True, text=True, check=False, env=environment, timeout=300
        )
        assert not check or done.returncode == 0, done.stderr
        return done

    return invoke


def faces_of(out):
    return pyarrow.parquet.read_table(out / "faces").sort_by(ORDER).to_pylist()


def test_an_archive_becomes_tables_and_a_report(analyze, archive, tmp_path):
    out = tmp_path / "out"
    done = analyze(archive, "--out", out, "--csv", "--json", "--workers", 2)
    summary = json.loads(done.stdout)
    assert (summary["files"], summary["frames"]) == ({"read": 4, "unreadable": 1}, 15)
    assert "left out, neither images nor videos: 1 .md" in done.stderr
    faces = faces_of(out)
    assert len(faces) == summary["faces"] == sum(summary["labels"].values()) == 14
    (failure,) = summary["failures"]
    assert failure["file"].endswith("damaged.jpg")
    assert len((out / "faces.csv").read_text().splitlines()) == 15
    page = (out / "report.html").read_text()
    assert page.count("<svg") == 4
    assert "Art. 5(1)(f)" in page
    assert "damaged.jpg" in page


def test_the_same_command_continues(analyze, archive, tmp_path):
    out = tmp_path / "out"
    analyze(archive, "--out", out)
    before = (out / "faces" / "000000.parquet").stat().st_mtime_ns
    again = analyze(archive, "--out", out)
    assert "continuing: 2 of 2 parts are done" in again.stderr
    assert (out / "faces" / "000000.parquet").stat().st_mtime_ns == before
    other = analyze(archive, "--out", out, "--every", 1, check=False)
    assert other.returncode == 1
    assert other.stderr.splitlines()[-1].startswith("Error: ")
    assert "every was 0.0, is 1.0" in other.stderr


DEADLY = """
import os, cv2
decode = cv2.imdecode
cv2.imdecode = lambda data, flags: os.kill(os.getpid(), 9) if bytes(data[-4:]) == b"KILL" else decode(data, flags)
"""


def test_a_file_that_kills_its_worker_is_found(archive, settings, tmp_path, monkeypatch):
    """The decoder of the workers is made to crash, as one with a fault does."""
    folder = tmp_path / "archive"
    shutil.copytree(archive, folder)
    (folder / "c.jpg").write_bytes((folder / "a.jpg").read_bytes() + b"KILL")
    (tmp_path / "sitecustomize.py").write_text(DEADLY)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    analysis = Analysis([folder], tmp_path / "out", settings)
    analysis.run(workers=1)
    overview = analysis.finish()
    assert overview.files == {"read": 4, "unreadable": 2}
    assert sum(overview.faces.values()) == 14
    reasons = {file.rpartition("/")[2]: reason for file, reason in overview.failures}
    assert "was killed while it worked on this file" in reasons["c.jpg"]


def test_ctrl_c_waits_for_no_part_and_a_second_analysis_for_none(model_path, analyze, archive, tmp_path):
    slow = "import time, cv2\ncv2.imdecode = lambda data, flags: (print('busy', flush=True), time.sleep(120))\n"
    (tmp_path / "sitecustomize.py").write_text(slow)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "fer_edge", "analyze", archive / "a.jpg", "--out", tmp_path / "out"]
    with subprocess.Popen(
        [*command, "--model", model_path, "--workers", "1"],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": path},
        # Tests that a shell runs in the background would pass on that they ignore it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stdout.readline() == b"busy\n"
        second = analyze(archive, "--out", tmp_path / "out", check=False)
        assert second.returncode == 1
        assert f"another process at work in it (process {process.pid}" in second.stderr
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(60) != 0
        assert time.monotonic() - begun < 20


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_ten_kills_lose_and_double_nothing(model_path, archive, analyze, tmp_path):
    folder, out = tmp_path / "many", tmp_path / "out"
    folder.mkdir()
    for at in range(400):
        os.link(archive / ("a.jpg", "b.png", "empty.png", "damaged.jpg")[at % 4], folder / f"{at:03d}.jpg")
    for at in range(4):
        os.link(archive / "films" / "clip.mkv", folder / f"{at}.mkv")
    analyze(folder, "--out", tmp_path / "straight", "--workers", 2)
    command = [sys.executable, "-m", "fer_edge", "analyze", folder, "--out", out, "--model", model_path]
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    for _ in range(10):
        process = subprocess.Popen([*command, "--detector", "haar", "--workers", "2"], stderr=subprocess.DEVNULL)
        time.sleep(rng.uniform(1, 6))
        process.send_signal(signal.SIGKILL)
        process.wait()
    analyze(folder, "--out", out, "--workers", 2)
    assert faces_of(out) == faces_of(tmp_path / "straight")
    files = pyarrow.parquet.read_table(out / "files")["file"].to_pylist()
    assert len(files) == len(set(files)) == 404
    assert not list(out.rglob(".*.part"))
