"""What is too slow for every run has passed on the files as they are."""

import json

import pytest

from fer_edge.model_file import file_hash
from fer_edge.shipped import shipped_models
from tests import verified

RESULTS = verified.ROOT / "benchmarks" / "results" / "x86_64"


@pytest.mark.parametrize("suite", verified.SUITES)
def test_the_record_fits(suite):
    assert suite not in (reasons := verified.outdated(verified.read_records())), reasons[suite]


@pytest.mark.parametrize("model", shipped_models())
def test_the_documents_figures_are_of_the_shipped_file(model):
    digest = file_hash(shipped_models()[model])
    evaluated = json.loads((RESULTS / f"{model}-evaluate.json").read_text())
    bench = json.loads((RESULTS / f"{model}-bench.json").read_text())
    assert [file["sha256"] for file in evaluated["models"]] == [digest], "renew with: benchmarks/measure"
    assert bench["model"]["sha256"] == digest, "renew with: benchmarks/measure"


def test_a_changed_file_is_seen_and_the_command_named(monkeypatch, tmp_path):
    (tmp_path / "a.py").write_text("1")
    before = verified.digest(["*.py"], tmp_path)
    (tmp_path / "a.py").write_text("2")
    assert verified.digest(["*.py"], tmp_path) != before
    records = {name: {"digest": "old", "date": "2026-01-01"} for name in verified.SUITES}
    assert "python tests/verified.py pi" in verified.outdated(records)["pi"]


def test_a_pattern_that_finds_nothing_is_refused(tmp_path):
    with pytest.raises(ValueError, match="found none"):
        verified.digest(["gone/*.py"], tmp_path)


@pytest.mark.parametrize(("output", "status"), [("3 failed, 2 passed", 1), ("5 skipped", 0), ("", 0)])
def test_what_did_not_pass_leaves_no_record(monkeypatch, tmp_path, output, status):
    monkeypatch.setattr(verified, "RECORDS", tmp_path / "verified.json")
    suite = verified.Suite(("sh", "-c", f"echo '{output}'; exit {status}"), ("setup.cfg",), "nothing")
    monkeypatch.setitem(verified.SUITES, "pi", suite)
    with pytest.raises(SystemExit, match="expected a passing run"):
        verified.renew("pi")
    assert not verified.read_records()


def test_a_passing_run_is_recorded(monkeypatch, tmp_path):
    monkeypatch.setattr(verified, "RECORDS", tmp_path / "verified.json")
    monkeypatch.setattr(verified, "SUITES", {"pi": verified.Suite(("echo", "2 passed"), ("setup.cfg",), "nothing")})
    verified.renew("pi")
    assert verified.outdated(verified.read_records()) == {}
    assert verified.read_records()["pi"]["passed"] == 2
