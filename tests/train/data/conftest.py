"""A tree of photos."""

import cv2
import numpy as np
import pytest

from tests.train.data.trees import portrait, put


@pytest.fixture
def photos(tmp_path):
    """Two classes of five photos; one without a face, one with two."""
    root = tmp_path / "own"
    for number in range(5):
        put(root, f"happy/{number}.png", portrait(number))
        put(root, f"neutral/{number}.png", portrait(-1 - number))
    put(root, "happy/wall.png", np.full((200, 300, 3), 90, np.uint8))
    put(root, "neutral/two.png", np.hstack([portrait(20), cv2.resize(portrait(20), (200, 288))]))
    return root
