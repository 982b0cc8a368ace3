from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_edge.device.frame import frame_from_bgr
from fer_edge.device.sources.demo import PORTRAIT, DemoSource
from fer_edge.runtime import TFLiteModel
from fer_edge.shipped import shipped_models

SHARED = Path(__file__).parents[2].parent / "shared" / "data"


@pytest.fixture(scope="session")
def model_path():
    return shipped_models()["compact"]


@pytest.fixture(scope="session")
def model(model_path):
    return TFLiteModel(model_path)


@pytest.fixture(scope="session")
def portrait():
    return cv2.imread(str(PORTRAIT))


@pytest.fixture(scope="session")
def demo():
    with DemoSource() as source:
        yield source


@pytest.fixture
def grey_frame():
    def make(index=0, time=0.0, size=(64, 48)):
        return frame_from_bgr(np.full((size[1], size[0], 3), 128, np.uint8), time, index)

    return make


@pytest.fixture(scope="session")
def clip(tmp_path_factory, demo):
    """A Matroska file of 12 pictures of the demo film, 320 x 240, at 10 per second."""
    path = tmp_path_factory.mktemp("clip") / "clip.mkv"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 10, (320, 240))
    for index in range(12):
        writer.write(cv2.resize(demo.picture(index / 10), (320, 240), interpolation=cv2.INTER_AREA))
    writer.release()
    return path


@pytest.fixture(scope="session")
def shared_video():
    def find(name):
        path = SHARED / "videos" / name
        if not path.exists():
            pytest.skip(f"needs {name}, which is not part of the repository")
        return path

    return find
