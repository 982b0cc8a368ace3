"""The instruction counts: what is kept is shown, stays within its limits, and a dearer program is noticed."""

import importlib.machinery
import importlib.util
import json
import subprocess
import sys

import pytest

from fer_edge.shipped import shipped_models
from tests.pi.machine import ROOT

FOLDER = ROOT / "benchmarks" / "instructions"


@pytest.fixture(scope="module")
def count():
    """Import the program, whose name has no suffix."""
    loader = importlib.machinery.SourceFileLoader("count", str(FOLDER / "count"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("count", loader))
    loader.exec_module(module)
    return module


@pytest.fixture
def kept(count):
    return json.loads((count.RESULTS / "cortex-a76.json").read_text())


def test_the_document_shows_what_is_kept():
    command = [sys.executable, FOLDER / "document.py", "--check"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_every_shipped_model_is_counted_and_within_its_limit(count):
    for processor in count.BOARDS:
        result = json.loads((count.RESULTS / f"{processor}.json").read_text())
        # compact-fer2013 is the network of compact with other weights, on which instructions do not depend.
        assert shipped_models().keys() - {"compact-fer2013"} <= result["faces"].keys() <= shipped_models().keys()
        for (model, where), limit in count.LIMITS.items():
            assert where != processor or result["faces"][model]["runtime"] <= limit


def test_what_costs_the_same_is_fine(count, kept):
    assert count.complaints(kept, kept) == []


def test_a_dearer_picture_is_noticed(count, kept):
    dearer = kept | {"picture": kept["picture"] | {"mean": round(kept["picture"]["mean"] * 1.031)}}
    (complaint,) = count.complaints(dearer, kept)
    assert "picture" in complaint
    assert "3.1% more" in complaint


def test_a_dearer_face_is_noticed(count, kept):
    face = kept["faces"]["compact"]["runtime"]
    dearer = kept | {"faces": {"compact": {"runtime": round(face * 1.04)}}}
    (complaint,) = count.complaints(dearer, kept)
    assert "one face with compact" in complaint


def test_a_limit_holds_whatever_is_kept(count, kept):
    heavy = kept | {"faces": {"compact": {"runtime": 1_800_001}}}
    (complaint,) = count.complaints(heavy, heavy)
    assert "1,800,000 instructions at most" in complaint


def test_instructions_are_told_apart_by_whose_code_they_are(count):
    code = [
        (16, 32, "/usr/bin/python3.13"),
        (32, 48, "/x/site-packages/cv2/cv2.abi3.so"),
        (64, 80, "/x/ai_edge_litert/libLiteRt.so"),
    ]
    sums = count.by_owner({16: 1, 31: 2, 32: 4, 64: 8, 80: 16}, code)
    assert sums == {"python": 3, "opencv": 4, "runtime": 8, "numpy": 0, "other": 16}


@pytest.mark.pi
@pytest.mark.timeout(1200)
def test_nothing_costs_more_than_what_is_kept(machines):
    result = subprocess.run([FOLDER / "count", "--check"], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert [result.stdout.count(f": {what}:") for what in ("picture", "picture by networks")] == [3, 3]
