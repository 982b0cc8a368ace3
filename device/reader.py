"""Faces and expressions in single images, at full quality: what programs keep open, and what photos are read with."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fer_edge.device.classify import Ensemble, Model, open_models
from fer_edge.device.detection.cascade import HaarCascade
from fer_edge.device.detection.detector import FaceDetector
from fer_edge.device.detection.image_search import in_frame
from fer_edge.device.detection.skin import Regions
from fer_edge.device.faces import FACES_IN_IMAGE, Detection, foremost
from fer_edge.device.frame import Frame, frame_from_bgr, shrunk
from fer_edge.device.results import Face, make_face
from fer_edge.device.sources.folder import read_photo, within_memory
from fer_edge.device.tracking.quality import levels, reason_of
from fer_edge.errors import ConfigError, DataError
from fer_edge.faces.photo import SEARCH_PIXELS
from fer_edge.shipped import DEFAULT

_log = logging.getLogger(__name__)

Image = str | os.PathLike[str] | NDArray[np.uint8]
"""An image file, or a uint8 array of H x W (grey) or H x W x 3 (BGR, as OpenCV delivers it)."""


class FaceReader:
    """Finds the faces of images and says what they express; opened once, for many images.

    Each image is searched everywhere and for faces of every size, in a copy of at most 4 megapixels. Of more than
    1,000 faces the largest and surest are read, and a warning is logged. Threads may
    share a reader: they wait for each other.

    Attributes:
        labels: the expressions, in the order of the model.

    Example:
        >>> import fer_edge, numpy
        >>> reader = fer_edge.FaceReader("nano")
        >>> "happy" in reader.labels
        True
        >>> reader.read(numpy.zeros((480, 640, 3), numpy.uint8))
        ()
    """

    def __init__(
        self,
        model: Model | Sequence[Model] = DEFAULT,
        detector: FaceDetector | None = None,
        *,
        prior: str | None = None,
        upright: bool = False,
    ) -> None:
        """Open the models and the detector.

        Args:
            model: name of a shipped model, path of an int8 ``.tflite`` file, or a model that `fer_edge.load_model`
                opened; several in a list are averaged. An open model must not be used elsewhere at the same time.
            detector: what finds faces, an object with the method ``detect`` of
                `fer_edge.device.detection.detector.FaceDetector`; by default OpenCV's Haar cascade.
            prior: how common expressions are to be taken to be, `fer_edge.labels.PRIOR_FORM`; None: as the models do.
            upright: frame faces by eyes and mouth, upright, where the detector finds these.

        Raises:
            ModelFileError: a model does not exist, is of another kind, or has other labels than the first.
            ConfigError: `model` is no model, `detector` finds no faces, or `prior` is none for the model.
            MissingExtraError: OpenCV or a TFLite runtime is not installed.
        """
        self._ensemble = Ensemble(open_models(model), prior, upright)
        if detector is not None and not callable(getattr(detector, "detect", None)):
            raise ConfigError("detector", f"`detector`: expected a face detector, found {type(detector).__name__}")
        self._detector: FaceDetector = detector or HaarCascade()
        self._lock = threading.Lock()
        self.labels = self._ensemble.labels

    def read(self, image: Image) -> tuple[Face, ...]:
        """Return the faces of an image, left to right, numbered from 1.

        Args:
            image: path of an image file, turned as its EXIF orientation says, or a uint8 array of H x W (grey) or
                H x W x 3 (BGR). An array is not changed.

        Returns:
            For each face its ``box`` (x, y, w, h in pixels of the image), ``label``, ``score`` in 0..1 and ``scores``.

        Raises:
            SourceError: the file cannot be read, is no image, or is too large for the memory.
            DataError: an array of another shape or type.
        """
        faces, left_out = self.read_foremost(image)
        if left_out:
            _log.warning("an image of more faces than %d: %d of the smaller ones are left out", len(faces), left_out)
        return faces

    def read_foremost(self, image: Image) -> tuple[tuple[Face, ...], int]:
        """Return what `read` does, and how many faces more there are than `FACES_IN_IMAGE`; raises what it does."""
        bgr = as_bgr(image)
        with within_memory(Path("the image") if isinstance(image, np.ndarray) else Path(image)):
            return self._find(bgr)

    def _find(self, bgr: NDArray[np.uint8]) -> tuple[tuple[Face, ...], int]:
        frame = frame_from_bgr(bgr)
        small = shrunk(frame, SEARCH_PIXELS)
        with self._lock:  # neither an interpreter nor a cascade may be used by two threads at once
            found = in_frame(self._detector.detect(small, Regions((), "photo")), small, frame)
            detections = foremost(found, FACES_IN_IMAGE)
            faces = tuple(self._face(number, frame, face) for number, face in enumerate(detections, 1))
        return faces, len(found) - len(detections)

    def _face(self, number: int, frame: Frame, found: Detection) -> Face:
        crops = self._ensemble.crops(frame, found.box, found.landmarks)
        quality = levels(crops[0], found.box, found.landmarks)
        return make_face(
            *(number, found.box, self.labels, self._ensemble.scores(crops)),
            landmarks=found.landmarks,
            quality=float(quality.min()),
            reason=reason_of(quality),
        )


def read_image(image: Image, model: Model | Sequence[Model] = DEFAULT) -> tuple[Face, ...]:
    """Return the faces of one image, left to right; for many images keep a `fer_edge.FaceReader` open.

    Args:
        image: path of an image file, or a uint8 array of H x W (grey) or H x W x 3 (BGR, as OpenCV delivers it).
        model: name of a shipped model, path of an int8 ``.tflite`` file, or an open model; several in a list are
            averaged.

    Returns:
        The faces: ``box`` (x, y, w, h in pixels of the image), ``label``, ``score`` in 0..1, ``scores`` by label.

    Raises:
        SourceError: the file cannot be read, is no image, or is too large for the memory.
        DataError: an array of another shape or type.
        ModelFileError: the model does not exist or is of another kind.
        MissingExtraError: OpenCV or a TFLite runtime is not installed.

    Example:
        >>> import fer_edge
        >>> from fer_edge.device.sources.demo import PORTRAIT
        >>> for face in fer_edge.read_image(PORTRAIT):
        ...     print(face.label, len(face.box))
        happy 4
    """
    return FaceReader(model).read(image)


def as_bgr(image: Image) -> NDArray[np.uint8]:
    """Return an image as uint8 H x W x 3 in BGR order, C-contiguous; an array that is so already is returned itself.

    Raises:
        SourceError: a file that cannot be read.
        DataError: an array of another shape or type, or neither a path nor an array.
    """
    if isinstance(image, (str, os.PathLike)):
        return read_photo(Path(image))
    if not isinstance(image, np.ndarray):
        raise DataError(f"expected a path or a numpy array as image, found {type(image).__name__}")
    grey = image.ndim == 2
    if image.dtype != np.uint8 or not (grey or (image.ndim == 3 and image.shape[2] == 3)) or not image.size:
        raise DataError(
            "expected a uint8 image of H x W (grey) or H x W x 3 (BGR), found "
            f"{image.dtype} of shape {' x '.join(map(str, image.shape))}"
        )
    return np.ascontiguousarray(np.repeat(image[:, :, None], 3, axis=2) if grey else image)
