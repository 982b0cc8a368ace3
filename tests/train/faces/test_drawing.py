"""Training frames and crops: faces stay where the annotations say, whatever is done to the image."""

from pathlib import Path

import numpy as np
import pytest

from fer_edge.faces.crop import Look, decode_crop
from fer_edge.train.faces.covers import cover
from fer_edge.train.faces.crops import CropMaker, mirrored_crops
from fer_edge.train.faces.data.annotations import LabelledImage, no_landmarks
from fer_edge.train.faces.data.images import FaceSet, TrainingImage, halved
from fer_edge.train.faces.data.split import copy_groups, held_out
from fer_edge.train.faces.light import Light
from fer_edge.train.faces.mining import apart
from fer_edge.train.faces.scenes import Mistake, SceneMaker


class NoLight:
    """Leaves luma as it is."""

    def apply(self, luma):
        return luma


@pytest.fixture
def plain(monkeypatch):
    """Nothing is lit or covered."""
    monkeypatch.setattr("fer_edge.train.faces.scenes.Light", lambda rng: NoLight())
    monkeypatch.setattr("fer_edge.train.faces.crops.Light", lambda rng: NoLight())
    monkeypatch.setattr("fer_edge.train.faces.scenes.COVERED_SHARE", 0)
    monkeypatch.setattr("fer_edge.train.faces.crops.COVERED_SHARE", 0)


def at(luma, point):
    x, y = (int(np.clip(round(float(v)), 0, side - 1)) for v, side in zip(point, luma.shape[::-1], strict=True))
    return int(luma[y, x])


def test_scenes_show_faces_where_they_say(images, plain):
    maker = SceneMaker(images, np.random.default_rng(1), face_free=0.3)
    bright = total = 0
    for _ in range(150):
        frame, faces = maker.scene()
        assert frame.shape == (120, 160)
        for square, points, certain in zip(faces.squares, faces.landmarks, faces.certain, strict=True):
            if certain and square[2] > 12:
                total += 1
                between = points[[0, 1, 3, 4]].mean(0)
                bright += at(frame, between) > 150
    assert total > 60
    assert bright / total > 0.97


def test_without_faces_a_frame_has_none(images):
    maker = SceneMaker(images, np.random.default_rng(1), face_free=1.0)
    assert not any(maker.scene()[1].certain.any() for _ in range(30))


def test_mistakes_are_shown_again(images, plain):
    maker = SceneMaker(images, np.random.default_rng(2), face_free=1.0)
    empty = next(index for index, image in enumerate(images) if not len(image.faces))
    maker.mistakes = [Mistake(empty, (60.0, 35.0, 30.0))]
    deviations = [maker.scene()[0].std() for _ in range(20)]
    assert max(deviations) > 20


def test_crops_say_where_the_face_is(images, plain):
    maker = CropMaker(images, np.random.default_rng(3))
    for _ in range(200):
        luma, target = maker.crop()
        assert luma.shape == (48, 48)
        if target[0]:
            face = decode_crop(target[:14], Look(23.5, 23.5, 32))
            corners = face.landmarks[[0, 1, 3, 4]].mean(0)
            if (corners > 1).all() and (corners < 46).all():
                assert at(luma, corners) > 120
        else:
            assert not target.any()


def test_the_mirror_of_a_crop_says_where_the_face_is(images, plain):
    maker = CropMaker(images, np.random.default_rng(3))
    crops, targets = (np.stack(parts) for parts in zip(*(maker.crop() for _ in range(20)), strict=True))
    turned, wanted = mirrored_crops(crops[..., None], targets)
    assert (turned[:, :, ::-1, 0] == crops).all()
    for before, after in zip(targets[targets[:, 0] > 0], wanted[targets[:, 0] > 0], strict=True):
        one, other = (decode_crop(row[:14], Look(23.5, 23.5, 32)) for row in (before, after))
        assert other.look.roll == pytest.approx(-one.look.roll, abs=1e-3)
        assert 47 - other.look.x == pytest.approx(one.look.x, abs=1e-3)
        assert 47 - other.landmarks[0, 0] == pytest.approx(one.landmarks[1, 0], abs=1e-3)


def test_half_of_the_crops_are_faces_and_every_tilt_occurs(images):
    maker = CropMaker(images, np.random.default_rng(4))
    targets = np.stack([maker.crop()[1] for _ in range(600)])
    assert 0.4 < targets[:, 0].mean() < 0.6
    rolls = [decode_crop(t[:14], Look(23.5, 23.5, 32)).look.roll for t in targets if t[0]]
    assert min(rolls) < -80
    assert max(rolls) > 80
    assert np.mean(np.abs(rolls) < 20) > 0.4


def test_covers_change_the_face_and_little_else():
    rng = np.random.default_rng(0)
    points = np.array([[42, 44], [58, 44], [50, 52], [44, 60], [56, 60]], np.float32)
    for _ in range(30):
        luma = np.full((100, 100), 128, np.uint8)
        cover(luma, np.array([50, 50, 36], np.float32), points, rng)
        ys, xs = np.nonzero(luma != 128)
        assert len(xs) == 0 or np.hypot(xs - 50, ys - 50).max() < 50


def test_a_face_without_landmarks_is_not_covered():
    luma = np.full((100, 100), 128, np.uint8)
    cover(luma, np.array([50, 50, 36], np.float32), np.full((5, 2), np.nan, np.float32), np.random.default_rng(0))
    assert (luma == 128).all()


def test_light_keeps_shape_and_type_and_varies():
    light = Light(np.random.default_rng(0))
    luma = np.tile(np.arange(160, dtype=np.uint8), (120, 1))
    results = [light.apply(luma) for _ in range(40)]
    assert {result.shape for result in results} == {luma.shape}
    assert {result.dtype for result in results} == {luma.dtype}
    assert np.std([result.mean() for result in results]) > 15


def test_levels_halve_exactly():
    levels = halved(np.zeros((101, 67), np.uint8))
    assert [level.shape for level in levels] == [(101, 67), (50, 33), (25, 16), (12, 8)]


def test_near_copies_share_a_group():
    rng = np.random.default_rng(0)
    thumbnails = rng.normal(size=(20, 144)).astype(np.float32)
    thumbnails[7] = thumbnails[3] + rng.normal(0, 0.1, 144)
    thumbnails[9] = thumbnails[7] + rng.normal(0, 0.1, 144)
    groups = copy_groups(thumbnails)
    assert groups[3] == groups[7] == groups[9]
    assert len(set(groups)) == 18


def test_the_split_is_fixed():
    rng = np.random.default_rng(0)
    faces = FaceSet(np.zeros((0, 3), np.float32), no_landmarks(0), np.zeros(0, bool))
    none = (np.zeros((0, 4), np.float32), no_landmarks(0), np.zeros(0, bool))
    labelled = [LabelledImage(Path(f"set/{index}.jpg"), *none) for index in range(60)]
    images = [TrainingImage((rng.integers(0, 256, (24, 24)).astype(np.uint8),), faces) for _ in labelled]
    out = held_out(labelled, images)
    assert 0 < out.sum() < len(out) / 3
    assert (held_out(labelled[::-1], images[::-1])[::-1] == out).all()


def test_a_square_on_a_face_is_no_mistake():
    faces = np.array([[50, 50, 20]], np.float32)
    assert not apart(np.array([52, 50, 22, 0.9], np.float32), faces)
    assert apart(np.array([90, 50, 22, 0.9], np.float32), faces)
    assert apart(np.array([90, 50, 22, 0.9], np.float32), faces[:0])
