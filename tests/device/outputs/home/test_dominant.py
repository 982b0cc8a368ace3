from fer_edge.device.outputs.home.dominant import Dominant, dominant
from tests.device.making import face


def test_no_face():
    assert dominant([]) == Dominant(None, None, 0)


def test_one_face():
    assert dominant([face(happy=0.75)]) == Dominant("happy", 0.75, 1)


def test_the_label_of_most_faces():
    assert dominant([face(happy=0.625), face(happy=0.875), face(happy=0.0)]) == Dominant("happy", 0.75, 3)


def test_equally_many_the_surer():
    assert dominant([face(happy=0.75), face(happy=0.0)]) == Dominant("angry", 1.0, 2)
