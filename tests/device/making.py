"""Results made by hand, for the tests of the outputs."""

import numpy as np

from fer_edge.device.frame import frame_from_bgr
from fer_edge.device.results import FrameResult, make_face
from fer_edge.preprocess import Box

LABELS = ("angry", "happy")


def face(box=(10, 12, 20, 20), number=1, happy=0.75):
    return make_face(number, Box(*box), LABELS, np.array([1 - happy, happy], np.float32))


def result(index=0, size=(64, 48), faces=None, time=None):
    picture = np.full((size[1], size[0], 3), 40 + index % 100, np.uint8)
    faces = (face(),) if faces is None else tuple(faces)
    time = index / 10 if time is None else time
    return FrameResult(index, time, faces, {"capture": 0.002, "total": 0.001}, frame_from_bgr(picture))
