import cv2
import pytest

from fer_edge.device.outputs.window import Window
from fer_edge.errors import OutputError

HEADLESS = "GUI:                           NONE" in cv2.getBuildInformation()


@pytest.mark.skipif(not HEADLESS, reason="this OpenCV has windows")
def test_a_window_needs_an_opencv_that_has_them():
    with pytest.raises(OutputError) as error:
        Window()
    assert "use --serve 8080 and open the page in a browser" in str(error.value)
    assert "opencv-python" not in str(error.value)  # which a Raspberry Pi must not have


@pytest.mark.skipif(HEADLESS, reason="this OpenCV is a headless build")
@pytest.mark.parametrize(("display", "named"), [("", "DISPLAY names none"), (":4711", ":4711 answers as none")])
def test_a_window_needs_a_desktop(monkeypatch, display, named):
    monkeypatch.setenv("DISPLAY", display)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(OutputError, match=named):
        Window()
