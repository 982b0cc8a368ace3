import shutil

import cv2
import numpy as np
import pytest

from fer_edge.device.archive.settings import make_settings


@pytest.fixture(scope="session")
def settings(model_path):
    return make_settings([model_path], detector="haar")


@pytest.fixture(scope="session")
def archive(tmp_path_factory, portrait, clip):
    """A folder of three images, one of them empty, a damaged one, a video and what is neither."""
    folder = tmp_path_factory.mktemp("archive")
    for name in ("a.jpg", "b.png"):
        cv2.imwrite(str(folder / name), portrait)
    cv2.imwrite(str(folder / "empty.png"), np.full((60, 80, 3), 200, np.uint8))
    (folder / "damaged.jpg").write_bytes((folder / "a.jpg").read_bytes()[:2000])
    (folder / "notes.md").write_text("nothing to see")
    (folder / "films").mkdir()
    shutil.copy(clip, folder / "films" / "clip.mkv")
    return folder
