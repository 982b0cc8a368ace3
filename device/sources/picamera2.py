"""Raspberry Pi cameras, through picamera2's low-resolution YUV420 stream."""

from __future__ import annotations

import importlib
import importlib.util
import os
import time
from collections.abc import Iterator
from typing import Any

from fer_edge.device.frame import Frame, expand_range, split_planes
from fer_edge.device.sources.base import Source
from fer_edge.errors import MissingExtraError, SourceError


def is_installed() -> bool:
    """Say whether this Python can see picamera2."""
    return importlib.util.find_spec("picamera2") is not None


def _load() -> tuple[Any, Any]:
    """Return the modules libcamera and picamera2, which come as system packages and nowhere else."""
    try:
        return importlib.import_module("libcamera"), importlib.import_module("picamera2")
    except (ImportError, ValueError) as error:  # ValueError: compiled for another numpy than this environment has
        raise MissingExtraError(
            f"--source picamera2 cannot load it ({error}); it needs: sudo apt install python3-picamera2, and a virtual "
            "environment that sees the system's packages and numpy: python3 -m venv --system-site-packages"
        ) from error


class Picamera2Source(Source):
    """The first camera of the Raspberry Pi.

    Each picture is copied once, out of the camera's buffer, which is then given back at once: buffers
    held while a frame waits or is worked on would starve the camera.
    """

    live = True

    def __init__(self, size: tuple[int, int] = (640, 480), fps: float = 30.0) -> None:
        """Configure and start the camera.

        Args:
            size: width and height to ask for, even numbers; the camera may answer with others.
            fps: pictures per second to ask for.

        Raises:
            MissingExtraError: picamera2 is not installed where this Python looks.
            SourceError: no camera is connected, it is in use, or it answers with a format unknown here.
        """
        self.name = "picamera2"
        self.fps: float = fps
        self._asked = size
        self._closed = False
        os.environ.setdefault("LIBCAMERA_LOG_LEVELS", "*:ERROR")
        libcamera, picamera2 = _load()
        if not picamera2.Picamera2.global_camera_info():
            raise SourceError(
                "picamera2: no camera is connected; check its cable and 'rpicam-hello --list-cameras', "
                "or choose another --source"
            )
        try:
            self._camera: Any = picamera2.Picamera2()
        except RuntimeError as error:
            raise SourceError(
                f"picamera2: the camera cannot be opened ({error}); does another program use it?"
            ) from error
        try:
            # The main stream is not read. Asking for more than `size` keeps libcamera from choosing a small sensor
            # mode, which on several sensors shows only the middle of the view. Sycc is full-range BT.601.
            self._camera.configure(
                self._camera.create_video_configuration(
                    main={"size": (size[0] * 2, size[1] * 2)},
                    lores={"size": size, "format": "YUV420"},
                    colour_space=libcamera.ColorSpace.Sycc(),
                    controls={"FrameRate": fps},
                )
            )
            configured = self._camera.camera_configuration()
            self._read_back(configured["lores"], configured["colour_space"])
            self._camera.start()
        except RuntimeError as error:
            self._camera.close()
            raise SourceError(f"picamera2: the camera refuses to start ({error})") from error
        except SourceError:
            self._camera.close()
            raise

    def _read_back(self, stream: dict[str, Any], colour_space: Any) -> None:
        self._layout, self._size, self._stride = str(stream["format"]), stream["size"], int(stream["stride"])
        if self._layout not in ("YUV420", "NV12"):
            raise SourceError(
                f"picamera2: expected a low-resolution stream of YUV420 or NV12, found {self._layout}; "
                "choose another --source"
            )
        self._limited = "limited" in str(getattr(colour_space, "range", "")).lower()

    def __iter__(self) -> Iterator[Frame]:
        """Deliver pictures as they come, timed by their arrival."""
        width, height = self._size
        index, start = 0, 0.0
        while True:
            request = self._camera.capture_request()
            now = time.monotonic()
            try:
                buffer = request.make_buffer("lores")
            finally:
                request.release()
            planes = split_planes(buffer, self._layout, width, height, self._stride)
            if self._limited:
                planes = expand_range(*planes)
            start = start or now
            yield Frame(*planes, time=now - start, index=index, width=width, height=height)
            index += 1

    def reopen(self) -> Picamera2Source:
        """Start the camera again; raises SourceError while it is not there."""
        return Picamera2Source(self._asked, self.fps)

    def close(self) -> None:
        """Stop the camera and free it for others; a second time does nothing."""
        if not self._closed:
            self._closed = True
            # Not stop(): it waits behind a picture that was asked for, which a camera that fell silent never delivers.
            self._camera.close()
