import dataclasses

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_edge.device.detection.skin_models import AdaptiveModel, BoxModel, EllipseModel, in_ellipse
from fer_edge.device.frame import Frame, frame_from_bgr
from fer_edge.preprocess import Box

FACE = Box(40, 40, 60, 60)
BLUISH = (126, 143)  # skin in cold light: inside the box's Cb, at its edge
OUTSIDE = (118, 131)  # skin that has left the box


def frame(*patches, background=(128, 128), luma=140, time=0.0):
    """A picture of 160 x 160 with patches of ((x, y, w, h), (cb, cr)) in pixels of the luma."""
    cb, cr = (np.full((80, 80), value, np.uint8) for value in background)
    for (x, y, w, h), colour in patches:
        area = slice(y // 2, (y + h) // 2), slice(x // 2, (x + w) // 2)
        cb[area], cr[area] = colour
    return Frame(np.full((160, 160), luma, np.uint8), cb, cr, time, 0, 160, 160)


def mask(model, picture):
    out = np.full(picture.cb.shape, 7, np.uint8)
    model.mask(picture, out)
    assert set(np.unique(out)) <= {0, 255}
    return out


def is_skin(model, colour, luma=140, time=0.0):
    return bool(mask(model, frame(background=colour, luma=luma, time=time)).all())


def noisy(picture, seed=0):
    rng = np.random.default_rng(seed)
    planes = (np.clip(p + rng.normal(0, 2, p.shape), 0, 255).astype(np.uint8) for p in (picture.cb, picture.cr))
    return dataclasses.replace(picture, **dict(zip(("cb", "cr"), planes, strict=True)))


def taught(colour, pictures=AdaptiveModel.ENOUGH, time=0.0):
    model = AdaptiveModel()
    for seed in range(pictures):
        model.learn(noisy(frame((FACE, colour), time=time), seed), [FACE])
    return model


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 255), st.integers(0, 255))
def test_the_box_is_the_published_one(cb, cr):
    assert is_skin(BoxModel(), (cb, cr)) == (77 <= cb <= 127 and 133 <= cr <= 173)


def test_the_ellipse_is_centred_where_it_was_published():
    inside = in_ellipse(*(np.array([v]) for v in (150.0, 109.38, 152.02)))
    far = in_ellipse(*(np.array([v]) for v in (150.0, 109.38 + 30, 152.02 + 30)))
    assert inside.all()
    assert not far.any()


def test_the_ellipse_has_the_published_axes():
    cb, cr = np.meshgrid(np.arange(16, 241, 0.5), np.arange(16, 241, 0.5), indexing="ij")
    area = in_ellipse(np.full_like(cb, 150.0), cb, cr).sum() / 4
    assert area == pytest.approx(np.pi * 25.39 * 14.03, rel=0.01)


def test_its_long_axis_runs_from_reddish_to_bluish():
    cb, cr = np.meshgrid(np.arange(16, 241), np.arange(16, 241), indexing="ij")
    inside = in_ellipse(np.full(cb.shape, 150.0), cb.astype(float), cr.astype(float))
    assert np.corrcoef(cb[inside], cr[inside])[0, 1] < -0.4


def test_dark_skin_has_less_colour_in_the_ellipse():
    model = EllipseModel()
    pale = (121, 142)
    assert is_skin(model, pale, luma=20)
    strong = (95, 165)
    assert is_skin(model, strong, luma=150)
    assert not is_skin(model, strong, luma=20)


def test_the_ellipse_reads_full_range():
    # (109.38, 152.02) of the limited range of ITU-R BT.601 is (106.8, 155.3) of the full one.
    picture = frame(background=(107, 155))
    assert mask(EllipseModel(), picture).all()


@pytest.mark.parametrize("model", [BoxModel, EllipseModel])
def test_fixed_models_learn_nothing(model):
    model = model()
    for _ in range(20):
        model.learn(frame((FACE, OUTSIDE)), [FACE])
    assert not is_skin(model, (128, 128))
    assert is_skin(model, (107, 152))


def test_before_it_has_seen_enough_it_is_the_box():
    model = taught(OUTSIDE, AdaptiveModel.ENOUGH - 1)
    picture = frame((FACE, OUTSIDE))
    assert (mask(model, picture) == mask(BoxModel(), picture)).all()


def test_it_learns_the_colour_of_the_faces():
    model = taught(OUTSIDE)
    assert not is_skin(BoxModel(), OUTSIDE)
    assert is_skin(model, OUTSIDE)
    assert not is_skin(model, (128, 128))
    assert not is_skin(model, (85, 170))  # skin for the box, but no colour that was seen


def test_it_learns_two_colours_together():
    model = AdaptiveModel()
    picture = frame((FACE, (112, 148)), ((100, 100, 40, 40), (104, 154)))
    for seed in range(5):
        model.learn(noisy(picture, seed), [FACE, Box(100, 100, 40, 40)])
    assert is_skin(model, (112, 148))
    assert is_skin(model, (104, 154))


@pytest.mark.parametrize("colour", [(128, 128), (60, 200), (160, 110)])
def test_it_never_learns_what_is_no_skin(colour):
    model = taught(colour, 50)
    assert not is_skin(model, colour)
    assert is_skin(model, (102, 153))


def test_it_cannot_creep_away():
    model = AdaptiveModel()
    for step in range(200):
        colour = (102 + step // 4, 153 - step // 4)
        model.learn(noisy(frame((FACE, colour)), step), [FACE])
    assert not is_skin(model, (135, 120))


def test_old_faces_fade():
    model = taught((95, 160), 10)
    for seed in range(200):
        model.learn(noisy(frame((FACE, (118, 140))), seed), [FACE])
    assert is_skin(model, (118, 140))
    assert not is_skin(model, (95, 160))


def test_without_faces_it_forgets():
    model = taught(OUTSIDE, time=100.0)
    assert is_skin(model, OUTSIDE, time=100.0 + AdaptiveModel.FORGET)
    assert not is_skin(model, OUTSIDE, time=100.1 + AdaptiveModel.FORGET)
    assert is_skin(model, (85, 170), time=100.2 + AdaptiveModel.FORGET)


@pytest.mark.parametrize(
    "face", [Box(-500, -500, 20, 20), Box(150, 150, 60, 60), Box(400, 0, 50, 50), Box(10, 10, 1, 1)]
)
def test_faces_at_the_edge_and_outside_do_no_harm(face):
    model = AdaptiveModel()
    for _ in range(10):
        model.learn(frame((FACE, OUTSIDE)), [face])
    assert is_skin(model, (102, 153))


@pytest.mark.parametrize("model", [BoxModel, EllipseModel, AdaptiveModel])
def test_nothing_frame_sized_is_made_for_a_picture(model, portrait):
    picture = frame_from_bgr(cv2.resize(portrait, (640, 480)))
    model, out = model(), np.empty(picture.cb.shape, np.uint8)
    model.mask(picture, out)
    kept = {name: id(value) for name, value in vars(model).items() if isinstance(value, np.ndarray)}
    model.mask(picture, out)
    assert kept == {name: id(value) for name, value in vars(model).items() if isinstance(value, np.ndarray)}
