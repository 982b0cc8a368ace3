import cv2
import numpy as np
import pytest

from fer_edge.device.detection.cascade import HaarCascade
from fer_edge.device.detection.image_search import ImageSearch
from fer_edge.device.detection.skin import segmentation
from fer_edge.device.faces import Detection, iou
from fer_edge.device.frame import Frame, frame_from_bgr
from fer_edge.faces.photo import SEARCH_PIXELS
from fer_edge.preprocess import Box


@pytest.mark.parametrize("skin", ["off", "static"])
def test_a_large_image_is_searched_in_a_smaller_copy(portrait, skin):
    large = cv2.resize(portrait, (2557, 2881), interpolation=cv2.INTER_CUBIC)
    frame, sizes = frame_from_bgr(large), []

    class Watched(HaarCascade):
        def detect(self, frame, regions):
            sizes.append(frame.width * frame.height)
            return super().detect(frame, regions)

    found = ImageSearch(Watched(), segmentation(skin, 24)).find(frame, [])
    boxes = [detection.box for detection in found.detections]
    assert max(iou(box, Box(790, 650, 980, 980)) for box in boxes) > 0.7
    assert sizes[0] <= SEARCH_PIXELS
    assert 1.0 <= found.searched < 4


def test_an_image_that_is_not_large_is_searched_as_it_is(portrait):
    frame, searched = frame_from_bgr(portrait), []

    class Watched(HaarCascade):
        def detect(self, frame, regions):
            searched.append(frame)
            return super().detect(frame, regions)

    ImageSearch(Watched(), segmentation("static", 24)).find(frame, [])
    assert searched[0] is frame


def test_landmarks_are_in_pixels_of_the_frame():
    landmarks = tuple((float(x), float(x)) for x in (10, 20, 15, 12, 18))

    class Marking:
        def detect(self, frame, regions):
            self.width = frame.width
            return [Detection(Box(8, 8, 16, 16), 0.9, landmarks)]

    detector, plane = Marking(), np.zeros((3000, 4000), np.uint8)
    frame = Frame(plane, plane[::2, ::2], plane[::2, ::2], 0.0, 0, 4000, 3000)
    (found,) = ImageSearch(detector, segmentation("off", 24)).find(frame, []).detections
    factor = 4000 / detector.width
    assert factor > 1.5
    assert found.landmarks == tuple((x * factor, y * factor) for x, y in landmarks)
    assert found.score == 0.9
