import pytest

from fer_edge import __version__
from fer_edge.device.doctor import model as checks
from fer_edge.device.doctor.finding import Finding, Status
from fer_edge.device.doctor.model import check_inference, check_model
from fer_edge.model_file import file_hash, flatbuffer, read_info, write_info


def test_model(machine, model_path):
    finding = check_model(machine.system, model_path)
    assert finding.status is Status.OK
    assert finding.found.startswith(f"{read_info(model_path).name}, 7 classes, 48x48 pixels, ")
    assert finding.found.endswith(f"SHA-256 {file_hash(model_path)}")


def test_no_model(machine):
    finding = check_model(machine.system, None)
    assert finding.status is Status.PROBLEM
    assert finding.advice.endswith(f"install --force-reinstall --no-deps fer_edge-{__version__}-py3-none-any.whl")
    assert check_inference(machine.system, None).status is Status.UNKNOWN


@pytest.mark.parametrize("kind", ["empty", "no model", "without labels"])
def test_a_model_that_is_none(machine, model_path, tmp_path, kind):
    path = tmp_path / "model.tflite"
    path.write_bytes(
        {"empty": b"", "no model": b"GIF89a" * 99, "without labels": flatbuffer(model_path.read_bytes())}[kind]
    )
    finding = check_model(machine.system, path)
    assert finding.status is Status.PROBLEM
    assert finding.found.startswith(str(path))
    assert "fer-edge convert --int8" in finding.advice
    assert check_inference(machine.system, path).status is Status.UNKNOWN


def test_inference(machine, model_path):
    machine.real_packages()
    finding = check_inference(machine.system, model_path)
    assert (finding.status, finding.found) == (Status.OK, "int8, works")


def test_a_torn_model(machine, model_path, tmp_path):
    machine.real_packages()
    path = tmp_path / "model.tflite"
    whole = model_path.read_bytes()
    body = len(flatbuffer(whole))
    path.write_bytes(whole[: body // 3] + bytes(body - body // 3) + whole[body:])
    finding = check_model(machine.system, path)
    assert finding.status is Status.PROBLEM
    assert "is damaged" in finding.found
    assert "copy it here again" in finding.advice
    write_info(path, read_info(path))  # torn before its checksum was taken
    finding = check_inference(machine.system, path)
    assert finding.status is Status.PROBLEM
    assert finding.advice


def test_inference_without_a_runtime(machine, model_path):
    finding = check_inference(machine.system, model_path)
    assert finding.status is Status.UNKNOWN
    assert finding.found == "not tried without numpy and a TFLite runtime"


def interpreter(dtype="int8", scores=(0, 0, 0, 0, 0, 0, 0), invoke="pass"):
    return f"""
import numpy as np
class OpResolverType:
    AUTO = BUILTIN_WITHOUT_DEFAULT_DELEGATES = None
class Interpreter:
    def __init__(self, **options):
        self.content = options["model_content"]
        self.picture = np.zeros((1, 48, 48, 1), np.{dtype})
    def allocate_tensors(self): pass
    def get_tensor_details(self):
        return []

    def get_input_details(self):
        return [{{"dtype": np.{dtype}, "shape": [1, 48, 48, 1], "index": 0, "quantization": (1 / 255, -128)}}]
    def get_output_details(self):
        return [{{"dtype": np.int8, "shape": [1, 7], "index": 1, "quantization": (1 / 256, -128)}}]
    def tensor(self, index): return lambda: self.picture
    def invoke(self): {invoke}
    def get_tensor(self, index): return np.array([{list(scores)}], np.int8)
"""


@pytest.fixture
def runtime(machine):
    """Put a TFLite runtime on the machine that behaves in a certain way."""

    def put(**behaviour):
        machine.real_packages()
        machine.module("ai_edge_litert")
        machine.module("ai_edge_litert.interpreter", interpreter(**behaviour))

    return put


@pytest.mark.parametrize(
    ("behaviour", "found", "advice"),
    [
        ({"dtype": "float32"}, "int8 input of 1x48x48x1, found float32", "fer-edge convert --int8"),
        ({"scores": [127] * 7}, "add up to 6.97", "fer-edge convert --int8"),
        ({"invoke": "import os, signal; os.kill(os.getpid(), signal.SIGILL)"}, "illegal instruction", "ai-edge-litert"),
        (
            {"invoke": "raise RuntimeError('Input tensor 16 lacks data')"},
            "tensor 16 lacks data",
            "convert the model again",
        ),
        ({"invoke": "raise SystemError('a result with an exception set')"}, "with an exception set", "ai-edge-litert"),
    ],
)
def test_an_inference_that_fails(machine, runtime, model_path, behaviour, found, advice):
    runtime(**behaviour)
    finding = check_inference(machine.system, model_path)
    assert finding.status is Status.PROBLEM
    assert found in finding.found
    assert advice in finding.advice


def test_a_file_that_the_runtime_crashes_on_alone_is_no_fault_of_the_runtime(machine, runtime, model_path, tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(model_path.read_bytes()[:-2] + b"\x09\0" + bytes(9))  # a comment at the end of the zip
    crash = "import os, signal; len(self.content) == {} and os.kill(os.getpid(), signal.SIGSEGV)"
    runtime(scores=(-128 + 256 // 7,) * 7, invoke=crash.format(path.stat().st_size))
    finding = check_inference(machine.system, path)
    assert finding.status is Status.PROBLEM
    assert "SIGSEGV" in finding.found
    assert "convert" in finding.advice
    assert "pip" not in finding.advice


@pytest.mark.parametrize("check", [check_model, check_inference])
def test_a_check_that_fails_itself_means_not_ready(machine, model_path, monkeypatch, check):
    def fail(*arguments):
        raise RuntimeError("something\nunforeseen")

    monkeypatch.setattr(checks, "check_tflite", fail)
    monkeypatch.setattr(checks, "ask", fail)
    if check is check_inference:
        monkeypatch.setattr(checks, "check_model", lambda *_: Finding("model", Status.OK, ""))
    finding = check(machine.system, model_path)
    assert finding.status is Status.PROBLEM
    assert "RuntimeError: something unforeseen" in finding.found
    assert finding.advice
