"""What is read as an image, how it is decoded, and what is said of the rest."""

import io
import os
import re
import subprocess
import sys
from pathlib import PurePath

import cv2
import numpy as np
import pytest

from fer_edge.images import SUFFIXES, begins_like_image, decode_image, is_image_name, kind_of, reason

Image = pytest.importorskip("PIL.Image")  # on a device there may be none


@pytest.fixture
def colours():
    """A smooth uint8 48 x 64 x 3 image in RGB order, no row or column like another."""
    coarse = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    return cv2.resize(coarse, (64, 48), interpolation=cv2.INTER_CUBIC)


def encoded(pixels, kind, **options):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_listed_suffix_is_decoded(suffix, colours):
    """Those that OpenCV writes, and names for what it writes under another."""
    same = {".jfif": ".jpg", ".jfi": ".jpg", ".jif": ".jpg", ".j2k": ".jp2"}.get(suffix, suffix)
    image = np.ascontiguousarray(colours[:, :, 0] if same in (".pgm", ".pbm") else colours)
    try:
        written, data = cv2.imencode(same, image)
    except cv2.error:
        pytest.skip(f"this OpenCV does not write {same}")
    assert written
    assert is_image_name(PurePath(f"face{suffix.upper()}"))
    assert begins_like_image(data.tobytes())
    decoded = decode_image(data.tobytes())
    assert decoded is not None
    assert decoded.shape == (48, 64, 3)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "TIFF", "JPEG2000"])
def test_nothing_is_seen_below_transparent_pixels(colours, kind):
    """PNG first; the others are siblings that hide colours in the same way."""
    alpha = np.full((48, 64), 255, np.uint8)
    alpha[:24] = 0
    options = {"lossless": True, "exact": True} if kind == "WEBP" else {}
    decoded = decode_image(encoded(np.dstack([colours, alpha]), kind, **options))
    assert (decoded[:20] == 255).all()
    if kind != "GIF":  # which has a palette
        assert (decoded[28:] == colours[28:, :, ::-1]).all()


def test_half_transparent_pixels_are_mixed(colours):
    alpha = np.full((48, 64), 51, np.uint8)
    decoded = decode_image(encoded(np.dstack([colours, alpha]), "PNG"))
    assert np.abs(decoded - (colours[:, :, ::-1] * 0.2 + 255 * 0.8)).max() <= 1


def test_a_palette_may_be_transparent(colours):
    palette = Image.fromarray(colours).quantize(4)
    buffer = io.BytesIO()
    palette.save(buffer, "PNG", transparency=2)
    hidden = np.asarray(palette) == 2
    decoded = decode_image(buffer.getvalue())
    assert (decoded[hidden] == 255).all()
    assert not (decoded[~hidden] == 255).all(axis=1).all()


@pytest.mark.parametrize("orientation", [1, 3, 6, 8, 5])
def test_what_is_transparent_turns_with_the_image(colours, orientation):
    alpha = np.full((48, 64), 255, np.uint8)
    alpha[:10, :20] = 0
    exif = Image.Exif()
    exif[0x0112] = orientation
    upright = Image.fromarray(np.dstack([colours, alpha]))
    turns = {1: None, 3: Image.ROTATE_180, 6: Image.ROTATE_270, 8: Image.ROTATE_90, 5: Image.TRANSPOSE}
    turned = upright if turns[orientation] is None else upright.transpose(turns[orientation])
    expected = np.asarray(turned)
    decoded = decode_image(encoded(np.dstack([colours, alpha]), "PNG", exif=exif))
    assert ((decoded == 255).all(axis=2) == (expected[:, :, 3] == 0)).all()


def test_an_opaque_image_is_as_opencv_reads_it(colours):
    data = encoded(np.dstack([colours, np.full((48, 64), 255, np.uint8)]), "PNG")
    assert (decode_image(data) == colours[:, :, ::-1]).all()
    grey = encoded(colours[:, :, 0], "PNG")
    assert decode_image(grey, keep_grey=True).shape == (48, 64)
    assert decode_image(grey).shape == (48, 64, 3)


@pytest.mark.parametrize(
    ("kind", "options", "lost"),
    [
        ("JPEG", {}, 2),
        ("JPEG", {}, 1),
        ("JPEG", {"progressive": True}, 2),
        ("PNG", {}, 12),
        ("PNG", {}, 5),
        ("GIF", {}, 1),
    ],
)
def test_a_file_that_lacks_its_end_marker_alone_is_whole(colours, kind, options, lost, capfd):
    data = encoded(colours, kind, **options)
    assert (decode_image(data[:-lost]) == decode_image(data)).all()
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("lost", [3, 20, 400])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_that_lacks_pixels_is_not_decoded(colours, progressive, lost, capfd):
    data = encoded(colours, "JPEG", progressive=progressive, quality=95)
    assert decode_image(data[:-lost]) is None
    assert "cut off or damaged" in reason(data[:-lost])
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("start", "kind", "message"),
    [
        (b"\0\0\0\x18ftypheic", "HEIC", "a HEIC file, which OpenCV cannot decode; .*heif-convert"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0heic", "HEIC", "heif-convert"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0avif", "AVIF", "an AVIF file"),
        (b"\xff\x0a", "JPEG XL", "a JPEG XL file, which OpenCV cannot decode; save it as JPEG or PNG"),
        (b"<!DOCTYPE html>", "HTML", "a web page in place of the file; fetch it again"),
        (b"version https://git-lfs.github.com/spec/v1", "Git LFS pointer", "git lfs pull"),
        (b"shopping list", "", "213 bytes that OpenCV cannot decode"),
    ],
)
def test_what_cannot_be_decoded_is_named_with_the_way_out(start, kind, message):
    data = start + bytes(200)
    assert kind_of(data) == kind
    assert decode_image(data) is None
    assert re.search(message, reason(data))


def test_nothing_is_no_image():
    assert decode_image(b"") is None
    assert not begins_like_image(b"")


def with_scans(colours, count):
    """A progressive JPEG whose last scan is there so many times more."""
    data = encoded(colours, "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    start = data.rindex(b"\xff\xc4", 0, last)
    return data[:-2] + data[start:-2] * count + b"\xff\xd9"


def test_a_jpeg_of_many_scans_is_refused_and_an_ordinary_one_is_not(colours):
    assert decode_image(with_scans(colours, 5)) is not None
    data = with_scans(colours, 2000)
    assert decode_image(data) is None
    assert re.search(
        r"a JPEG file that is not decoded, because it has 20\d\d scans instead of at most 100", reason(data)
    )


def test_what_lies_behind_or_inside_of_a_jpeg_are_no_scans(colours):
    data = encoded(colours, "JPEG")
    film = b"\xff\xda\x00\x08" * 500
    thumbnail = b"\xff\xe1" + (len(film) + 2).to_bytes(2, "big") + film
    for photo in (data + film, data[:2] + thumbnail + data[2:], data[:-2] + b"\xff" * 9 + data[-2:] + film):
        assert np.array_equal(decode_image(photo), decode_image(data))
    assert decode_image(with_scans(colours, 2000) + film) is None


@pytest.mark.parametrize("module", ["fer_edge.images", "fer_edge.device.opencv", "fer_edge.train.data.pictures"])
def test_opencv_is_loaded_with_a_limit_of_pixels(module):
    """In a process of its own, because OpenCV reads it once."""
    code = f"import {module}, fer_edge.images, os, cv2, numpy\n"
    code += "print(0 < int(os.environ['OPENCV_IO_MAX_IMAGE_PIXELS']) <= 110_000_000)\n"
    code += "try:\n    print(cv2.imdecode(numpy.frombuffer(b'P5 12000 12000 255\\n' + bytes(9), numpy.uint8), 1))\n"
    code += "except cv2.error:\n    print('refused')\n"
    environment = {name: value for name, value in os.environ.items() if name != "OPENCV_IO_MAX_IMAGE_PIXELS"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "refused"]
