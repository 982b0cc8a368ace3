"""What a worker does: the faces of the files of one part, with models and detector that it opens once."""

from __future__ import annotations

import contextlib
import logging
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from fer_edge.device.archive.inputs import is_address, open_filesystem
from fer_edge.device.archive.plan import Done, Part
from fer_edge.device.archive.settings import Settings
from fer_edge.device.archive.store import Store
from fer_edge.device.archive.tables import DAMAGED, READ, UNREADABLE, Rows, write_part
from fer_edge.device.detection.choice import DetectorChoice
from fer_edge.device.frame import Frame
from fer_edge.device.opencv import cv2
from fer_edge.device.pipeline import Pipeline
from fer_edge.device.reader import FaceReader
from fer_edge.device.sources.base import Source
from fer_edge.device.sources.folder import within_memory
from fer_edge.device.sources.video import NOMINAL_FPS, VideoSource
from fer_edge.device.web.image_header import read_header
from fer_edge.errors import FerEdgeError, ModelFileError, SourceError
from fer_edge.images import decode_image, reason
from fer_edge.model_file import file_hash
from fer_edge.shipped import load_model
from fer_edge.text.address import without_secrets

SEARCHED_PIXELS = 1_000_000
"""A JPEG is decoded at 1/2, 1/4 or 1/8 as long as it keeps so many pixels."""
IMAGE_PIXELS = 100_000_000
IMAGE_BYTES = 256 * 1024 * 1024
"""Of one image after decoding and as a file, so that a worker's memory is bounded."""
UNRELATED_S = 0.5
"""Seconds between two sampled frames from which on they are searched like images: faces cannot be followed."""

_opened = threading.local()  # an interpreter belongs to one thread


def analyze_part(settings: Settings, part: Part, place: str) -> Done:
    """Find the faces of a part's files and write its tables; called in a worker process.

    Raises:
        ModelFileError: a model or detector cannot be opened.
        OutputError: the tables cannot be written.
    """
    analyzer = opened(settings)
    rows = Rows()
    for file in part.files:
        analyzer.add(rows, file, part.kind)
    return write_part(Store(place), part, rows, analyzer.labels)


def analyze_file(settings: Settings, part: Part, file: str) -> Rows:
    """Return the rows of one file of a part, which are not written; for files that may kill their worker."""
    rows = Rows()
    opened(settings).add(rows, file, part.kind)
    return rows


def opened(settings: Settings) -> Analyzer:
    """Return this thread's analyzer, opened with its first part."""
    known = getattr(_opened, "analyzer", None)
    if known is None or known.settings != settings:
        cv2.setNumThreads(1)  # the other cores have workers of their own
        known = _opened.analyzer = Analyzer(settings)
    analyzer: Analyzer = known
    return analyzer


class Analyzer:
    """Models and detector of one worker.

    Attributes:
        settings: as they were given.
        labels: the expressions, in the order of the model.
    """

    def __init__(self, settings: Settings) -> None:
        """Open models and detector; raises what opening them raises."""
        self.settings = settings
        self._models = [load_model(model) for model in settings.models]
        for model, digest in zip(self._models, settings.digests, strict=True):
            if (found := file_hash(model.path)) != digest:
                raise ModelFileError(
                    f"{model.path}: expected the model with SHA-256 {digest[:12]}, found {found[:12]}; install the "
                    "same fer-edge on every worker"
                )
        self._choice = DetectorChoice(settings.detector, Path(path) if (path := settings.detector_model) else None)
        self._reader = FaceReader(self._models, self._choice.open())
        self.labels = self._reader.labels

    def add(self, rows: Rows, file: str, kind: str) -> None:
        """Add the rows of a file; one that cannot be read gets a row that says why."""
        before = len(rows.faces)
        with _warnings() as said:
            try:
                sizes = self._add_image(rows, file) if kind == "image" else self._add_video(rows, file)
            except FerEdgeError as error:
                del rows.faces[before:]  # none of its faces may count twice if it is tried again
                rows.add_file(file, kind, UNREADABLE, str(error))
                return
        sizes["faces"] = len(rows.faces) - before
        rows.add_file(file, kind, DAMAGED if said else READ, "; ".join(said), **sizes)

    def _add_image(self, rows: Rows, file: str) -> dict[str, int]:
        shown = Path(without_secrets(file))
        with within_memory(shown):
            data = read_bytes(file)
            halvings, width, height = _decoding(shown, data)
            bgr = decode_image(data, halvings=halvings)
            if bgr is None:
                raise SourceError(f"{shown}: expected an image (JPEG, PNG, ...), found {reason(data)}")
            if (bgr.shape[1] > bgr.shape[0]) != (width > height):
                width, height = height, width  # turned as its EXIF orientation says
            faces = self._reader.read(bgr)
        factor = width / bgr.shape[1]
        rows.add_faces(file, 0, 0.0, (face.resized(factor, width, height) for face in faces), tracked=False)
        return {"width": width, "height": height, "frames": 1}

    def _add_video(self, rows: Rows, file: str) -> dict[str, int]:
        every = self.settings.every
        frames = width = height = 0
        # With a rate, nothing is said of a raw stream's missing times: the file is whole.
        with _local(file) as path, VideoSource(path, fps=NOMINAL_FPS) as source:
            sampled = Sampled(source, every)
            tracked = not sampled.stills
            with Pipeline(sampled, self._models, detector=self._choice.open()) as pipeline:
                for result in pipeline:
                    rows.add_faces(file, result.index, result.time, result.faces, tracked=tracked)
                    frames += 1
                    width, height = result.frame.width, result.frame.height
        return {"width": width, "height": height, "frames": frames}


class Sampled(Source):
    """A video of which a frame every few seconds is delivered."""

    def __init__(self, source: VideoSource, every: float) -> None:
        """Wrap a video; `every` is in seconds, 0 delivers all its frames."""
        self._source, self._every = source, every
        self.name, self.fps = source.name, source.fps
        self.stills = every >= UNRELATED_S

    def __iter__(self) -> Iterator[Frame]:
        """Deliver the first frame, and each that comes `every` seconds or more after the one before."""
        due = 0.0
        for frame in self._source:
            if frame.time >= due:
                yield frame
                due = frame.time + self._every if frame.time >= due + self._every else due + self._every


def _decoding(shown: Path, data: bytes) -> tuple[int, int, int]:
    """Return how often the sides are halved while decoding, and the width and height of the whole image in pixels."""
    try:
        header = read_header(data)
    except ValueError:  # of another kind than those whose headers are read; it is decoded as it is
        bgr = decode_image(data)
        if bgr is None:
            raise SourceError(f"{shown}: expected an image (JPEG, PNG, ...), found {reason(data)}") from None
        return 0, bgr.shape[1], bgr.shape[0]
    pixels, halvings = header.width * header.height, 0
    while header.kind == "JPEG" and halvings < 3 and pixels >> 2 * (halvings + 1) >= SEARCHED_PIXELS:
        halvings += 1
    if pixels >> 2 * halvings > IMAGE_PIXELS:
        raise SourceError(
            f"{shown}: expected at most {IMAGE_PIXELS / 1e6:.0f} million pixels, found {pixels / 1e6:.0f}; save it "
            "smaller"
        )
    return halvings, header.width, header.height


def read_bytes(file: str) -> bytes:
    """Return the content of an image, a path or an address.

    Raises:
        SourceError: it cannot be read, or is larger than `IMAGE_BYTES`.
    """
    shown = without_secrets(file)
    try:
        if is_address(file):
            data = _remote_bytes(file)
        elif Path(file).exists() and not Path(file).is_file():  # a pipe may have no end, or never a beginning
            raise SourceError(f"{file}: expected an image, found a folder, a device or a pipe")
        else:
            with Path(file).open("rb") as local:
                data = local.read(IMAGE_BYTES + 1)
    except OSError as error:
        raise SourceError(f"{shown}: cannot be read ({error.strerror or error})") from error
    except ValueError as error:  # a NUL byte in a path of a list
        raise SourceError(f"{shown!r}: cannot be read ({error})") from error
    if len(data) > IMAGE_BYTES:
        raise SourceError(f"{shown}: expected an image of at most {IMAGE_BYTES >> 20} MB, found a larger file")
    return data


def _remote_bytes(address: str) -> bytes:
    filesystem, path = open_filesystem(address)
    try:
        with filesystem.open(path, "rb") as remote:
            data: bytes = remote.read(IMAGE_BYTES + 1)
    except Exception as error:  # every protocol has errors of its own
        raise SourceError(f"{without_secrets(address)}: cannot be read ({without_secrets(str(error))})") from error
    return data


@contextlib.contextmanager
def _local(file: str) -> Iterator[str]:
    """Yield the path of a video; one at an address is fetched first, because the decoder wants a file."""
    if not is_address(file):
        if not Path(file).is_file():
            raise SourceError(f"{file}: expected a video, found {'no file' if Path(file).exists() else 'nothing'}")
        yield file
        return
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "video").with_suffix(PurePosixPath(file).suffix))
        filesystem, root = open_filesystem(file)
        try:
            filesystem.get_file(root, path)
        except Exception as error:  # every protocol has errors of its own
            raise SourceError(f"{without_secrets(file)}: cannot be read ({without_secrets(str(error))})") from error
        yield path


@contextlib.contextmanager
def _warnings() -> Iterator[list[str]]:
    """Yield a list that receives what sources of this thread warn of meanwhile."""
    said: list[str] = []
    thread = threading.get_ident()  # a worker of a cluster may have several, with a file each

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.thread == thread:
                said.append(record.getMessage())

    logger, handler = logging.getLogger("fer_edge.device.sources"), Keep(logging.WARNING)
    logger.addHandler(handler)
    try:
        yield said
    finally:
        logger.removeHandler(handler)
