import cv2
import numpy as np
import pytest

from fer_edge.device.detection.skin import MARGIN, SEARCH_ALL_EVERY, Regions, SkinRegions, large_side, segmentation
from fer_edge.device.detection.skin_models import BoxModel
from fer_edge.device.frame import Frame, frame_from_bgr
from fer_edge.preprocess import Box

SKIN, WALL, GRASS = (120, 150, 200), (140, 130, 100), (60, 160, 70)  # BGR


def scene(*faces, background=WALL, size=(320, 240)):
    picture = np.full((size[1], size[0], 3), background, np.uint8)
    if background == WALL:
        picture[: size[1] // 2, size[0] // 2 :] = GRASS
    for x, y, w, h in faces:
        picture[y : y + h, x : x + w] = SKIN
    return frame_from_bgr(picture)


def after_first(skin, frame, known=()):
    skin.propose(frame, ())
    return skin.propose(frame, known)


@pytest.fixture
def static():
    return SkinRegions(BoxModel(), 24)


def test_specks_and_thin_lines_are_no_skin(static):
    cb, cr = np.full((40, 40), 100, np.uint8), np.full((40, 40), 128, np.uint8)
    cr[10:13, :] = 150
    cr[30:34, 20:24] = 150
    frame = Frame(np.zeros((80, 80), np.uint8), cb, cr, 0.0, 0, 80, 80)
    assert not static.mask(frame).any()
    cr[20:26, 20:26] = 150
    assert static.mask(frame).any()


def test_pictures_may_change_their_size(static):
    sizes = [(320, 240), (640, 480), (320, 240)]
    boxes = [static.look(scene((100, 80, 40, 50), size=size), ()).boxes for size in sizes]
    assert boxes[0] == boxes[2]
    assert len(boxes[1]) == 1


def test_planes_may_have_strides(static):
    frame = scene((100, 80, 40, 50))
    pairs = np.dstack([frame.cb, frame.cr])
    interleaved = Frame(frame.y, pairs[:, :, 0], pairs[:, :, 1], 0.0, 0, 320, 240)
    assert static.look(interleaved, ()) == static.look(frame, ())


def test_a_region_holds_the_skin_and_a_margin():
    regions = after_first(SkinRegions(BoxModel(), 24), scene((100, 80, 40, 50)))
    assert regions.search_all is None
    (box,) = regions.boxes
    assert abs(box.x - (100 - MARGIN)) <= 2
    assert abs(box.y - (80 - MARGIN)) <= 2
    assert abs(box.w - (40 + 2 * MARGIN)) <= 4
    assert abs(box.h - (50 + 2 * MARGIN)) <= 4


def test_components_too_small_for_a_face_are_left_out():
    assert after_first(SkinRegions(BoxModel(), 48), scene((100, 80, 20, 20))) == Regions((), None)


def test_a_near_face_needs_no_region():
    frame = scene((100, 100, 400, 200), size=(640, 480))
    assert after_first(SkinRegions(BoxModel(), 24), frame) == Regions((), None)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        (scene(), "empty"),
        (scene((0, 0, 320, 200)), "covered"),
        (scene(background=(128, 128, 128)), "flat"),
    ],
)
def test_the_whole_picture_is_due(frame, reason):
    assert after_first(SkinRegions(BoxModel(), 24), frame).search_all == reason


def test_a_tinted_infrared_picture_is_flat():
    grey = np.random.default_rng(0).integers(0, 256, (48, 64), dtype=np.uint8)
    tint = np.full((24, 32), 140, np.uint8)
    frame = Frame(grey, tint, tint, 0.0, 0, 64, 48)
    assert after_first(SkinRegions(BoxModel(), 24), frame).search_all == "flat"


def test_every_so_often_the_whole_picture_is_due():
    skin, frame = SkinRegions(BoxModel(), 24), scene((100, 80, 40, 50))
    reasons = [skin.propose(frame, ()).search_all for _ in range(2 * SEARCH_ALL_EVERY)]
    assert [i for i, reason in enumerate(reasons) if reason == "periodic"] == [0, SEARCH_ALL_EVERY]


def test_known_faces_are_looked_for_whatever_their_colour():
    known = Box(200, 40, 30, 30)
    regions = after_first(SkinRegions(BoxModel(), 24), scene((40, 160, 40, 50)), [known])
    assert Box(185, 25, 60, 60) in regions.boxes


def test_a_known_large_face_is_found_without():
    regions = after_first(SkinRegions(BoxModel(), 24), scene((40, 160, 40, 50)), [Box(150, 10, 60, 60)])
    assert len(regions.boxes) == 1


def test_off_means_everywhere():
    skin = segmentation("off", 24)
    assert {skin.propose(scene((100, 80, 40, 50)), ()).search_all for _ in range(3)} == {"off"}


def test_large_grows_with_the_picture():
    assert large_side(120, 160) == large_side(480, 640) == 48
    assert large_side(960, 1280) == 96


@pytest.mark.parametrize("kind", ["static", "ellipse", "adaptive"])
def test_the_portrait_has_skin_where_its_face_is(portrait, kind):
    frame = frame_from_bgr(cv2.resize(portrait, (128, 144), interpolation=cv2.INTER_AREA))
    mask = segmentation(kind, 24).mask(frame)
    assert mask[20:36, 24:40].mean() > 200
    assert mask[58:].mean() < 60  # the black collar
