"""Faces that tests of models look at."""

from pathlib import Path

import cv2
import numpy as np

from fer_edge.train.data.demo import make_demo

ROOT = Path(__file__).parents[1]


def public_test_faces(count):
    """Return faces of FER2013's PublicTest, or drawn ones where that is absent; uint8, count x 48 x 48."""
    mosaic = ROOT.parent / "shared" / "data" / "fer2013" / "PublicTest_0.png"
    if not mosaic.exists():
        return make_demo(training=0, public_test=count, private_test=0).splits["PublicTest"].images
    picture = cv2.imread(str(mosaic), cv2.IMREAD_GRAYSCALE)
    rows, columns = picture.shape[0] // 48, picture.shape[1] // 48
    tiles = picture.reshape(rows, 48, columns, 48).swapaxes(1, 2).reshape(-1, 48, 48)
    return np.ascontiguousarray(tiles[:count])
