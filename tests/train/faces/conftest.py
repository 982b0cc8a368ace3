"""A small data set of drawn faces: a bright disc with dark eyes and mouth."""

import json

import cv2
import numpy as np
import pytest

from fer_edge.train.faces.data.material import training_images


def drawn(rng, faces=1, size=(96, 128)):
    """Return luma and the teacher's rows (box, score, landmarks) of drawn faces that do not overlap."""
    luma = np.full(size, rng.integers(30, 90), np.uint8)
    rows = []
    for index in range(faces):
        side = int(rng.integers(20, 36))
        x, y = 24 + 42 * index, int(rng.integers(30, size[0] - 30))
        cv2.circle(luma, (x, y), side // 2, 220, -1)
        points = np.array([[-0.2, -0.15], [0.2, -0.15], [0, 0.05], [-0.15, 0.25], [0.15, 0.25]]) * side + (x, y)
        for point in points[[0, 1, 3, 4]]:
            cv2.circle(luma, tuple(int(v) for v in point), 2, 20, -1)
        rows.append([x - side / 2, y - side / 2, side, side, 0.95, *points.ravel().tolist()])
    return luma, rows


@pytest.fixture(scope="session")
def face_data(tmp_path_factory):
    """A folder of 40 images, half of them without faces."""
    folder = tmp_path_factory.mktemp("faces")
    rng = np.random.default_rng(5)
    (folder / "set").mkdir()
    lines = []
    for index in range(40):
        luma, rows = drawn(rng, faces=index % 2 * int(rng.integers(1, 3)))
        if not rows:
            luma[20:50, 30:90] = rng.integers(0, 256, (30, 60))
        cv2.imwrite(str(folder / f"set/{index}.png"), luma)
        lines.append(json.dumps({"file": f"set/{index}.png", "teacher": rows}))
    (folder / "annotations.jsonl").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture(scope="session")
def images(face_data):
    """The training split of `face_data`."""
    return training_images(face_data)
