"""Faces at any tilt by two int8 networks of this project: a proposer and a refiner.

The proposer sees the whole frame at 160 x 120, and tiles of it at twice and four times that scale for smaller faces.
The refiner looks at each proposal twice, the second time upright, and says how sure it is, where the face is and where
its landmarks are. Only luma is used.
"""

from __future__ import annotations

from fer_edge.device.detection.skin import Regions
from fer_edge.device.faces import Detection, clip
from fer_edge.device.frame import Frame
from fer_edge.faces.crop import Refined
from fer_edge.faces.finder import FaceFinder
from fer_edge.faces.networks import open_finder
from fer_edge.faces.photo import box_of, factors


class FaceNetworks:
    """Finds the faces of one frame with the networks of the package; a `FaceDetector`."""

    def __init__(self, finder: FaceFinder | None = None) -> None:
        """Open the networks; raises what `open_finder` raises.

        Args:
            finder: others than those of the package.
        """
        self.finder = finder or open_finder()

    def detect(self, frame: Frame, regions: Regions) -> list[Detection]:
        """Return the faces of a frame, left to right.

        Args:
            frame: luma is read.
            regions: not needed.
        """
        faces = self.finder.find(frame.y, factors(frame.width, frame.height))
        return sorted((detection(face, frame) for face in faces), key=lambda found: found.box)


def detection(face: Refined, frame: Frame) -> Detection:
    """Return what the networks found as a detection, its box as the expression models want it."""
    box = clip(box_of(face.look), frame.width, frame.height)
    return Detection(box, face.score, tuple((x, y) for x, y in face.landmarks.tolist()))
