import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "pipeline" / "soak.py"


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads the memory from /proc")
def test_memory_stays_where_it_is():
    run = subprocess.run(
        [sys.executable, SCRIPT, "--minutes", "3", "--json"], capture_output=True, text=True, check=True
    )
    figures = json.loads(run.stdout)
    assert figures["growth_mb"] < 2
    assert figures["memory_mb"] < 150
    assert figures["frames"] > 1000
