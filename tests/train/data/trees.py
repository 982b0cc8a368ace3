"""Trees of pictures, for the tests of their readers."""

import zipfile

import cv2
import numpy as np

from fer_edge.device.sources.demo import PORTRAIT


def picture(seed, size=48):
    return np.random.default_rng(seed).integers(0, 256, (size, size), dtype=np.uint8)


def put(root, name, image):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


def zipped(root, path):
    """Zip a folder, without entries for its folders, as some tools do."""
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(root.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(root))
    return path


def portrait(shade=0):
    """The package's portrait, other in each photo."""
    return np.clip(cv2.imread(str(PORTRAIT)).astype(int) + shade, 0, 255).astype(np.uint8)


def face(shade=0):
    """A crop of its face, as data sets have them."""
    return np.ascontiguousarray(portrait(shade)[65:163, 79:177])
