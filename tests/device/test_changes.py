import numpy as np

from fer_edge.device.changes import Changes


def changes(*pictures):
    seen = Changes()
    for picture in pictures:
        seen.add(picture)
    return seen


def noisy(level, seed):
    noise = np.random.default_rng(seed).normal(level, 4, (120, 160))
    return np.clip(noise, 0, 255).astype(np.uint8)


def test_the_first_picture_and_another_scene_are_cuts():
    assert changes(noisy(100, 0)).cut
    assert not changes(noisy(100, 0), noisy(100, 1)).cut
    assert changes(noisy(100, 0), noisy(160, 1)).cut


def test_noise_alone_is_still():
    seen = changes(noisy(100, 0))
    assert not seen.still
    seen.mark()
    for seed in range(1, 20):
        seen.add(noisy(100, seed))
        assert seen.still


def test_what_comes_in_slowly_is_seen_against_the_mark():
    seen = changes(noisy(100, 0))
    seen.mark()
    stills = []
    for step in range(20):
        picture = noisy(100, step)
        picture[:, : 2 * step] = 160
        seen.add(picture)
        stills.append(seen.still)
    assert stills[0]
    assert not stills[-1]
    assert not seen.cut
