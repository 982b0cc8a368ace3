"""Rollbacks that follow each other; run with ``scripts/test -m hard``."""

import pytest

pytestmark = [pytest.mark.hard, pytest.mark.timeout(600)]


def test_a_rollback_after_a_rollback(lab, deploy, wheels):
    pi = lab.target("rolled-back-twice")

    def go(version, behaviour="fine"):
        return deploy("--wheel", wheels(version, behaviour), "rolled-back-twice", "--service")

    assert go("7.0").exit_code == 0
    first = pi.running
    for version in ("7.1", "7.1", "7.2"):  # the same bad one again, then another
        result = go(version, "crashes")
        assert result.exit_code == 1
        assert f"rolled back to {first}, which runs" in result.stderr
        assert pi.running == pi.current == first
    assert go("7.3").exit_code == 0
    second = pi.running
    assert second not in (first, None)
    result = go("7.4", "crashes")
    assert f"rolled back to {second}, which runs" in result.stderr
    assert pi.running == pi.current == second
    assert pi.version() == "7.3"
    assert first in pi.releases, "the one before is kept"
    assert go("7.3").exit_code == 0
    assert pi.running == second
