"""Where pictures come from: one file per kind of source, and how ``--source`` chooses one."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from urllib.parse import unquote, urlsplit

from fer_edge.device.sources.base import Source
from fer_edge.device.sources.mounting import AS_IT_COMES, Mounted, Mounting
from fer_edge.errors import SourceError
from fer_edge.text.address import check_address, without_secrets

__all__ = ["Mounting", "Source", "open_source"]


def open_source(spec: str | None = None, mounting: Mounting = AS_IT_COMES) -> Source:
    """Open the source that a ``--source`` value names.

    Args:
        spec: ``picamera2``; a webcam's number, device or a link to that; ``demo``, the built-in film as fast as it is
            read, or ``demo:live``, the same at a camera's pace; a folder of photos; a photo; a video file; a URL.
            None is picamera2 where it is installed, else webcam 0.
        mounting: how the camera hangs, and what it is asked for. Its `fps` is also that of a video file that stores no
            times, a raw stream.

    Raises:
        SourceError: what it names does not exist or delivers no pictures, or it is a file whose frames have times.
        MissingExtraError: it needs a package that is not installed.
    """
    source = _open(spec, mounting)
    if mounting.fps and not (source.takes_fps or source.live):
        source.close()
        raise SourceError(
            f"{source.name}: its frames have times of their own; leave out --fps, which is for cameras and raw video"
        )
    return mounted(source, mounting)


def mounted(source: Source, mounting: Mounting) -> Source:
    """Return a source whose frames are as `mounting` wants them; what the camera itself does is not done twice."""
    if mounting == AS_IT_COMES:
        return source
    from fer_edge.device.sources.picamera2 import Picamera2Source, turned_by_camera

    if isinstance(source, Picamera2Source) and turned_by_camera(mounting):
        mounting = dataclasses.replace(mounting, rotate=0, flip=False)
    return Mounted(source, mounting)


def _open(spec: str | None, mounting: Mounting) -> Source:
    # Each kind is imported when it is asked for: a Raspberry Pi without webcam code is no use, but neither is a
    # desktop that fails for want of picamera2.
    from fer_edge.device.sources import picamera2

    if spec is None:
        spec = "picamera2" if picamera2.is_installed() else "0"
    if spec == "picamera2":
        return picamera2.Picamera2Source(mounting)
    if spec in ("demo", "demo:live"):
        from fer_edge.device.sources.demo import DemoSource

        return DemoSource(mounting.size or (640, 480), live=spec == "demo:live", fps=mounting.fps or 30.0)
    number = spec.removeprefix("/dev/video")
    if number.isdecimal():
        from fer_edge.device.sources.webcam import WebcamSource

        return WebcamSource(int(number), mounting)
    path = Path(unquote(urlsplit(spec).path)) if spec.startswith("file://") else Path(spec)
    if path.is_char_device():  # whatever links to a camera, and what is none is not read as a file without end
        from fer_edge.device.sources.webcam import WebcamSource

        return WebcamSource(path, mounting)
    from fer_edge.device.sources.folder import FolderSource, is_still

    if path.is_dir() or is_still(path):
        return FolderSource(path)
    if path.resolve().is_fifo():  # not a shell's pipe, /dev/stdin, whose writer is there already
        raise SourceError(
            f"{spec}: expected a file, a folder, a camera or a URL, found a named pipe, which may wait for its writer "
            "for ever; read it with: cat PIPE | fer-edge run --source /dev/stdin"
        )
    if path.exists():
        from fer_edge.device.sources.video import VideoSource

        return VideoSource(str(path), fps=mounting.fps)
    if "://" not in spec:
        raise SourceError(
            f"{without_secrets(spec)}: no such file or folder; --source is picamera2, a webcam's number, demo, a file, "
            "a folder or a URL"
        )
    return _open_url(spec, mounting)


def _open_url(url: str, mounting: Mounting) -> Source:
    scheme, colon, rest = url.partition(":")
    url = scheme.lower() + colon + rest  # which FFmpeg does not do
    if url.startswith(("http://", "https://", "rtsp://", "rtsps://", "rtmp://", "rtmps://")):
        try:
            check_address(url)
        except ValueError as error:
            raise SourceError(f"{without_secrets(url)}: no address of a camera: {error}") from None
    if url.startswith(("http://", "https://")):
        from fer_edge.device.sources.snapshot_url import SnapshotSource, sends_images

        if sends_images(url):
            return SnapshotSource(url, mounting.fps)
    from fer_edge.device.sources.capture import is_endless, open_capture

    capture = open_capture(url, without_secrets(url))
    if is_endless(capture):
        from fer_edge.device.sources.stream import StreamSource

        return StreamSource(url, capture)
    from fer_edge.device.sources.video import VideoSource

    return VideoSource(url, capture)
