"""What the figures of benchmarks/wild on tilts, quality and a face's own neutral rest on."""

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from fer_edge.labels import EXPRESSIONS

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "benchmarks" / "wild"


@pytest.fixture
def load(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "") or "").startswith(str(FOLDER)):
            del sys.modules[name]


@pytest.mark.parametrize("name", ["tilts", "quality", "baseline"])
def test_the_page_shows_the_kept_result(load, name):
    page, module = load("page"), load(name)
    text = page.PAGE.read_text()
    assert f"<!-- kept {name} -->" in text
    assert page.with_table(text, name, module.table(json.loads(module.RESULT.read_text()))) == text


def test_the_device_has_the_limits_that_were_found(load):
    result = json.loads(load("quality").RESULT.read_text())
    for reason, found in result["limits_found"].items():
        assert result["limits_used"][reason] == pytest.approx(found, rel=0.01), reason
    assert list(result["limits_used"].values()) == list(load("quality").quality.LIMITS)


def judged(module, change, measure, wrong, calibrates=True):
    # Only the size says anything; the other measures are those of a clear face.
    measures = (measure, 100.0, 1.0, 0.0, 1.0)
    return module.Judged(change, calibrates, False, wrong, 0.9, measures)


def test_a_limit_is_where_two_labels_in_five_are_wrong(load):
    module = load("quality")
    found = [judged(module, module.AS_IS, 140.0, number % 5 == 0) for number in range(300)]
    for size in range(4, 44):
        share = 0.9 if size < 20 else 0.1
        found += [judged(module, "small", float(size), number < 40 * share) for number in range(40)]
    assert module.limits(found)["small"] == pytest.approx(20, abs=2)
    others = [judged(module, "small", f.measures[0], True, calibrates=False) for f in found]
    assert module.limits(found + others)["small"] == module.limits(found)["small"]  # the other half has no say


def test_what_is_left_out_is_counted_with_its_errors(load):
    module = load("quality")
    found = [judged(module, "small", 5.0, wrong, False) for wrong in (True, True, True, False)]
    found += [judged(module, "small", 90.0, wrong, False) for wrong in (True, False, False, False)]
    gained = module.summarise(found)["small"]
    assert (gained["faces"], gained["wrong"], gained["wrong_of_good"], gained["lost_by_reason"]) == (8, 0.5, 0.25, 0.5)
    assert gained["reasons"]["small"] == 4
    assert gained["wrong_by_reason"]["small"] == 0.75


def test_a_baseline_is_replayed_as_the_device_learns_it(load):
    row = np.full(7, 0.05, np.float32)
    row[EXPRESSIONS.index("angry")], row[EXPRESSIONS.index("neutral")] = 0.45, 0.3
    frames = [(number, number / 10, {1: row / row.sum()}) for number in range(100)]
    replay = load("baseline").replay
    plain = [labels[1] for _, _, labels in replay(frames, EXPRESSIONS, None)]
    assert set(plain) == {"angry"}
    learned = [labels[1] for _, _, labels in replay(frames, EXPRESSIONS, 2.0)]
    assert learned[:15] == ["angry"] * 15
    assert learned[-1] == "neutral"


def test_only_faces_found_at_every_tilt_are_judged(load, monkeypatch):
    module = load("tilts")
    pictures = [(np.full((20, 20), level, np.uint8), level % 7) for level in (1, 2, 3)]
    monkeypatch.setattr(module, "FaceNetworks", lambda: None)
    seen = []

    def find(_, grey):
        seen.append(int(grey[10, 10]))
        return None if seen.count(2) == 3 and seen[-1] == 2 else object()

    monkeypatch.setattr(module, "find", find)
    found, counts = module.find_all({"set": pictures})
    faces, labels = found["set"]
    assert labels.tolist() == [1, 3]
    assert [len(each) for each in faces] == [4, 4]
    assert counts["set"] == [3, 3, 3, 2, 3]
