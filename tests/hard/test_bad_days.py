"""What a bad day does: a process that is stopped or killed, a file that is cut."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from fer_edge.errors import ModelFileError
from fer_edge.model_file import check_tflite, read_info

pytestmark = [pytest.mark.hard, pytest.mark.timeout(1200)]


def command(*words):
    return [sys.executable, "-m", "fer_edge", *map(str, words)]


def test_a_loop_that_is_stopped_and_continued_goes_on(tmp_path):
    words = ("run", "--source", "demo:live", "--frames", 60, "--model", "nano", "--jsonl", tmp_path / "lines", "--json")
    with subprocess.Popen(command(*words), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as loop:
        deadline = time.monotonic() + 120
        while not ((tmp_path / "lines").exists() and (tmp_path / "lines").stat().st_size):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        for _ in range(3):
            loop.send_signal(signal.SIGSTOP)
            time.sleep(1.5)
            loop.send_signal(signal.SIGCONT)
            time.sleep(0.2)
        summary = json.loads(loop.communicate(timeout=120)[0])
    assert loop.returncode == 0
    times = [json.loads(line)["time"] for line in (tmp_path / "lines").read_text().splitlines()]
    assert len(times) == summary["frames"] == 60
    assert times == sorted(times)


def test_a_conversion_that_is_killed_leaves_the_old_file_or_the_new_one(tmp_path):
    train = ("train", "demo", "--model", "nano", "--epochs", 1, "--out", tmp_path / "run")
    subprocess.run(command(*train), check=True, capture_output=True)
    out = tmp_path / "out" / "model.tflite"
    out.parent.mkdir()
    convert = ("convert", tmp_path / "run/model.keras", "--int8", "--qat-epochs", 0, "--data", "demo", "--out", out)
    started = time.monotonic()
    subprocess.run(command(*convert), check=True, capture_output=True)
    needed, whole = time.monotonic() - started, out.read_bytes()
    seed = os.environ.get("FER_EDGE_SEED") or str(time.time_ns() % 10**9)
    print("seed", seed)
    rng = random.Random(seed)
    for number in range(4):
        if number % 2:
            out.unlink(missing_ok=True)
        else:
            out.write_bytes(whole)
        with subprocess.Popen(command(*convert), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            try:
                process.wait(rng.uniform(0.3, 1.0) * needed)
            except subprocess.TimeoutExpired:
                process.kill()
        if out.exists():
            check_tflite(out)
            assert read_info(out).name == "nano"
        else:
            assert number % 2, "the old file is gone"
        left = {path.name for path in out.parent.iterdir()}
        assert {name for name in left if not name.startswith(".")} <= {"model.tflite", "model.tflite.report.json"}


def test_a_model_that_was_cut_while_it_was_copied_is_refused(tmp_path):
    from fer_edge.shipped import find_model

    whole, path = find_model("nano").read_bytes(), tmp_path / "model.tflite"
    for size in range(0, len(whole), 997):
        path.write_bytes(whole[:size])
        with pytest.raises(ModelFileError):
            check_tflite(path)
