"""The real package, with what it needs from the package index; run with ``scripts/test -m slow``."""

import json

import pytest

from fer_edge.device.deploy.target import Target
from fer_edge.device.deploy.wheel import provide_wheel
from fer_edge.device.deploy.wheelhouse import fill_wheelhouse

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return provide_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    return tmp_path_factory.mktemp("house")


def skip_without_index(text):
    if "No matching distribution" in text or "package index" in text:
        pytest.skip("the package index cannot be reached")


@pytest.mark.parametrize("offline", [False, True], ids=["index", "wheelhouse"])
def test_it_passes_the_doctor_and_ten_frames(lab, deploy, wheel, house, model_path, offline):
    name = "real-offline" if offline else "real"
    pi = lab.target(name)
    result = deploy(
        name, "--wheel", wheel, "--model", model_path, *(("--wheelhouse", house) if offline else ()), "--json"
    )
    skip_without_index(result.stderr)
    assert result.exit_code == 0, result.output
    demo = json.loads((pi.root / "current/venv/fer-edge.demo.json").read_text())
    assert demo["frames"] == 10
    assert demo["models"] == [str((pi.root / "current").resolve() / "payload/model.tflite")]
    assert len(list((pi.root / "current/payload").glob("numpy-*.whl"))) == offline


@pytest.mark.parametrize(("python", "release"), [("3.11", "12"), ("3.13", "13")])
def test_a_raspberry_pi_gets_wheels_for_its_processor_and_python(wheel, house, python, release):
    pi = Target("/home/pi/fer-edge", "aarch64", python, release, "Debian", "Raspberry Pi", "")
    names = [path.name for path in fill_wheelhouse(house, wheel, pi)]
    by_package = {name.split("-")[0]: name for name in names}
    tag = f"cp{python.replace('.', '')}"
    assert f"-{tag}-{tag}-" in by_package["ai_edge_litert"]
    assert f"-{tag}-{tag}-" in by_package["numpy"]
    assert {"click", "opencv_python_headless"} <= set(by_package)
    assert all("aarch64" in name or name.endswith("-none-any.whl") for name in names)
    old = release == "12"
    assert by_package["numpy"].startswith("numpy-1." if old else "numpy-2.")
    assert by_package["opencv_python_headless"].startswith("opencv_python_headless-4.11.") == old
