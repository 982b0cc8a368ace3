import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from fer_edge.device.detection.motion import FILLED_SHARE, SIZE, SMALL_CELLS, Changes, tight_boxes
from fer_edge.device.faces import area
from fer_edge.preprocess import Box

WIDTH, HEIGHT = 640, 480


def noisy(level, seed):
    noise = np.random.default_rng(seed).normal(level, 4, (240, 320))
    return np.clip(noise, 0, 255).astype(np.uint8)


def with_something(seed, x, y, side=40, level=100):
    picture = noisy(level, seed)
    picture[y // 2 : (y + side) // 2, x // 2 : (x + side) // 2] += 60
    return picture


def changes(*pictures):
    seen = Changes()
    for picture in pictures:
        seen.add(picture)
    return seen


def test_the_first_picture_and_another_scene_are_cuts():
    assert changes(noisy(100, 0)).cut
    assert not changes(noisy(100, 0), noisy(100, 1)).cut
    assert changes(noisy(100, 0), noisy(160, 1)).cut


def test_noise_does_not_move():
    seen = changes(noisy(100, 0))
    assert seen.moved(WIDTH, HEIGHT) == []
    for seed in range(1, 20):
        seen.add(noisy(100, seed))
        assert seen.moved(WIDTH, HEIGHT) == []


def test_what_came_in_moved_once():
    seen = changes(noisy(100, 0))
    seen.moved(WIDTH, HEIGHT)
    seen.add(with_something(1, 200, 300))
    (box,) = seen.moved(WIDTH, HEIGHT)
    assert box.x <= 200 <= 240 <= box.x + box.w
    assert box.y <= 300 <= 340 <= box.y + box.h
    assert area(box) < 4 * 40 * 40
    seen.add(with_something(2, 200, 300))
    assert seen.moved(WIDTH, HEIGHT) == []


def test_what_changes_slowly_has_moved_at_last():
    seen = changes(noisy(100, 0))
    seen.moved(WIDTH, HEIGHT)
    moved = []
    for step in range(24):
        seen.add(noisy(100 + step / 2, step))
        moved.append(bool(seen.moved(WIDTH, HEIGHT)))
    assert not any(moved[:4])
    assert any(moved[4:])


def test_nothing_moved_before_the_first_picture():
    assert Changes().moved(WIDTH, HEIGHT) == []


@settings(max_examples=80, deadline=None)
@given(arrays.arrays(bool, SIZE[::-1], elements=st.booleans(), fill=st.just(False)))
def test_tight_boxes_hold_everything_that_is_set(mask):
    boxes = tight_boxes(mask)
    covered = np.zeros_like(mask)
    for x, y, w, h in boxes:
        inside = mask[y : y + h, x : x + w]
        assert inside.shape == (h, w)
        assert max(w, h) <= SMALL_CELLS or inside.mean() >= FILLED_SHARE
        covered[y : y + h, x : x + w] = True
    assert not (mask & ~covered).any()
    assert bool(boxes) == mask.any()


def test_two_corners_are_two_boxes():
    mask = np.zeros(SIZE[::-1], bool)
    mask[0, 0] = mask[-1, -1] = True
    assert tight_boxes(mask) == [Box(0, 0, 1, 1), Box(SIZE[0] - 1, SIZE[1] - 1, 1, 1)]
