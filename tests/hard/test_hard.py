"""Hostile inputs by the hundred thousand: no traceback or crash, none over 10 s or 1 GB, nothing wrong taken for right.

``scripts/test -m hard`` gives them all, in less than an hour; the ordinary tests give a small share. The seed is
printed; ``FER_EDGE_SEED=... scripts/test -m hard -k NAME`` repeats the inputs, whose numbers a failure names.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COUNTS = {
    "tables": 6000,
    "votes": 12000,
    "recipes": 5000,
    "zips": 8000,
    "caches": 14000,
    "runs": 12000,
    "tflite-bits": 10000,
    "tflite-structure": 4000,
    "tflite-metadata": 4000,
    "keras": 2000,
    "images": 14000,
    "videos": 1500,
    "pages": 6000,
    "brokers": 300,
    "addresses": 10000,
    "targets": 20000,
}
SHARE = 50
"""One in so many, in the ordinary tests."""
SLOW = {"keras", "brokers"}
"""Left out of the share: TensorFlow takes longer to start than all the others together, a broker longer to answer."""
SEED = os.environ.get("FER_EDGE_SEED") or str(time.time_ns() % 10**9)


def fuzz(name, count, seed, folder):
    command = [sys.executable, "-m", "tests.hard.child", name, seed, str(count), str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, errors="replace", check=False)
    number = (folder / "number").read_text().strip() if (folder / "number").exists() else "none"
    assert done.returncode == 0, f"{name}, seed {seed}: ended with {done.returncode} at input {number}\n{done.stderr}"
    result = json.loads(done.stdout.splitlines()[-1])
    print(json.dumps(result))
    assert not result["failures"], f"{name}, seed {seed}:\n" + "\n".join(result["failures"])
    assert result["inputs"] == count
    assert result["slowest_s"] < 10
    assert result["memory_mb"] < 1024
    return result


def test_they_are_a_hundred_thousand():
    assert sum(COUNTS.values()) >= 100_000


@pytest.mark.parametrize("name", sorted(COUNTS.keys() - SLOW))
def test_a_share(name, tmp_path):
    fuzz(name, max(COUNTS[name] // SHARE, 10), os.environ.get("FER_EDGE_SEED", "1"), tmp_path)


@pytest.mark.hard
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", COUNTS)
def test_all(name, tmp_path, record_property):
    record_property("result", fuzz(name, COUNTS[name], SEED, tmp_path))
