"""Matroska files of JPEG pictures that can be played at any moment of their making.

OpenCV's own writer keeps up to 256 KB back, stores one fixed rate, and reports no error. Here each
picture is a cluster of its own (RFC 9559, section 5.1.3) that goes to the operating system in one
piece, with its time in milliseconds. The file is a valid stream of unknown length from its first
picture on; `finish` adds the length and an index for jumping. Elements are coded as in RFC 8794.
"""

from __future__ import annotations

import struct
from io import RawIOBase

from fer_edge.device.outputs.append import write_whole
from fer_edge.errors import OutputError

_EBML, _SEGMENT, _SEEK_HEAD, _VOID = 0x1A45DFA3, 0x18538067, 0x114D9B74, 0xEC
_INFO, _TRACKS, _CLUSTER, _CUES = 0x1549A966, 0x1654AE6B, 0x1F43B675, 0x1C53BB6B

_UNKNOWN = (1 << 56) - 1
"""Length of a segment whose end is not known yet (RFC 8794, section 6.2)."""

_ROOM = 64
"""Bytes kept free at the start of the segment for where to find the index."""

_DURATION_BYTES = 11
"""Bytes of the element that holds the duration."""

_INDEX_STEP = 1000
"""Milliseconds from one entry of the index to the next."""


class MatroskaWriter:
    """Writes one video track of JPEG pictures into a file that was opened empty and unbuffered."""

    def __init__(self, file: RawIOBase, name: str, size: tuple[int, int], fps: float | None) -> None:
        """Write the head.

        Args:
            file: empty and seekable; stays the caller's to close.
            name: for messages.
            size: width and height of the pictures in pixels.
            fps: nominal pictures per second, None if they come as they come.

        Raises:
            OutputError: it does not fit.
        """
        self._file, self._name = file, name
        self._last = 0
        self._index: list[tuple[int, int]] = []
        ebml = _unsigned(0x4286, 1) + _unsigned(0x42F7, 1) + _unsigned(0x42F2, 4) + _unsigned(0x42F3, 8)
        ebml += _element(0x4282, b"matroska") + _unsigned(0x4287, 4) + _unsigned(0x4285, 2)
        head = _element(_EBML, ebml) + _id(_SEGMENT)
        self._length_at = len(head)
        head += _size(_UNKNOWN, 8)
        self._segment = len(head)
        head += _element(_VOID, bytes(_ROOM - 2))
        # Timestamps in milliseconds. The duration, which may not be zero, has its place kept free.
        info = _unsigned(0x2AD7B1, 1_000_000) + _element(0x4D80, b"fer-edge") + _element(0x5741, b"fer-edge")
        self._info_at = len(head)
        head += _element(_INFO, info + _element(_VOID, bytes(_DURATION_BYTES - 2)))
        self._duration_at = len(head) - _DURATION_BYTES
        width, height = size
        track = _unsigned(0xD7, 1) + _unsigned(0x73C5, 1) + _unsigned(0x83, 1) + _unsigned(0x9C, 0)
        track += _element(0x86, b"V_MJPEG")
        if fps:
            track += _unsigned(0x23E383, round(1e9 / fps))
        track += _element(0xE0, _unsigned(0xB0, width) + _unsigned(0xBA, height))
        self._tracks_at = len(head)
        head += _element(_TRACKS, _element(0xAE, track))
        write_whole(file, head, name)

    def add(self, jpeg: bytes, seconds: float) -> None:
        """Append a picture; raises OutputError, and leaves it out whole, if it does not fit.

        Args:
            jpeg: the picture as a JPEG file.
            seconds: since the first picture, never decreasing.
        """
        time, place = round(seconds * 1000), self._file.tell()
        block = b"\x81" + struct.pack(">hB", 0, 0x80) + jpeg  # track 1, at the cluster's own time, a key frame
        write_whole(self._file, _element(_CLUSTER, _unsigned(0xE7, time) + _element(0xA3, block)), self._name)
        if not self._index or time >= self._index[-1][0] + _INDEX_STEP:
            self._index.append((time, place - self._segment))
        self._last = time

    def finish(self, last_shown: float) -> None:
        """Add length and index; raises OutputError if they do not fit, and the file can be played all the same.

        Args:
            last_shown: seconds for which the last picture is seen.
        """
        cues_at = self._file.tell()
        points = [
            _element(0xBB, _unsigned(0xB3, time) + _element(0xB7, _unsigned(0xF7, 1) + _unsigned(0xF1, place)))
            for time, place in self._index
        ]
        write_whole(self._file, _element(_CUES, b"".join(points)), self._name)
        end = self._file.tell()
        seek = b"".join(
            _element(0x4DBB, _element(0x53AB, _id(element)) + _unsigned(0x53AC, place - self._segment))
            for element, place in ((_INFO, self._info_at), (_TRACKS, self._tracks_at), (_CUES, cues_at))
        )
        seek = _element(_SEEK_HEAD, seek)
        seek += _element(_VOID, bytes(_ROOM - len(seek) - 2))
        for place, data in (
            (self._segment, seek),
            (self._duration_at, _element(0x4489, struct.pack(">d", self._last + last_shown * 1000))),
            (self._length_at, _size(end - self._segment, 8)),
        ):
            self._patch(place, data)

    def _patch(self, place: int, data: bytes) -> None:
        try:
            self._file.seek(place)
            self._file.write(data)
        except OSError as error:
            raise OutputError(f"{self._name}: cannot be finished ({error.strerror}); it can be played") from error


def _id(element: int) -> bytes:
    return element.to_bytes((element.bit_length() + 7) // 8, "big")


def _size(value: int, width: int) -> bytes:
    return (value | 1 << 7 * width).to_bytes(width, "big")


def _element(element: int, data: bytes) -> bytes:
    # One value of each width is reserved for "unknown".
    width = next(width for width in range(1, 9) if len(data) < (1 << 7 * width) - 1)
    return _id(element) + _size(len(data), width) + data


def _unsigned(element: int, value: int) -> bytes:
    return _element(element, value.to_bytes(max((value.bit_length() + 7) // 8, 1), "big"))
