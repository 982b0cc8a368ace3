"""The window on a desktop."""

from __future__ import annotations

import os
import subprocess
import sys

from fer_edge.device.frame import frame_to_bgr
from fer_edge.device.opencv import cv2
from fer_edge.device.outputs.base import Output
from fer_edge.device.outputs.drawing import draw_faces
from fer_edge.device.results import FrameResult
from fer_edge.errors import OutputError

TITLE = "fer-edge"


class Window(Output):
    """Shows the pictures with their faces drawn in; dismissed by closing it or by q."""

    name = "window"

    def __init__(self) -> None:
        """Open the window.

        Raises:
            OutputError: this OpenCV has no windows, or there is no desktop to show one on.
        """
        # Without a desktop Qt ends the process instead of raising, so a child asks first.
        probe = [sys.executable, "-c", "import cv2; cv2.namedWindow('fer-edge')"]
        tried = subprocess.run(probe, capture_output=True, text=True, check=False)
        if "not implemented" in tried.stderr:
            raise OutputError(
                "--display needs an OpenCV with windows, and the one installed has none, as on a Raspberry Pi; "
                "use --serve 8080 and open the page in a browser, or --save FILE.mkv"
            )
        if tried.returncode:
            screen = os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY")
            raise OutputError(
                f"--display needs a desktop, and {f'{screen} answers as none' if screen else 'DISPLAY names none'}; "
                "start it there, or use --save FILE"
            )
        cv2.namedWindow(TITLE, cv2.WINDOW_NORMAL)

    def write(self, result: FrameResult) -> None:
        """Show a picture."""
        cv2.imshow(TITLE, draw_faces(frame_to_bgr(result.frame), result.faces, numbers=True))
        if cv2.waitKey(1) & 0xFF == ord("q") or cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) < 1:
            self.dismissed = True

    def close(self) -> None:
        """Close the window."""
        cv2.destroyAllWindows()
