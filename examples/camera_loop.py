"""Say what the faces before a camera express.

    python examples/camera_loop.py [SOURCE] [FRAMES]

SOURCE is picamera2, a webcam's number, a video, a URL, or demo, which needs no camera.
"""

import sys

import fer_edge

source = sys.argv[1] if len(sys.argv) > 1 else "demo"
frames = int(sys.argv[2]) if len(sys.argv) > 2 else None

for result in fer_edge.run(source, frames=frames):
    said = [f"{face.id}: {face.label} {face.score:.0%}" for face in result.faces]
    print(f"{result.time:7.2f} s  {', '.join(said) or 'nobody'}")
