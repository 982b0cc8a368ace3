"""The camera of a Raspberry Pi: the real picamera2 and libcamera, with libcamera's virtual camera as the hardware."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_edge.device.frame import frame_from_bgr
from fer_edge.device.sources.demo import DemoSource
from tests.pi.machine import PYTHON, Machine

pytestmark = [pytest.mark.pi, pytest.mark.timeout(1200)]

CAMERA = Path(__file__).parent / "camera"
LIBRARY = "/tmp/dma_memory.so"
PIPELINE = "/usr/share/libcamera/pipeline/virtual"


@pytest.fixture(scope="module")
def native(machines):
    """Return Debian 13 for this machine's processor, with what the camera needs compiled."""
    machine = Machine("camera", machines / "camera")
    compile_it = ("gcc", "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", LIBRARY, "/mnt/camera/dma_memory.c")
    result = machine.run(*compile_it, binds=[(CAMERA, "/mnt/camera")])
    assert result.returncode == 0, result.stderr
    return machine


class Rig:
    """A camera in front of a scene."""

    def __init__(self, machine, folder):
        self._machine, self.folder = machine, folder
        for name in ("scene", "pipeline"):
            (folder / name).mkdir()
        self.scene = DemoSource().picture(0)
        cv2.imwrite(str(folder / "scene/scene.jpg"), self.scene, [cv2.IMWRITE_JPEG_QUALITY, 98])
        self.connect(640, 480)

    def connect(self, width, height):
        """Exchange the camera for one with pictures of this size."""
        text = (CAMERA / "virtual.yaml").read_text().replace("WIDTH", str(width)).replace("HEIGHT", str(height))
        (self.folder / "pipeline/virtual.yaml").write_text(text)

    def disconnect(self):
        (self.folder / "pipeline/virtual.yaml").unlink()

    def run(self, *command):
        binds = [
            (CAMERA, "/mnt/camera"),
            (self.folder / "pipeline", PIPELINE),
            (self.folder / "scene", "/mnt/scene"),
        ]
        environment = {"PYTHONPATH": "/mnt/camera", "LD_PRELOAD": LIBRARY, "LIBCAMERA_LOG_LEVELS": "*:ERROR"}
        return self._machine.run(*command, binds=binds, environment=environment, timeout=120)

    def python(self, code):
        """Run Python code in it and return what it printed, as JSON."""
        result = self.run(PYTHON, "-c", code)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout.splitlines()[-1])


@pytest.fixture
def rig(native, tmp_path):
    return Rig(native, tmp_path)


def test_it_is_the_real_picamera2(rig):
    code = """
import json, libcamera, picamera2
print(json.dumps([picamera2.__file__, libcamera.__file__, picamera2.Picamera2.global_camera_info()[0]["Model"]]))
"""
    software, library, model = rig.python(code)
    assert software.startswith("/root/fer-edge/lib/python3.13/site-packages/picamera2/")
    assert library.startswith("/usr/lib/python3/dist-packages/libcamera/")
    assert model == "virtual"


def test_run_finds_the_face_before_the_camera(rig):
    result = rig.run("fer-edge", "run", "--source", "picamera2", "--frames", "5", "--jsonl", "-")
    assert result.returncode == 0, result.stderr
    frames = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(frames) == 5
    x, y, w, h = frames[-1]["faces"][0]["box"]
    # The film's first picture: a face of about 117 pixels around (320, 205).
    assert abs(x + w / 2 - 320) < 12
    assert abs(y + h / 2 - 205) < 12
    assert 95 < w < 140


PLANES = """
import json
import numpy as np
from fer_edge.device.sources.picamera2 import Picamera2Source
with Picamera2Source() as source:
    stream = source._camera.camera_configuration()["lores"]
    frame = next(iter(source))
    np.savez("/mnt/scene/planes.npz", y=frame.y, cb=frame.cb, cr=frame.cr)
print(json.dumps([frame.width, frame.height, frame.y.strides, frame.cb.strides, stream["format"], stream["stride"]]))
"""


def test_format_and_stride_are_read_back_and_nv12_is_understood(rig):
    """YUV420 is asked for, and the camera answers NV12."""
    width, height, y_strides, cb_strides, layout, stride = rig.python(PLANES)
    assert (width, height) == (640, 480)
    assert layout == "NV12"
    assert y_strides == [stride, 1]
    assert cb_strides == [stride, 2]
    expected = frame_from_bgr(rig.scene)
    planes = np.load(rig.folder / "scene/planes.npz")
    for name in ("y", "cb", "cr"):
        difference = np.abs(planes[name].astype(int) - getattr(expected, name))
        # JPEG and two colour conversions lie between; a wrong layout would be off by tens.
        assert difference.mean() < 3, name


def test_a_camera_that_answers_with_another_size(rig):
    """640x480 is asked for."""
    rig.connect(400, 300)
    width, height, y_strides, _, _, stride = rig.python(PLANES)
    assert (width, height) == (400, 300)
    assert y_strides == [stride, 1]
    planes = np.load(rig.folder / "scene/planes.npz")
    assert planes["y"].shape == (300, 400)
    expected = cv2.resize(frame_from_bgr(rig.scene).y, (400, 300), interpolation=cv2.INTER_AREA)
    assert np.abs(planes["y"].astype(int) - expected).mean() < 6


def test_stop_and_start_again(rig):
    code = """
import itertools, json
from fer_edge.device.sources.picamera2 import Picamera2Source
indices = []
source = Picamera2Source()
for _ in range(3):
    indices.append([frame.index for frame in itertools.islice(source, 3)])
    source.close()
    source.close()
    source = source.reopen()
source.close()
print(json.dumps(indices))
"""
    assert rig.python(code) == [[0, 1, 2]] * 3


def test_a_camera_that_falls_silent_is_started_again(rig):
    """All buffers are taken away, so that no picture comes and a request for one never returns."""
    code = """
import itertools, json
from fer_edge.device.sources import grabber
from fer_edge.device.pipeline import Pipeline
from fer_edge.device.sources.picamera2 import Picamera2Source
from fer_edge.runtime import TFLiteModel
from fer_edge.shipped import shipped_models
grabber.SILENCE_TIMEOUT_S = 2.0
source = Picamera2Source()
with Pipeline(source, [TFLiteModel(shipped_models()["compact"])]) as pipeline:
    results = iter(pipeline)
    before = [next(results).frame.index for _ in range(3)]
    held = []
    try:
        while True:
            held.append(source._camera.capture_request(wait=1.0))
    except TimeoutError:
        pass
    after = [result.frame.index for result in itertools.islice(results, 5)]
    restarts = pipeline.counters.restarts
print(json.dumps([before, after, restarts]))
"""
    before, after, restarts = rig.python(code)
    assert restarts == 1
    assert len(after) == 5
    assert sorted(set(before + after)) == before + after


def test_no_camera_is_one_line_and_status_1(rig):
    rig.disconnect()
    result = rig.run("fer-edge", "run", "--source", "picamera2", "--frames", "5")
    assert result.returncode == 1
    assert result.stderr.startswith("Error: picamera2: no camera is connected")
    assert len(result.stderr.splitlines()) == 1


def test_a_camera_that_is_gone_when_it_is_opened_again(rig):
    code = """
import json, libcamera
from fer_edge.device.sources.picamera2 import Picamera2Source
from fer_edge.errors import SourceError
with Picamera2Source() as source:
    next(iter(source))
__import__("os").unlink("/usr/share/libcamera/pipeline/virtual/virtual.yaml")
try:
    source.reopen()
except SourceError as error:
    print(json.dumps(str(error)))
"""
    assert "no camera is connected" in rig.python(code)


def test_a_camera_that_another_program_holds(rig):
    code = """
import json
from fer_edge.device.sources.picamera2 import Picamera2Source
from fer_edge.errors import SourceError
with Picamera2Source():
    try:
        Picamera2Source()
    except SourceError as error:
        print(json.dumps(str(error)))
"""
    assert "does another program use it?" in rig.python(code)


def test_doctor_sees_the_camera(rig):
    result = rig.run("fer-edge", "doctor", "--json")
    findings = {finding["name"]: finding for finding in json.loads(result.stdout)["findings"]}
    assert findings["camera"]["status"] == "ok", findings["camera"]
    assert "640x480" in findings["camera"]["found"]
