"""What a model file carries besides its weights, and how it is stored.

A trained ``.keras`` file is a zip already; a ``.tflite`` file gets a zip appended behind the
flatbuffer, as the TFLite metadata convention does: interpreters read only the flatbuffer, and any
unzip opens the rest. Both hold ``fer_edge.json`` (a `ModelInfo`) and ``labels.txt``. A ``.tflite`` file also holds the
checksum of its flatbuffer, which has none of its own: with a changed weight it would load, and answer something else.
Nothing of it is unpacked further than it is good for: a few bytes of a zip can stand for gigabytes.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fer_edge.errors import ModelFileError
from fer_edge.files import write_atomically
from fer_edge.text import label_text, printable

INFO_NAME = "fer_edge.json"
LABELS_NAME = "labels.txt"
CHECKSUM_NAME = "flatbuffer.sha256"
FORMAT = 1
CONTRASTS = ("none", "equalize", "clahe")
"""How a model may want the contrast of its input normalised; `fer_edge.preprocess.normalise_crop` does it."""
FRAMINGS = ("box", "eyes")
"""What may frame a face: the detector's box, or eyes and mouth, upright, where the detector gives them;
`fer_edge.preprocess.face_to_input` does it."""
TFLITE_IDENTIFIER = b"TFL3"  # bytes 4..8 of every TFLite flatbuffer
# What zipfile raises for bytes that changed: a checksum or signature, a torn stream or the end of one, a negative
# offset or a name that is no text, and an encryption or a version that it takes from them.
ZIP_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, RuntimeError)
LARGEST_FILE_BYTES = 512 << 20
"""Of a model file, and of one member of a ``.keras`` file; the teachers' weights take 60 MB."""
LARGEST_TEXT_BYTES = 16 << 20
"""Of a member that is text: metadata, labels, Keras' own configuration."""
_TEXT_ENDINGS = (".json", ".txt", ".sha256")
_PIECE_BYTES = 1 << 20


@dataclasses.dataclass(frozen=True)
class ModelInfo:
    """Labels, input and provenance of a model.

    Attributes:
        name: architecture, a name of the zoo such as ``compact``.
        labels: class names in the order of the output.
        input_size: side of the square input in pixels.
        training: how the weights came to be: the recipe with its seed, the data set and its fingerprint, versions, the
            temperature scaling, the hash of the run.
        conversion: how the file came to be and what it costs: quantization, calibration sample, data set, operators,
            multiply-adds, versions, the input of HOG features; empty in ``.keras``.
        accuracy: split -> what was measured on it; empty in ``.keras`` until it is measured.
        format: version of this layout.
        contrast: normalisation of the input, one of `CONTRASTS`; a file that does not say has none.
        channels: 1 for grey crops, 3 for RGB; a file that does not say takes grey ones.
        input_zero: level, 0 to 255, that the network takes as 0 and pads with: 0 for one that sees 0..1, 128 for one
            that sees -1..1. The zero point of an int8 input is this less 128; pixels are written to it alike.
        framing: of faces that a detector found, one of `FRAMINGS`; a file that does not say takes the box.
    """

    name: str
    labels: tuple[str, ...]
    input_size: int = 48
    training: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    conversion: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    accuracy: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    format: int = FORMAT
    contrast: str = "none"
    channels: int = 1
    input_zero: int = 0
    framing: str = "box"

    def to_json(self) -> str:
        """Return the JSON document that the file stores."""
        return json.dumps(dataclasses.asdict(self), indent=1, sort_keys=True)

    @classmethod
    def from_json(cls, text: str, origin: str) -> ModelInfo:
        """Read what `to_json` wrote; `origin` names the file in errors."""
        try:
            fields = json.loads(text)
            if fields["format"] > FORMAT:
                raise ModelFileError(
                    f"{origin}: its metadata has format {fields['format']}, this fer-edge reads up to {FORMAT}; "
                    "update fer-edge"
                )
            known = {field.name for field in dataclasses.fields(cls)}
            info = cls(**{key: value for key, value in fields.items() if key in known})
            _check_types(info)
            # As data sets have them: in one Unicode form, nothing invisible.
            labels = tuple(map(label_text, info.labels))
            if len(set(labels)) < len(labels):
                raise ValueError("labels names one class twice")
            return dataclasses.replace(info, labels=labels, name=printable(info.name))
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise ModelFileError(
                f"{origin}: its metadata cannot be read ({error}); train or convert the model again"
            ) from error


def _check_types(info: ModelInfo) -> None:
    """Raise ValueError for what a document may hold in the place of what `ModelInfo` says."""
    labels: object = info.labels
    if not (isinstance(labels, list) and labels and all(isinstance(label, str) for label in labels)):
        raise ValueError("labels is no list of names")
    if not isinstance(info.name, str):
        raise ValueError("name is no text")
    if type(info.input_size) is not int or info.input_size < 1:  # True is an int as well
        raise ValueError(f"input_size {info.input_size!r} is no number of pixels")
    if info.channels not in (1, 3) or type(info.channels) is not int:
        raise ValueError(f"channels {info.channels!r} is neither 1 nor 3")
    if type(info.input_zero) is not int or not 0 <= info.input_zero <= 255:
        raise ValueError(f"input_zero {info.input_zero!r} is no level of 0 to 255")
    for field in ("training", "conversion", "accuracy"):
        if not isinstance(getattr(info, field), Mapping):
            raise ValueError(f"{field} is no dictionary")
    for part in ("recipe", "data", "calibration"):
        is_told = part == "data" and info.name.startswith("face-")  # the face detector's networks say it in words
        if not isinstance(info.training.get(part, {}), (str, Mapping) if is_told else Mapping):
            raise ValueError(f"{part} of its training is no dictionary")
    if info.contrast not in CONTRASTS:
        raise ValueError(f"contrast '{info.contrast}' is none of {', '.join(CONTRASTS)}")
    if info.framing not in FRAMINGS:
        raise ValueError(f"framing '{info.framing}' is none of {', '.join(FRAMINGS)}")


def read_info(path: Path) -> ModelInfo:
    """Return the information stored in a ``.keras`` or ``.tflite`` file.

    Raises:
        ModelFileError: the file is missing, unreadable, or carries none.
    """
    data = _read(path)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            text = _unpack(archive, archive.getinfo(INFO_NAME)).decode("utf-8")
            if path.suffix == ".keras":  # Keras will read each member whole, however much it unpacks to
                for entry in archive.infolist():
                    for _ in _pieces(archive, entry):
                        pass
    except (*ZIP_DAMAGE, KeyError) as error:
        made_by = "'fer-edge convert --int8'" if path.suffix == ".tflite" else "'fer-edge train'"
        if isinstance(error, _TooLargeError):
            raise ModelFileError(
                f"{path}: expected a model, found a zip whose {error}; make it with {made_by}"
            ) from error
        raise ModelFileError(
            f"{path}: expected a model with fer-edge's labels and input definition inside, found none that can be "
            f"read; make it with {made_by}"
        ) from error
    return ModelInfo.from_json(text, str(path))


def write_info(path: Path, info: ModelInfo) -> None:
    """Store `info` in an existing ``.keras`` or ``.tflite`` file, replacing what it carried, atomically."""
    data = _read(path)
    members: list[tuple[str, bytes]] = []
    if path.suffix == ".keras":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = [each for each in archive.infolist() if each.filename not in (INFO_NAME, LABELS_NAME)]
            members = [(each.filename, _unpack(archive, each)) for each in entries]
        body = b""
    else:
        body = flatbuffer(data)
    members += [(INFO_NAME, info.to_json().encode()), (LABELS_NAME, "\n".join(info.labels).encode() + b"\n")]
    if body:
        members.append((CHECKSUM_NAME, hashlib.sha256(body).hexdigest().encode() + b"\n"))
    buffer = io.BytesIO()
    buffer.write(body)
    # Stored, not deflated, and without dates: the same model gives the same bytes. Mode "a" makes the offsets
    # count from the start of the file, as unzip tools expect.
    with zipfile.ZipFile(buffer, "a" if body else "w", zipfile.ZIP_STORED) as archive:
        for name, content in members:
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            deflate = name in (INFO_NAME, "config.json")
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED if deflate else zipfile.ZIP_STORED)
    write_atomically(path, buffer.getvalue())


def flatbuffer(data: bytes) -> bytes:
    """Return a TFLite file's flatbuffer without the zip behind it, if there is one."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            return data[: min(entry.header_offset for entry in entries)] if entries else data
    except ZIP_DAMAGE:
        return data


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    return hashlib.sha256(_read(path)).hexdigest()


def check_tflite(path: Path) -> None:
    """Raise ModelFileError unless the file begins like a TFLite flatbuffer, and is the one that its checksum is of."""
    data = _read(path)
    if data[4:8] != TFLITE_IDENTIFIER:
        raise ModelFileError(
            f"{path}: expected a TFLite model, found a file of {len(data)} bytes that does not begin like one; "
            "make it with 'fer-edge convert --int8'"
        )
    stated = _stated_checksum(data)
    if stated is None:
        read_info(path)  # says so where the file has nothing of fer-edge's
        raise ModelFileError(
            f"{path}: expected the checksum of its weights, found none that can be read: the file is damaged, or "
            "older than checksums; copy it here again, or make it with 'fer-edge convert --int8'"
        )
    if hashlib.sha256(flatbuffer(data)).hexdigest() != stated:
        raise ModelFileError(
            f"{path}: expected the weights that its checksum is of, found others: the file is damaged; "
            "copy it here again"
        )


class _TooLargeError(zipfile.BadZipFile):
    """A member that unpacks to more than one of its kind is good for."""


def _stated_checksum(data: bytes) -> str | None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _unpack(archive, archive.getinfo(CHECKSUM_NAME)).decode("ascii").strip()
    except (*ZIP_DAMAGE, KeyError):
        return None


def _unpack(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Return a member's content; raises one of `ZIP_DAMAGE` where it is damaged, or too large for what it is."""
    return b"".join(_pieces(archive, entry))


def _pieces(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    """Yield a member's content piece by piece, as far as one of its kind may go by what is really unpacked."""
    limit = LARGEST_TEXT_BYTES if entry.filename.endswith(_TEXT_ENDINGS) else LARGEST_FILE_BYTES
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):  # others raise their own errors
        raise zipfile.BadZipFile(f"compression {entry.compress_type}")
    with archive.open(entry) as member:
        done = 0
        while piece := member.read(_PIECE_BYTES):
            done += len(piece)
            if max(done, entry.file_size) > limit:
                raise _TooLargeError(f"{printable(entry.filename, 60)} unpacks to more than {limit >> 20} MB")
            yield piece


def _read(path: Path) -> bytes:
    try:
        if (size := path.stat().st_size) > LARGEST_FILE_BYTES:
            raise ModelFileError(
                f"{path}: expected a model of up to {LARGEST_FILE_BYTES >> 20} MB, found {size >> 20} MB; name another"
            )
        return path.read_bytes()
    except OSError as error:
        raise ModelFileError(f"{path}: expected a model file, but it cannot be read ({error.strerror})") from error
