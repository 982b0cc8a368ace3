"""Do something when an expression lasts.

python examples/own_output.py [SOURCE] [FRAMES]
"""

import sys

import fer_edge

HOLD_S = 1.0
since: dict[int, float] = {}

source = sys.argv[1] if len(sys.argv) > 1 else "demo"
frames = int(sys.argv[2]) if len(sys.argv) > 2 else None

for result in fer_edge.run(source, frames=frames):
    smiling = {face.id for face in result.faces if face.label == "happy" and not face.uncertain}
    since = {number: since.get(number, result.time) for number in smiling}
    for number, start in since.items():
        if result.time - start >= HOLD_S:
            print(f"person {number} has smiled since second {start:.1f}")  # switch on a light here
            sys.exit()
