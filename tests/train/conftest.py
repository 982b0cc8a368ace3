"""Small data for the training side."""

import numpy as np
import pytest

from fer_edge.labels import EXPRESSIONS
from fer_edge.train.data.classes import EIGHT
from fer_edge.train.data.dataset import PUBLIC_TEST, TRAINING, Dataset, Split


def pictures(count, seed):
    """Noise with a bright bar whose height says the class: learnable, and no two alike."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count, dtype=np.int64) % len(EXPRESSIONS)
    images = rng.integers(0, 120, (count, 48, 48), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[4 + 6 * label : 8 + 6 * label] = 230
    return Split(images, labels, np.arange(count))


@pytest.fixture(scope="session")
def tiny():
    """Seven classes, 140 training and 35 test images."""
    return Dataset.make("tiny", EXPRESSIONS, {TRAINING: pictures(140, 1), PUBLIC_TEST: pictures(35, 2)})


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory, monkeypatch):
    """Keep the user's cache out of the tests."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))


def csv_text(rows, header="emotion,pixels,Usage"):
    """Return a FER2013 file of (emotion, pixel array, usage) rows."""
    return (
        "\n".join(
            [
                header,
                *(f"{e},{' '.join(map(str, p.ravel() if isinstance(p, np.ndarray) else p))},{u}" for e, p, u in rows),
            ]
        )
        + "\n"
    )


@pytest.fixture
def fer_csv(tmp_path, tiny):
    """The tiny data set as a FER2013 file."""
    rows = [
        (label, image, name) for name, s in tiny.splits.items() for image, label in zip(s.images, s.labels, strict=True)
    ]
    path = tmp_path / "fer2013.csv"
    path.write_text(csv_text(rows))
    return path


HEADER = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
COLUMNS = ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear", "contempt", "unknown", "NF")


@pytest.fixture
def ferplus(tmp_path, fer_csv, tiny):
    """Votes for the tiny set: each class moves on by one, every fifth image is unknown, every seventh disputed."""
    lines = [HEADER]
    row = 0
    for name, split in tiny.splits.items():
        for label in split.labels:
            counts = dict.fromkeys(COLUMNS, 0)
            target = EIGHT[label + 1]
            if row % 5 == 0:
                counts["unknown"] = 10
            elif row % 7 == 0:
                counts[target], counts["neutral" if target != "neutral" else "happy"] = 5, 5
            else:
                counts[target] = 10
            lines.append(",".join([name, f"fer{row:07}.png", *(str(counts[column]) for column in COLUMNS)]))
            row += 1
    path = tmp_path / "fer2013new.csv"
    path.write_text("\n".join(lines) + "\n")
    return path
