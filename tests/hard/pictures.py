"""Fuzzers of images and videos."""

from __future__ import annotations

import os
import random
from pathlib import Path

import numpy as np

from tests.hard.data import Prepared, nothing
from tests.hard.mutations import spoil

MAX_PIXELS = 20_000_000
FRAMES = 12


def images(folder: Path) -> Prepared:
    """Every format that photos come in: decoded within the limit of pixels, or not at all."""
    os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"] = str(MAX_PIXELS)
    from fer_edge.device.opencv import cv2
    from fer_edge.device.sources.folder import read_photo, within_memory

    picture = np.random.default_rng(0).integers(0, 256, (24, 32, 3)).astype(np.uint8)
    endings = (".jpg", ".png", ".bmp", ".webp", ".tiff", ".ppm", ".pgm")
    colours = {ending: picture[..., 0] if ending == ".pgm" else picture for ending in endings}
    whole = {ending: cv2.imencode(ending, colours[ending])[1].tobytes() for ending in endings}
    progressive = cv2.imencode(".jpg", picture, (cv2.IMWRITE_JPEG_PROGRESSIVE, 1))[1].tobytes()

    def one(rng: random.Random) -> str | None:
        ending = rng.choice(endings)
        data = progressive if ending == ".jpg" and rng.random() < 0.5 else whole[ending]
        path = folder / f"photo{ending}"
        path.write_bytes(spoil(rng, data))
        with within_memory(path):
            bgr = read_photo(path)
        assert bgr.dtype == np.uint8
        assert bgr.ndim == 3
        assert bgr.shape[0] * bgr.shape[1] <= MAX_PIXELS
        return None

    return one, nothing


def videos(folder: Path) -> Prepared:
    """Matroska and AVI: frames have times that are numbers."""
    os.environ["OPENCV_IO_MAX_IMAGE_PIXELS"] = str(MAX_PIXELS)
    from fer_edge.device.opencv import cv2
    from fer_edge.device.outputs.matroska import MatroskaWriter
    from fer_edge.device.sources import open_source

    picture = np.random.default_rng(0).integers(0, 256, (48, 64, 3)).astype(np.uint8)
    jpeg = cv2.imencode(".jpg", picture)[1].tobytes()
    with (folder / "whole.mkv").open("wb", buffering=0) as file:
        writer = MatroskaWriter(file, "whole.mkv", (64, 48), 10.0)
        for number in range(8):
            writer.add(jpeg, number / 10)
        writer.finish(0.1)
    avi = cv2.VideoWriter(str(folder / "whole.avi"), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (64, 48))
    for _ in range(8):
        avi.write(picture)
    avi.release()
    whole = {ending: (folder / f"whole{ending}").read_bytes() for ending in (".mkv", ".avi")}

    def one(rng: random.Random) -> str | None:
        ending = rng.choice((".mkv", ".avi"))
        path = folder / f"video{ending}"
        path.write_bytes(spoil(rng, whole[ending]))
        source, seen = open_source(str(path)), 0
        try:
            for frame in source:
                assert np.isfinite(frame.time)
                assert frame.width * frame.height <= MAX_PIXELS
                seen += 1
                if seen == FRAMES:
                    break
        finally:
            source.close()
        return None

    return one, nothing


PICTURES = {"images": images, "videos": videos}
