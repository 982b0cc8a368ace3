"""Records of suites that are too slow for every run: what passed, on which files, when and where.

    python tests/verified.py SUITE...      run the suites and, if they pass, renew their records
    python tests/verified.py               say which records no longer fit

A record in ``tests/verified.json`` holds a digest of every file that its suite depends on. ``tests/test_verified.py``
fails when a record no longer fits, so that nothing is said to be verified that has changed since.
"""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RECORDS = ROOT / "tests" / "verified.json"

CONTRACT = ("edge/models/[!f]*.tflite", "edge/runtime.py", "edge/preprocess.py", "edge/model_file.py")
"""What decides an expression model's answer; the face networks are not among these suites' models."""


@dataclasses.dataclass(frozen=True)
class Suite:
    """Checks that take minutes or need a machine of their own.

    Attributes:
        command: runs them, from the root of the repository.
        files: patterns of the files on which their result depends, by `Path.glob`.
        needs: what they want that an ordinary test run does without.
    """

    command: tuple[str, ...]
    files: tuple[str, ...]
    needs: str


SUITES = {
    "pi": Suite(
        ("scripts/virtual-pi",),
        (
            *CONTRACT,
            "setup.cfg",
            "device/deploy/**/*",
            "device/sources/picamera2.py",
            "scripts/virtual-pi",
            "tests/pi/**/*",
        ),
        "root, mmdebstrap and Linux 6.7 or newer",
    ),
    "slow": Suite(
        ("scripts/test", "-m", "slow", "--ignore=tests/convert/foreign"),
        (
            *CONTRACT,
            "setup.cfg",
            "device/archive/**/*",
            "device/deploy/**/*",
            "device/outputs/metrics*.py",
            "device/pipeline.py",
            "device/web/**/*",
            "observability/**/*",
            "train/loop/**/*",
        ),
        "half an hour, the package index, mosquitto, prometheus and openssh-server",
    ),
    "browser": Suite(
        ("scripts/test", "-m", "browser"),
        ("device/web/**/*", "edge/labels.py", "tests/device/web/browser/*.py"),
        "Chromium",
    ),
}


def digest(patterns: Iterable[str], root: Path = ROOT) -> str:
    """Return SHA-256, in hex, over the names and bytes of the files that the patterns find.

    Raises:
        ValueError: a pattern finds nothing, so that a renamed folder cannot pass for an unchanged one.
    """
    whole = hashlib.sha256()
    for path in sorted({path for pattern in patterns for path in _found(pattern, root)}):
        whole.update(f"{path.relative_to(root)}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return whole.hexdigest()


def _found(pattern: str, root: Path) -> list[Path]:
    found = [path for path in root.glob(pattern) if path.is_file() and "__pycache__" not in path.parts]
    if not found:
        raise ValueError(f"expected files like {pattern}, found none; name where they went in tests/verified.py")
    return found


def outdated(records: dict[str, Any]) -> dict[str, str]:
    """Return suite -> why its record does not speak for the files as they are, with the command that renews it."""
    reasons = {}
    for name, suite in SUITES.items():
        record = records.get(name)
        if record is None:
            why = "was never recorded"
        elif record["digest"] != digest(suite.files):
            why = f"passed on {record['date']} with other files"
        else:
            continue
        reasons[name] = f"{name}: {why}; renew it with: python tests/verified.py {name}   (needs {suite.needs})"
    return reasons


def read_records() -> dict[str, Any]:
    """Return the kept records by suite."""
    records: dict[str, Any] = json.loads(RECORDS.read_text()) if RECORDS.exists() else {}
    return records


def renew(name: str) -> None:
    """Run a suite and keep its record; raises SystemExit if it fails, skips everything or runs nothing."""
    suite = SUITES[name]
    before = digest(suite.files)
    print(f"{name}: {' '.join(suite.command)}", file=sys.stderr)
    with subprocess.Popen(suite.command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        last = ""
        for line in process.stdout:
            print(line, end="")
            last = line if re.search(r"\d+ (passed|failed|skipped)", line) else last
    passed = int(found[1]) if (found := re.search(r"(\d+) passed", last)) else 0
    skipped = int(found[1]) if (found := re.search(r"(\d+) skipped", last)) else 0
    if process.returncode or not passed:
        raise SystemExit(f"{name}: expected a passing run, found {last.strip() or 'none'}; its record stays as it was")
    if digest(suite.files) != before:
        raise SystemExit(f"{name}: files changed during the run; run it again")
    from fer_edge.machine import describe_machine

    machine = describe_machine()
    records = read_records()
    records[name] = {
        "digest": before,
        "passed": passed,
        "skipped": skipped,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": {key: machine[key] for key in ("architecture", "processor", "cores", "board")},
        "command": " ".join(suite.command),
    }
    RECORDS.write_text(json.dumps(dict(sorted(records.items())), indent=1) + "\n")


def main(names: list[str]) -> None:
    """Renew the named suites' records, or list those that no longer fit."""
    unknown = [name for name in names if name not in SUITES]
    if unknown:
        print(f"expected suites among {', '.join(SUITES)}, found {', '.join(unknown)}", file=sys.stderr)
        raise SystemExit(2)
    for name in names:
        renew(name)
    if not names:
        print("\n".join(outdated(read_records()).values()) or "every record fits")


if __name__ == "__main__":
    main(sys.argv[1:])
