import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_edge.device.doctor.finding import Status
from fer_edge.device.doctor.packages import (
    check_cascade,
    check_numpy,
    check_opencv,
    check_runtime,
    find_installed,
    parse_version,
)

INSTALL = "install 'fer-edge[device]'"


@given(st.lists(st.integers(0, 10**6), max_size=5), st.sampled_from(["", ".dev0", "rc1", ".post1+local", "-x", "²"]))
def test_versions(numbers, rest):
    text = ".".join(map(str, numbers))
    assert parse_version(text) == tuple(numbers)
    parsed = parse_version(text + rest)
    assert parsed == tuple(numbers)[: len(parsed)]
    assert len(parsed) >= len(numbers) - 1


@pytest.fixture
def numpy(machine):
    """Put a numpy of a version on the machine."""

    def put(version):
        machine.module("numpy", f"__version__ = '{version}'\nuint8 = ndarray = floating = object")
        machine.metadata("numpy", version)

    return put


@pytest.fixture
def opencv(machine):
    """Put an OpenCV of a version on the machine."""

    def put(version, name="opencv-python-headless", code="class CascadeClassifier: pass"):
        machine.module("cv2", f"__version__ = '{version}'\n{code}")
        machine.metadata(name, version)

    return put


def run(check, machine):
    return check(machine.system, find_installed(machine.system))


# numpy


def test_numpy(machine, numpy):
    numpy("2.2.4")
    finding = run(check_numpy, machine)
    assert (finding.status, finding.found, finding.advice) == (Status.OK, "2.2.4", "")


def test_no_numpy(machine):
    finding = run(check_numpy, machine)
    assert (finding.status, finding.found) == (Status.PROBLEM, "it is not installed")
    assert finding.advice == f"{machine.system.pip} {INSTALL}"


def test_a_broken_numpy(machine):
    machine.module("numpy", "raise ImportError('libopenblas.so.0: cannot open shared object file')")
    machine.metadata("numpy", "2.4.6")
    finding = run(check_numpy, machine)
    assert finding.status is Status.PROBLEM
    assert "2.4.6" in finding.found
    assert "libopenblas.so.0" in finding.found
    assert finding.advice.endswith("install --force-reinstall --no-deps 'numpy==2.4.6'")


def test_a_broken_numpy_without_metadata(machine):
    machine.module("numpy", "import os, signal; os.kill(os.getpid(), signal.SIGILL)")
    finding = run(check_numpy, machine)
    assert "it is broken: illegal instruction" in finding.found
    assert finding.advice.endswith(INSTALL)


def test_a_broken_numpy_of_the_system(machine):
    folder = machine.root / "usr/lib/python3/dist-packages"
    machine.metadata("numpy", "1.24.2", folder)
    (folder / "numpy.py").write_text("raise ImportError('no')")
    machine.environ["PYTHONPATH"] += f":{folder}"
    assert run(check_numpy, machine).advice == "sudo apt install --reinstall python3-numpy"


@pytest.mark.parametrize(("own", "status"), [("2.4.6", Status.PROBLEM), ("1.26.4", Status.OK)])
def test_a_numpy_that_hides_the_systems(machine, numpy, tmp_path, own, status):
    system_packages = tmp_path / "dist-packages"
    machine.metadata("numpy", "1.24.2", system_packages)
    machine.environ["PYTHONPATH"] += f":{system_packages}"
    numpy(own)
    assert run(check_numpy, machine).status is Status.OK  # nobody minds
    machine.metadata("picamera2", "0.3.30", system_packages)
    finding = run(check_numpy, machine)
    assert finding.status is status
    if status is Status.PROBLEM:
        assert "hides the system's 1.24.2" in finding.found
        assert "uninstall -y numpy && " in finding.advice


# OpenCV


def test_opencv(machine, numpy, opencv):
    numpy("2.2.4")
    opencv("4.12.0.88")
    finding = run(check_opencv, machine)
    assert (finding.status, finding.found) == (Status.OK, "4.12.0.88 (opencv-python-headless)")


def test_opencv_of_the_system(machine):
    machine.module("cv2", "__version__ = '4.6.0'\nclass CascadeClassifier: pass")
    finding = run(check_opencv, machine)
    assert (finding.status, finding.found) == (Status.OK, "4.6.0 (the system's)")


def test_no_opencv(machine):
    finding = run(check_opencv, machine)
    assert (finding.status, finding.found) == (Status.PROBLEM, "it is not installed")
    assert finding.advice.endswith(INSTALL)


def test_two_opencvs(machine, opencv):
    opencv("4.12.0.88")
    machine.metadata("opencv-python", "4.11.0.86")
    finding = run(check_opencv, machine)
    assert finding.status is Status.PROBLEM
    assert "over each other" in finding.found
    words = finding.advice.split(" && ")[0].split()
    assert words[1:3] == ["uninstall", "-y"]
    assert set(words[3:]) == {"opencv-python", "opencv-python-headless"}
    assert finding.advice.endswith(INSTALL)


def test_opencv_5(machine, opencv):
    opencv("5.0.0.93", code="")
    finding = run(check_opencv, machine)
    assert finding.status is Status.WARNING
    assert "5.0.0.93 has no CascadeClassifier" in finding.found
    assert "face does not" in finding.found
    assert finding.advice.endswith(INSTALL)


def test_the_full_opencv_without_libgl(machine, opencv):
    libgl = "raise ImportError('libGL.so.1: cannot open shared object file: No such file or directory')"
    opencv("4.12.0.88", "opencv-python", libgl)
    finding = run(check_opencv, machine)
    assert finding.status is Status.PROBLEM
    assert "libGL.so.1" in finding.found
    assert "uninstall -y opencv-python && " in finding.advice


def test_the_systems_opencv_without_libgl(machine):
    machine.module("cv2", "raise ImportError('libGL.so.1: cannot open shared object file')")
    assert run(check_opencv, machine).advice == "sudo apt install libgl1"


def test_opencv_built_for_another_numpy(machine, opencv):
    opencv("4.9.0.80", code="raise ImportError('numpy.core.multiarray failed to import')")
    finding = run(check_opencv, machine)
    assert finding.status is Status.PROBLEM
    assert "opencv-python-headless 4.9.0.80 cannot be imported: numpy.core.multiarray" in finding.found
    assert finding.advice.endswith(INSTALL)


def test_opencv_that_crashes(machine, opencv):
    opencv("4.12.0.88", code="import os, signal; os.kill(os.getpid(), signal.SIGILL)")
    assert "illegal instruction" in run(check_opencv, machine).found


@pytest.mark.parametrize(
    ("cv2", "np", "status"),
    [
        ("4.12.0.88", "1.24.2", Status.WARNING),
        ("4.11.0.86", "1.24.2", Status.OK),
        ("4.12.0.88", "2.0.0", Status.OK),
    ],
)
def test_an_opencv_that_requires_numpy_2(machine, numpy, opencv, cv2, np, status):
    numpy(np)
    opencv(cv2)
    finding = run(check_opencv, machine)
    assert finding.status is status
    if status is Status.WARNING:
        assert "requires numpy 2, and numpy is 1.24.2" in finding.found
        assert finding.advice.endswith(INSTALL)


def test_opencv_without_numpy(machine, opencv):
    opencv("4.12.0.88", code="import numpy")
    finding = run(check_opencv, machine)
    assert finding.status is Status.UNKNOWN
    assert "without numpy" in finding.found


# TFLite runtime


def runtime(machine, package, version, code=""):
    machine.module(package)
    machine.module(f"{package}.interpreter", code)
    machine.metadata(package.replace("_", "-"), version)


@pytest.fixture
def typed_numpy(machine):
    """Put a numpy on the machine that is enough for fer-edge's own modules to be imported."""

    def put(version):
        machine.module("numpy", f"__version__ = '{version}'\nfrom builtins import *\nuint8 = float32 = object")
        machine.module("numpy.typing", "class NDArray:\n    def __class_getitem__(cls, item):\n        return cls")
        machine.metadata("numpy", version)

    return put


def test_runtime(machine, typed_numpy):
    typed_numpy("2.2.4")
    runtime(machine, "ai_edge_litert", "2.3.0")
    finding = run(check_runtime, machine)
    assert (finding.status, finding.found) == (Status.OK, "ai-edge-litert 2.3.0")


def test_tensorflow_as_runtime(machine, typed_numpy):
    typed_numpy("2.2.4")
    machine.module("tensorflow.lite.python.interpreter")
    machine.module("tensorflow")
    finding = run(check_runtime, machine)
    assert (finding.status, finding.found) == (Status.OK, "tensorflow of unknown version")


def test_no_runtime(machine, typed_numpy):
    typed_numpy("2.2.4")
    finding = run(check_runtime, machine)
    assert (finding.status, finding.found) == (Status.PROBLEM, "none is installed")
    assert finding.advice.endswith(INSTALL)


def test_a_runtime_without_numpy(machine):
    assert run(check_runtime, machine).status is Status.UNKNOWN


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import flatbuffers_that_is_gone", "No module named 'flatbuffers_that_is_gone'"),
        ("raise ImportError('libX.so: wrong ELF class')", "wrong ELF class"),
    ],
)
def test_a_broken_runtime(machine, typed_numpy, code, message):
    typed_numpy("2.2.4")
    runtime(machine, "ai_edge_litert", "2.3.0", code)
    finding = run(check_runtime, machine)
    assert finding.status is Status.PROBLEM
    assert "ai_edge_litert is installed but cannot be imported" in finding.found
    assert message in finding.found
    assert "--force-reinstall --no-deps 'ai-edge-litert==2.3.0' && " in finding.advice


def test_a_runtime_that_crashes(machine, typed_numpy):
    typed_numpy("2.2.4")
    runtime(machine, "ai_edge_litert", "2.3.0", "import os, signal; os.kill(os.getpid(), signal.SIGILL)")
    finding = run(check_runtime, machine)
    assert finding.status is Status.PROBLEM
    assert "illegal instruction" in finding.found


def test_a_broken_runtime_without_metadata(machine, typed_numpy):
    typed_numpy("2.2.4")
    machine.module("ai_edge_litert.interpreter", "raise OSError('torn')")
    assert run(check_runtime, machine).advice == f"{machine.system.pip} {INSTALL}"


def test_tflite_runtime_with_numpy_1(machine, typed_numpy):
    typed_numpy("1.24.2")
    runtime(machine, "tflite_runtime", "2.14.0")
    machine.set_python(version=(3, 11, 2))
    assert run(check_runtime, machine).found == "tflite-runtime 2.14.0"


@pytest.mark.parametrize(
    ("version", "np", "code", "why"),
    [
        ((3, 11, 2), "2.2.4", "", "numpy 1"),
        ((3, 12, 3), "1.26.4", "import tflite_runtime._wrapper_for_3_11", "Python 3.11"),
    ],
)
def test_tflite_runtime_where_it_does_not_fit(machine, typed_numpy, version, np, code, why):
    typed_numpy(np)
    runtime(machine, "tflite_runtime", "2.14.0", code)
    machine.set_python(version=version)
    finding = run(check_runtime, machine)
    assert finding.status is Status.PROBLEM
    assert why in finding.found
    assert finding.advice.endswith(INSTALL)
    # It hurts nobody beside its successor.
    runtime(machine, "ai_edge_litert", "2.3.0")
    assert run(check_runtime, machine).status is Status.OK


# The cascade


def test_cascade(machine):
    machine.real_packages()
    finding = check_cascade(machine.system)
    assert finding.status is Status.OK
    assert finding.found.endswith("haarcascade_frontalface_default.xml")


def test_a_cascade_that_is_not_there(machine):
    machine.changed_opencv("cv2.data.haarcascades = '/no'")
    finding = check_cascade(machine.system)
    assert finding.status is Status.PROBLEM
    assert "haarcascade_frontalface_default.xml is in none of /no" in finding.found
    assert finding.advice == "install it with: sudo apt install opencv-data"


def test_a_cascade_that_crashes(machine):
    machine.changed_opencv("import os; cv2.CascadeClassifier = lambda *_: os.abort()")
    finding = check_cascade(machine.system)
    assert finding.status is Status.PROBLEM
    assert "SIGABRT" in finding.found
    assert finding.advice.endswith(INSTALL)


def test_a_cascade_without_a_fitting_opencv(machine, opencv):
    assert check_cascade(machine.system).status is Status.UNKNOWN
    opencv("5.0.0.93", code="")
    assert check_cascade(machine.system).status is Status.UNKNOWN


# The list of packages


def test_a_damaged_installation_hides_nothing(machine, numpy):
    numpy("2.2.4")
    (machine.site / "opencv_python-1.dist-info").mkdir()
    (machine.site / "torn-1.dist-info").mkdir()
    (machine.site / "torn-1.dist-info" / "METADATA").write_text("\n\n\n")
    assert [package.name for package in find_installed(machine.system).packages] == ["numpy"]


def test_packages_that_cannot_be_listed(machine):
    machine.set_python(command=("/no/such/python",))
    with pytest.raises(RuntimeError, match="cannot be listed"):
        find_installed(machine.system)
