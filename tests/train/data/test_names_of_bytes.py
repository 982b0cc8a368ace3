"""Names of people and files that are no UTF-8: what is divided by them is divided."""

import numpy as np
import pytest

from fer_edge.train.data.divide import divide
from fer_edge.train.faces.data.split import _percent


@pytest.mark.parametrize("name", ["p\udcff", "é", "plain"])
def test_people_with_any_name_are_divided(name):
    splits = divide(np.array([name] * 3 + ["b"] * 3 + ["c"] * 3))
    assert len(splits) == 9
    assert len(set(splits[:3])) == 1


@pytest.mark.parametrize("name", ["f\udcff.jpg", "é.jpg", "plain.jpg"])
def test_face_images_of_any_name_have_a_side(name):
    assert 0 <= _percent(name) < 100
