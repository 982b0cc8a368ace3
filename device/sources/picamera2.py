"""Raspberry Pi cameras, through picamera2's low-resolution YUV420 stream."""

from __future__ import annotations

import importlib
import importlib.util
import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from typing import Any

from fer_edge.device.frame import Frame, expand_range, split_planes
from fer_edge.device.sources.base import FIRST_FRAME_TIMEOUT_S, SILENCE_TIMEOUT_S, Source
from fer_edge.device.sources.mounting import AS_IT_COMES, Mounting
from fer_edge.errors import MissingExtraError, SourceError

REQUEST_TIMEOUT_S = 0.8 * SILENCE_TIMEOUT_S
"""Time that the running camera has for a frame; less than that after which a silent source's thread is left behind."""


def is_installed() -> bool:
    """Say whether this Python can see picamera2."""
    return importlib.util.find_spec("picamera2") is not None


def turned_by_camera(mounting: Mounting) -> bool:
    """Say whether the camera itself turns and mirrors its frames, at no cost; no sensor turns by a quarter."""
    return mounting.rotate in (0, 180)


def _transform(libcamera: Any, mounting: Mounting) -> dict[str, Any]:
    upside_down = mounting.rotate == 180
    if not turned_by_camera(mounting) or not (upside_down or mounting.flip):
        return {}
    return {"transform": libcamera.Transform(hflip=upside_down != mounting.flip, vflip=upside_down)}


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

    def __init__(self, mounting: Mounting = AS_IT_COMES) -> None:
        """Configure and start the camera.

        Args:
            mounting: size and rate to ask for, 640 x 480 at 30 per second if it has none; the camera may answer with
                others. See `turned_by_camera` for its turn.

        Raises:
            MissingExtraError: picamera2 is not installed where this Python looks.
            SourceError: no camera is connected, it is in use, or it answers with a format unknown here.
        """
        self.name = "picamera2"
        self.fps: float = mounting.fps or 30.0
        self._mounting = mounting
        size = mounting.size or (640, 480)
        self._closing = threading.Lock()  # taken by the one who closes, and kept
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
                    controls={"FrameRate": self.fps},
                    **_transform(libcamera, mounting),
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
        """Deliver frames as they come, timed by their arrival; raises SourceError when the camera falls silent."""
        width, height = self._size
        index, start = 0, 0.0
        while True:
            request = self._request(REQUEST_TIMEOUT_S if index else FIRST_FRAME_TIMEOUT_S)
            if request is None:
                return
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

    def _request(self, timeout_s: float) -> Any:
        """Return the next completed request, which is on loan; None after `close`."""
        try:
            return self._camera.capture_request(wait=timeout_s)
        except CancelledError:  # by `close`, in another thread
            return None
        except TimeoutError as error:
            raise SourceError(f"picamera2: no picture for {timeout_s:g} seconds; check its cable") from error

    def reopen(self) -> Picamera2Source:
        """Start the camera again; raises SourceError while it is not there."""
        return Picamera2Source(self._mounting)

    def close(self) -> None:
        """Stop the camera and free it for others; a second time does nothing."""
        if self._closing.acquire(blocking=False):
            # A camera that fell silent never completes the request that was asked for, and stopping waits behind it.
            if hasattr(self._camera, "cancel_all_and_flush"):  # not in picamera2 of before summer 2024
                self._camera.cancel_all_and_flush()
            self._camera.close()
