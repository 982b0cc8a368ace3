"""Whether an MP4 or MOV file shows all the frames that it stores, and so announces their exact number."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

SHOWN = 0.98
"""Share of a track's time that its edit list must show; encoders cut a frame or two off the beginning."""

LARGEST_INDEX_BYTES = 2**26


def shows_all(path: Path) -> bool:
    """Return whether every track is shown in whole (ISO/IEC 14496-12, sections 8.4.2, 8.6.6); False for other files."""
    try:
        index = _index(path)
        scale = next((_times(index, *place)[0] for name, *place in _boxes(index, 0, len(index)) if name == b"mvhd"), 0)
        tracks = [_lengths(index, *place) for name, *place in _boxes(index, 0, len(index)) if name == b"trak"]
    except (struct.error, IndexError):  # a box that is shorter than it has to be
        return False
    return bool(tracks and scale) and all(shown is None or shown / scale >= SHOWN * whole for shown, whole in tracks)


def _index(path: Path) -> bytes:
    """Return the content of the box ``moov``; empty where there is none."""
    with path.open("rb") as file:
        while len(head := file.read(16)) >= 8:
            length, name = struct.unpack_from(">I4s", head)
            wide = length == 1 and len(head) == 16
            content = (int.from_bytes(head[8:], "big") - 16) if wide else length - 8
            if content < 0:
                break
            if name == b"moov":
                file.seek((0 if wide else 8) - len(head), 1)
                return file.read(min(content, LARGEST_INDEX_BYTES))
            file.seek(content + (0 if wide else 8 - len(head)), 1)
    return b""


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, start and end of the content of the boxes in a part of the index."""
    while start + 8 <= end:
        length, name = struct.unpack_from(">I4s", data, start)
        if not 8 <= length <= end - start:
            return
        yield name, start + 8, start + length
        start += length


def _times(data: bytes, start: int, end: int) -> tuple[int, int]:
    """Return units a second, and duration in them, of a header (``mvhd``, ``mdhd``)."""
    form, place = (">IQ", 20) if data[start] == 1 else (">II", 12)  # by the version of the box
    scale, duration = struct.unpack_from(form, data, start + place)
    return scale, duration


def _lengths(data: bytes, start: int, end: int) -> tuple[int | None, float]:
    """Return what the edit list of a track shows, in units of the movie, None without one, and the track's seconds."""
    shown, whole = None, 0.0
    for name, *place in _boxes(data, start, end):
        for inner, *inside in _boxes(data, *place):
            if (name, inner) == (b"mdia", b"mdhd"):
                scale, duration = _times(data, *inside)
                whole = duration / scale if scale else 0.0
            elif (name, inner) == (b"edts", b"elst"):
                shown = _shown(data, inside[0])
    return shown, whole


def _shown(data: bytes, start: int) -> int:
    form = ">Qqi" if data[start] == 1 else ">Iii"
    (count,) = struct.unpack_from(">I", data, start + 4)
    entries = (struct.unpack_from(form, data, start + 8 + struct.calcsize(form) * number) for number in range(count))
    return sum(duration for duration, media_time, _ in entries if media_time >= 0)  # -1 is a pause before the film
