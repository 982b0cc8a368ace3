"""Measure two models on this machine.

python examples/compare_latency.py [MODEL] [MODEL]
"""

import sys

import fer_edge

for name in sys.argv[1:] or ["nano", "compact"]:
    measured = fer_edge.benchmark(name, frames=0, runs=200, seconds=0, threads=(1,), xnnpack="on")
    times = measured.latency[0].wall_us
    print(f"{name:10s} {times.p50:7.1f} us a face, 99 % within {times.p99:7.1f} us")
