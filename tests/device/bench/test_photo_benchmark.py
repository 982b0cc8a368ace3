"""What the figures of benchmarks/pipeline/photos.py rest on."""

import importlib
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_edge.preprocess import Box

FOLDER = Path(__file__).parents[3] / "benchmarks" / "pipeline"


@pytest.fixture
def load(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module


def plain(bgr):
    return np.full((40, 40, 3), bgr, np.uint8)


def test_found_missed_false_and_ignored_are_told_apart(load):
    match = load("photos").match
    wanted = [Box(0, 0, 40, 40), Box(100, 0, 40, 40)]
    found = [Box(4, 4, 40, 40), Box(200, 0, 40, 40), Box(300, 0, 40, 40)]
    assert match(found, wanted, [Box(305, 0, 40, 40)]) == ({0}, 1)
    assert match([], wanted, []) == (set(), 0)


def test_a_face_is_found_once(load):
    match = load("photos").match
    assert match([Box(0, 0, 40, 40), Box(2, 2, 40, 40)], [Box(0, 0, 40, 40)], []) == ({0}, 1)


def test_the_typology_angle_is_the_published_formula(load):
    tones = load("tones")
    bgr = plain((130, 160, 200))
    lightness, _, yellow = cv2.cvtColor(np.float32([[[130, 160, 200]]]) / 255, cv2.COLOR_BGR2Lab)[0, 0]
    expected = np.degrees(np.arctan((lightness - 50) / yellow))
    assert tones.typology_angle(bgr, Box(0, 0, 40, 40)) == pytest.approx(expected, abs=1e-3)


def test_the_classes_go_from_light_to_dark(load):
    tones = load("tones")
    skins = [(205, 218, 240), (170, 195, 225), (130, 160, 200), (95, 130, 175), (60, 90, 130), (25, 35, 50)]
    found = [tones.tone(plain(skin), Box(0, 0, 40, 40)) for skin in skins]
    order = list(tones.CLASSES)
    assert [order.index(name) for name in found] == sorted(order.index(name) for name in found)
    assert found[0] == "very light"
    assert found[-1] == "dark"


def test_light_in_bluish_light_stays_light(load):
    assert load("tones").tone(plain((240, 225, 220)), Box(0, 0, 40, 40)) == "very light"


def test_dim_light_is_that_part_of_the_light(load):
    lights = load("lights")
    rng = np.random.default_rng(0)
    quarter = lights.LIGHTS["a quarter"](np.full((200, 200, 3), 255, np.uint8), rng)
    assert quarter.mean() == pytest.approx(137, abs=1)  # 0.25 in the transfer function of sRGB
    assert quarter.std() > 1


def test_a_tint_moves_white_and_keeps_black(load):
    warm = load("lights").LIGHTS["warm"]
    (blue, green, red) = warm(plain((200, 200, 200)), None)[0, 0]
    assert blue < green < red
    assert not warm(plain((0, 0, 0)), None).any()


def test_the_tables_hold_every_way_and_light(load):
    photos = load("photos")
    result = json.loads(photos.RESULT.read_text())
    rows = photos.ways_table(result).splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == ["cascade", "off", "static", "ellipse", "adaptive", "yunet"]
    assert all(f"| {light} |" in photos.lights_table(result) for light in load("lights").LIGHTS)


def test_the_page_shows_the_kept_result(load, monkeypatch, tmp_path):
    photos = load("photos")
    page = tmp_path / "skin.md"
    page.write_text(photos.PAGE.read_text())
    monkeypatch.setattr(photos, "PAGE", page)
    photos.write_tables(json.loads(photos.RESULT.read_text()))
    assert page.read_text() == (FOLDER.parents[1] / "docs" / "skin.md").read_text()
