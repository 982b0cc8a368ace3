"""Where pictures come from: one file per kind of source, and how ``--source`` chooses one."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

from fer_edge.device.sources.base import Source
from fer_edge.errors import SourceError
from fer_edge.text.address import check_address, without_secrets

__all__ = ["Source", "open_source"]


def open_source(spec: str | None = None, *, fps: float | None = None) -> Source:
    """Open the source that a ``--source`` value names.

    Args:
        spec: ``picamera2``; a webcam's number, device or a link to that; ``demo``, the built-in film as fast as it is
            read, or ``demo:live``, the same at a camera's pace; a folder of photos; a photo; a video file; a URL.
            None is picamera2 where it is installed, else webcam 0.
        fps: frames per second of a video file that stores no times, a raw stream.

    Raises:
        SourceError: what it names does not exist or delivers no pictures, or `fps` is not needed.
        MissingExtraError: it needs a package that is not installed.
    """
    source = _open(spec, fps)
    if fps and not source.takes_fps:
        source.close()
        raise SourceError(f"{source.name}: its frames have times of their own; leave out --fps, which is for raw video")
    return source


def _open(spec: str | None, fps: float | None) -> Source:
    # Each kind is imported when it is asked for: a Raspberry Pi without webcam code is no use, but neither is a
    # desktop that fails for want of picamera2.
    from fer_edge.device.sources import picamera2

    if spec is None:
        spec = "picamera2" if picamera2.is_installed() else "0"
    if spec == "picamera2":
        return picamera2.Picamera2Source()
    if spec in ("demo", "demo:live"):
        from fer_edge.device.sources.demo import DemoSource

        return DemoSource(live=spec == "demo:live")
    number = spec.removeprefix("/dev/video")
    if number.isdecimal():
        from fer_edge.device.sources.webcam import WebcamSource

        return WebcamSource(int(number))
    path = Path(unquote(urlsplit(spec).path)) if spec.startswith("file://") else Path(spec)
    if path.is_char_device():  # whatever links to a camera, and what is none is not read as a file without end
        from fer_edge.device.sources.webcam import WebcamSource

        return WebcamSource(path)
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

        return VideoSource(str(path), fps=fps)
    if "://" not in spec:
        raise SourceError(
            f"{without_secrets(spec)}: no such file or folder; --source is picamera2, a webcam's number, demo, a file, "
            "a folder or a URL"
        )
    return _open_url(spec)


def _open_url(url: str) -> Source:
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
            return SnapshotSource(url)
    from fer_edge.device.sources.capture import is_endless, open_capture

    capture = open_capture(url, without_secrets(url))
    if is_endless(capture):
        from fer_edge.device.sources.stream import StreamSource

        return StreamSource(url, capture)
    from fer_edge.device.sources.video import VideoSource

    return VideoSource(url, capture)
