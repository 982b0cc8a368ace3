"""One fuzzer in a process of its own: ``python -m tests.hard.child TARGET SEED COUNT FOLDER`` prints what came of it.

Each input has a number and is made from SEED and that number alone. What a target does with an input is one of three:
it takes it and its own checks hold, it refuses it with a `FerEdgeError`, or it failed.
"""

from __future__ import annotations

import collections
import json
import logging
import os
import random
import resource
import sys
import time
import traceback
import warnings
from pathlib import Path

from fer_edge.errors import FerEdgeError
from tests.hard.data import DATA
from tests.hard.models import MODELS
from tests.hard.network import NETWORK
from tests.hard.pictures import PICTURES

TARGETS = {**DATA, **MODELS, **PICTURES, **NETWORK}
ENOUGH_FAILURES = 5


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(name: str, seed: str, count: int, folder: Path) -> None:
    """Run a target and print a line of JSON."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    one, finish = TARGETS[name](folder)
    at = os.open(folder / "number", os.O_WRONLY | os.O_CREAT)
    before, begun, slowest = _peak_mb(), time.monotonic(), 0.0
    outcomes: collections.Counter[str] = collections.Counter()
    failures: list[str] = []
    for number in range(count):
        os.pwrite(at, f"{number:12d}".encode(), 0)  # a native crash leaves it behind
        started = time.monotonic()
        try:
            outcomes[one(random.Random(f"{seed} {number}")) or "taken"] += 1
        except FerEdgeError as error:
            outcomes["refused"] += 1
            if not str(error).replace("\udcff", "").isprintable() and "\n" in str(error):
                failures.append(f"input {number}: more than one line: {error!r}")
        except Exception:
            failures.append(f"input {number}: {traceback.format_exc(limit=-6)}")
        slowest = max(slowest, time.monotonic() - started)
        if len(failures) >= ENOUGH_FAILURES:
            break
    failures += finish()
    result = {
        "target": name,
        "seed": seed,
        "inputs": sum(outcomes.values()) + len(failures),
        "outcomes": dict(outcomes),
        "seconds": round(time.monotonic() - begun, 1),
        "slowest_s": round(slowest, 2),
        "memory_mb": round(_peak_mb() - before),
        "failures": failures,
    }
    print(json.dumps(result), flush=True)
    os._exit(0)  # threads of libraries that a hostile input left behind hold nobody up


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))
