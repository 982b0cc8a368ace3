from pathlib import Path

import pytest

from fer_edge.device.doctor.checks import all_checks, examine
from fer_edge.device.doctor.finding import Finding, Status, split_advice
from fer_edge.device.doctor.report import is_ready, to_text, verdict


def finding(status, advice=""):
    return Finding("thing", status, "it is so", advice)


@pytest.mark.parametrize(
    ("status", "mark", "plain"),
    [(Status.OK, "✓", "+"), (Status.WARNING, "!", "!"), (Status.PROBLEM, "✗", "x"), (Status.UNKNOWN, "?", "?")],
)
def test_marks_and_their_stand_ins(status, mark, plain):
    for encoding, expected in (("utf-8", mark), ("ascii", plain), ("iso8859-15", plain)):
        text = to_text(finding(status), 10, 80, encoding)
        assert text.replace("\x1b[0m", "").endswith("it is so")
        assert expected in text
        text.encode(encoding)


def test_long_sentences_are_wrapped_and_commands_are_not():
    long = Finding("thing", Status.WARNING, " ".join(["word"] * 40), " ".join(["command"] * 40))
    *found, advice = to_text(long, 10, 60, "utf-8").splitlines()
    assert len(found) > 3
    assert all(len(line) <= 60 for line in found[1:])
    assert all(line.startswith(" " * 14 + "word") for line in found[1:])
    assert " ".join(["command"] * 40) in advice


def test_what_the_terminal_cannot_show_does_not_stop_the_report():
    odd = Finding("camera", Status.OK, "Kamera für 60 °C ✓", "größer")
    assert "60 ? C" not in to_text(odd, 6, 80, "iso8859-1")
    assert "f?r 60 ?C ?" in to_text(odd, 6, 80, "ascii")


@pytest.mark.parametrize(
    ("statuses", "ready", "line"),
    [
        ("ok unknown", True, "Ready."),
        ("ok warning", True, "Ready: 1 warning."),
        ("warning warning unknown", True, "Ready: 2 warnings."),
        ("problem ok", False, "Not ready: 1 problem."),
        ("problem warning problem", False, "Not ready: 2 problems, 1 warning."),
    ],
)
def test_verdict(statuses, ready, line):
    findings = [finding(Status(status)) for status in statuses.split()]
    assert is_ready(findings) is ready
    assert verdict(findings) == line


def test_a_check_that_fails_itself_keeps_no_other_from_its_work():
    def fails():
        raise KeyError("two\nlines")

    first, second = examine({"odd": fails, "thing": lambda: finding(Status.OK)})
    assert (first.name, first.status) == ("odd", Status.UNKNOWN)
    assert "KeyError" in first.found
    assert "\n" not in first.found
    assert second == finding(Status.OK)


def test_on_an_empty_machine_every_check_speaks_under_its_own_name(machine):
    machine.set_python(machine="aarch64")
    checks = all_checks(machine.system, None, None)
    findings = list(examine(checks))
    assert [each.name for each in findings] == list(checks)
    assert not [each.found for each in findings if "the check itself" in each.found]
    problems = {each.name for each in findings if each.status is Status.PROBLEM}
    assert problems == {"numpy", "OpenCV", "model"}
    assert all(each.advice for each in findings if each.status in (Status.WARNING, Status.PROBLEM))


def test_the_advice_is_what_stands_behind_the_last_semicolon():
    assert split_advice("x: a; b; do this") == ("x: a; b", "do this")
    assert split_advice("no advice") == ("no advice", "")


def test_the_manual_knows_every_check(machine):
    rows = (Path(__file__).parents[3] / "docs" / "doctor.md").read_text().splitlines()
    for name in all_checks(machine.system, None, None):
        assert any(row.startswith(f"| {name} |") for row in rows), name
