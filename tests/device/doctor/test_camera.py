import textwrap
import time
from pathlib import Path

import pytest

from fer_edge.device.doctor.camera import LOOK_FOR_CAMERA, OTHER_SOURCE, check_camera, webcams
from fer_edge.device.doctor.finding import Status
from tests.device.doctor.conftest import PI_4, PI_5

# What the camera of a Raspberry Pi answers, as far as fer-edge asks.
PICAMERA2 = """
    import numpy as np

    class Request:
        def make_buffer(self, name):
            return np.zeros(320 * 240 * 3 // 2, np.uint8)
        def release(self):
            pass

    class Picamera2:
        @staticmethod
        def global_camera_info():
            return [{"Model": "imx708", "Location": 2, "Id": "/base/soc/i2c0mux/i2c@1/imx708@1a", "Num": 0}]
        def create_video_configuration(self, **options):
            return options
        def configure(self, configuration):
            pass
        def camera_configuration(self):
            return {"lores": {"format": "YUV420", "size": (300, 240), "stride": 320}, "colour_space": None}
        def start(self):
            pass
        def capture_request(self, wait):
            CAPTURE
            return Request()
        def stop(self):
            pass
        close = stop
"""


@pytest.fixture
def picamera2(machine):
    """Put a picamera2 on the machine."""

    def put(code=None, capture="pass"):
        machine.board(PI_5)
        machine.module("picamera2", textwrap.dedent(code or PICAMERA2).replace("CAPTURE", capture))
        machine.module("libcamera", "class ColorSpace:\n    Sycc = object")

    return put


@pytest.fixture
def video(machine):
    """Plug in a V4L2 device."""

    def put(number, name, index=0):
        machine.file(f"/dev/video{number}")
        machine.file(f"/sys/class/video4linux/video{number}/name", f"{name}\n")
        machine.file(f"/sys/class/video4linux/video{number}/index", f"{index}\n")

    return put


def test_only_cameras_are_webcams(machine, video):
    assert webcams(machine.system) == []
    for number, name in enumerate(
        ["unicam-image", "bcm2835-codec-decode", "bcm2835-isp-output0", "pispbe-input", "rp1-cfe-csi2_ch0",
         "rpi-hevc-dec", "rpivid"]
    ):  # fmt: skip
        video(number, name)
    video(20, "HD Webcam: HD Webcam", 0)
    video(21, "HD Webcam: HD Webcam", 1)
    video(9, "Dummy video device (0x0000)")
    machine.file("/dev/videonode")
    assert webcams(machine.system) == [(9, "Dummy video device (0x0000)"), (20, "HD Webcam: HD Webcam")]


def test_no_camera(machine, picamera2):
    finding = check_camera(machine.system, None)
    assert (finding.status, finding.found) == (Status.WARNING, "none found")
    assert "--source demo" in finding.advice
    picamera2("class Picamera2:\n    global_camera_info = list")
    finding = check_camera(machine.system, None)
    assert (finding.status, finding.advice) == (Status.WARNING, LOOK_FOR_CAMERA)
    assert "rpicam-hello --list-cameras" in finding.advice
    finding = check_camera(machine.system, "picamera2")
    assert (finding.status, finding.found, finding.advice) == (Status.PROBLEM, "picamera2 finds none", LOOK_FOR_CAMERA)


def test_a_camera_that_delivers(machine, picamera2):
    machine.real_packages()
    picamera2(capture="import time; time.sleep(0.02)")
    finding = check_camera(machine.system, None)
    assert finding.status is Status.OK, finding
    assert finding.found.startswith("imx708 (picamera2): 300x240 YUV420, stride 320, ")
    rate = float(finding.found.split(", ")[-1].removesuffix(" pictures a second"))
    assert 5 < rate <= 50


def test_the_layout_is_read_from_the_pictures(machine, picamera2):
    machine.real_packages()
    picamera2(PICAMERA2.replace("YUV420", "NV12"))
    assert "300x240 NV12, stride 320" in check_camera(machine.system, "picamera2").found


def test_a_camera_that_hangs(machine, picamera2):
    machine.real_packages()
    picamera2(capture="import time; time.sleep(600)")
    start = time.monotonic()
    finding = check_camera(machine.system, None, seconds=4)
    assert finding.status is Status.PROBLEM
    assert finding.found == "imx708 (picamera2): no pictures within 4 seconds"
    assert time.monotonic() - start < 20


def test_a_camera_driver_that_hangs_at_once(machine, picamera2):
    picamera2("import time; time.sleep(600)")
    finding = check_camera(machine.system, None, seconds=1)
    assert finding.status is Status.PROBLEM
    assert finding.advice.startswith("sudo reboot")


def test_a_camera_that_crashes(machine, picamera2):
    machine.real_packages()
    picamera2(capture="import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    finding = check_camera(machine.system, None)
    assert finding.status is Status.PROBLEM
    assert "SIGSEGV" in finding.found


def test_a_camera_in_use(machine, picamera2):
    machine.real_packages()
    picamera2(
        PICAMERA2.replace(
            "class Picamera2:", "class Picamera2:\n        def __init__(self): raise RuntimeError('busy')"
        )
    )
    finding = check_camera(machine.system, None)
    assert finding.status is Status.PROBLEM
    assert "busy" in finding.found
    assert finding.advice == "does another program use it?"


def test_a_camera_without_opencv(machine, picamera2):
    picamera2(PICAMERA2.replace("import numpy as np", ""))
    finding = check_camera(machine.system, None)
    assert finding.status is Status.UNKNOWN
    assert finding.found.startswith("imx708 (picamera2); not tried without")


@pytest.mark.parametrize("source", [None, "picamera2"])
def test_picamera2_with_another_numpy(machine, picamera2, source):
    machine.real_packages()
    picamera2("raise ValueError('numpy.dtype size changed, may indicate binary incompatibility. Expected 96')")
    finding = check_camera(machine.system, source)
    assert finding.status is Status.PROBLEM
    assert "uninstall -y numpy && " in finding.advice


def test_a_broken_picamera2(machine, picamera2):
    picamera2("import libcamera_that_is_gone")
    finding = check_camera(machine.system, None)
    assert finding.status is Status.PROBLEM
    assert "libcamera_that_is_gone" in finding.found
    assert finding.advice == "sudo apt install --reinstall python3-picamera2 python3-libcamera"


@pytest.mark.parametrize(("source", "status"), [(None, Status.WARNING), ("picamera2", Status.PROBLEM)])
def test_a_picamera2_that_is_missing_or_hidden(machine, source, status):
    machine.real_packages()
    machine.board(PI_4)
    finding = check_camera(machine.system, source)
    assert (finding.status, finding.advice) == (status, "sudo apt install -y python3-picamera2")
    machine.file("/usr/lib/python3/dist-packages/picamera2/__init__.py")
    finding = check_camera(machine.system, source)
    assert (finding.status, finding.advice) == (status, "do what stands at 'environment'")


def test_a_webcam_that_one_may_not_use(machine, video):
    video(0, "HD Webcam")
    # Root may use everything; a name with nothing behind it is refused to everybody.
    (machine.root / "dev/video0").unlink()
    (machine.root / "dev/video0").symlink_to("nothing")
    finding = check_camera(machine.system, None)
    assert finding.status is Status.PROBLEM
    assert "you may not use /dev/video0" in finding.found
    assert "usermod -aG video" in finding.advice


def test_a_source_that_raises_what_nobody_foresaw(machine):
    machine.changed_opencv("def fails(*_, **__): raise ValueError('odd')\ncv2.cvtColor = fails")
    finding = check_camera(machine.system, "demo")
    assert (finding.status, finding.found, finding.advice) == (Status.PROBLEM, "demo: odd", OTHER_SOURCE)


def test_a_webcam_that_does_not_answer(machine, video):
    if Path("/dev/video77").exists():
        pytest.skip("this machine has a camera 77")
    machine.real_packages()
    video(77, "HD Webcam")
    finding = check_camera(machine.system, None)
    assert finding.status is Status.PROBLEM
    assert finding.found == "webcam 77: no camera answers there"


# OpenCV with a camera behind it, which no test machine has.
CAMERA = """
    import numpy
    class VideoCapture:
        def __init__(self, number): pass
        def isOpened(self): return True
        def set(self, key, value): return True
        def get(self, key): return 30.0
        def read(self, image=None): return True, numpy.zeros((48, 64, 3), numpy.uint8)
        def release(self): pass
    cv2.VideoCapture = VideoCapture
"""


@pytest.mark.parametrize(("number", "status"), [(0, Status.OK), (2, Status.WARNING)])
def test_a_webcam_that_delivers(machine, video, number, status):
    machine.changed_opencv(CAMERA)
    video(number, "HD Webcam")
    finding = check_camera(machine.system, None)
    assert finding.status is status, finding
    assert finding.found.startswith(f"HD Webcam (webcam {number}): 64x48 YUV420, stride 64, ")
    # 'fer-edge run' would have chosen 0.
    assert finding.advice == ("" if number == 0 else "name it: fer-edge run --source 2")


def test_a_webcam_beside_an_empty_camera_port(machine, video, picamera2):
    machine.changed_opencv(CAMERA)
    picamera2("class Picamera2:\n    global_camera_info = list")
    video(0, "HD Webcam")
    finding = check_camera(machine.system, None)
    # picamera2 is installed, so 'fer-edge run' would choose it.
    assert (finding.status, finding.advice) == (Status.WARNING, "name it: fer-edge run --source 0")


def test_a_source_that_is_asked_about(machine, clip):
    machine.real_packages()
    finding = check_camera(machine.system, "demo")
    assert (finding.status, finding.found) == (Status.OK, "demo: 640x480 YUV420, stride 640")
    finding = check_camera(machine.system, "demo:live")
    rate = float(finding.found.split(", ")[-1].removesuffix(" pictures a second"))
    assert 5 < rate < 40
    assert check_camera(machine.system, str(clip)).found == f"{clip}: 320x240 YUV420, stride 320"


def test_a_source_with_one_picture(machine, tmp_path):
    from fer_edge.device.sources.demo import PORTRAIT

    machine.real_packages()
    assert check_camera(machine.system, str(PORTRAIT)).status is Status.OK


def test_a_source_without_a_picture(machine):
    machine.real_packages()
    finding = check_camera(machine.system, str(machine.work))
    assert finding.status is Status.PROBLEM
    assert "expected a folder with photos" in finding.found
    assert finding.advice == OTHER_SOURCE


def test_a_source_that_is_no_picture(machine, tmp_path):
    machine.real_packages()
    torn = tmp_path / "torn.mkv"
    torn.write_bytes(b"no film")
    finding = check_camera(machine.system, str(torn))
    assert finding.status is Status.PROBLEM
    assert "torn.mkv" in finding.found
    assert finding.advice
