"""Whether a video file ends in the middle, by the lengths that its parts announce.

A container says how long its parts are; that is exact, other than the number of frames. OpenCV computes that
from duration and rate, so a film of varying rate, one that starts late or whose beginning is cut off by an edit
list has fewer frames than announced, and all of them.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

_EBML, _SEGMENT, _CLUSTER = b"\x1a\x45\xdf\xa3", 0x18538067, 0x1F43B675


def is_cut(path: Path) -> bool:
    """Return whether the last part of an MP4, MOV, Matroska, WebM or AVI file is missing or not complete.

    False for other formats, of which nothing is known. A Matroska file of unknown length whose last part is complete
    is whole: it is what a recording is at any moment.
    """
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(12)
        if head[:4] == _EBML:
            return _matroska_is_cut(file, size)
        if head[:4] == b"RIFF":
            return _riff_is_cut(file, size)
        if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
            return _mp4_is_cut(file, size)
    return False


def _mp4_is_cut(file: BinaryIO, size: int) -> bool:
    """Follow the boxes (ISO/IEC 14496-12, section 4.2)."""
    place = 0
    while place + 8 <= size:
        file.seek(place)
        head = file.read(16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        if length < 8:  # 0: until the end of the file; others are no box, such as zeros after the last one
            return False
        place += length
    return place > size


def _riff_is_cut(file: BinaryIO, size: int) -> bool:
    """Follow the outermost chunks; a large AVI file has several."""
    place = 0
    while place + 8 <= size:
        file.seek(place)
        head = file.read(8)
        if head[:4] != b"RIFF":
            return False
        place += 8 + int.from_bytes(head[4:8], "little")
    return place > size


def _matroska_is_cut(file: BinaryIO, size: int) -> bool:
    """Follow the elements of the segment, and of clusters without a length (RFC 8794, sections 5 and 6)."""
    place = 0
    while place < size:
        file.seek(place)
        head = file.read(12)
        id_width = 9 - head[0].bit_length()
        if id_width > 4 or len(head) <= id_width:
            return True  # no element: zeros, or only a part of one
        size_width = 9 - head[id_width].bit_length()
        content = place + id_width + size_width
        if size_width > 8 or content > size:
            return True
        element = int.from_bytes(head[:id_width], "big")
        field = int.from_bytes(head[id_width : id_width + size_width], "big")
        unknown = (1 << 7 * size_width) - 1
        length = field & unknown
        if element == _SEGMENT:
            if length != unknown and content + length > size:
                return True
            place = content
        elif element == _CLUSTER and length == unknown:
            place = content
        else:
            place = content + length
    return place > size


def holds_text(path: Path) -> bool:
    """Return whether a file is text, which FFmpeg would draw as a film; playlists and session descriptions are none."""
    with path.open("rb") as file:
        head = file.read(4096)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):  # a list that Windows wrote
        return True
    if not head or head.startswith((b"#EXTM3U", b"ffconcat ", b"v=0")):
        return False
    text = head.decode(errors="replace").rstrip("\N{REPLACEMENT CHARACTER}")  # its last character may be cut
    return all(
        character.isprintable() or character in "\t\r\n\f\x1b" for character in text.removeprefix("\ufeff")
    ) and ("\N{REPLACEMENT CHARACTER}" not in text)
