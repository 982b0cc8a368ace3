"""Optional packages: absent is explained, broken is not hidden."""

import os
import subprocess
import sys

import pytest

from fer_edge.errors import ConfigError, MissingExtraError
from fer_edge.lazy import CallablePackage, load, require


def test_an_absent_package_names_its_extra():
    with pytest.raises(MissingExtraError, match=r"'no_such_package'.*pip install 'fer-edge\[device\]'"):
        require("no_such_package", "device")


def test_a_broken_package_shows_its_own_error(tmp_path, monkeypatch):
    (tmp_path / "broken_package.py").write_text("import another_missing_one")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="another_missing_one"):
        require("broken_package", "train")
    assert "broken_package" not in sys.modules


def test_a_target_is_a_module_or_an_attribute_of_one():
    assert load("fer_edge.lazy:load") is load
    assert load("fer_edge.lazy").load is load


def test_a_package_that_is_called_imports_its_function_then():
    package = CallablePackage("package")
    package.CALLED = "builtins:max"
    assert package(3, 7) == 7
    assert package([1, -5], key=abs) == -5


@pytest.mark.parametrize("name", ["PIXELS", "WIDTH", "HEIGHT"])
@pytest.mark.parametrize("value", ["abc", "", "9" * 30, "-1", "5b", "\x1b[2J"])
def test_a_limit_that_opencv_would_end_the_process_for_is_refused(monkeypatch, name, value):
    monkeypatch.setenv(f"OPENCV_IO_MAX_IMAGE_{name}", value)
    with pytest.raises(ConfigError, match=f"OPENCV_IO_MAX_IMAGE_{name}: expected a number") as refused:
        require("cv2", "device")
    assert str(refused.value).isprintable()


@pytest.mark.parametrize("value", ["1000000", "64MB", "5kb"])
def test_a_limit_that_opencv_reads_passes(monkeypatch, value):
    monkeypatch.setenv("OPENCV_IO_MAX_IMAGE_PIXELS", value)
    require("cv2", "device")


@pytest.mark.parametrize("command", [["run", "--source", "demo", "--frames", "1"], ["serve", "18931"]])
def test_every_command_says_so_in_one_line(command):
    done = subprocess.run(
        [sys.executable, "-m", "fer_edge", *command],
        env=os.environ | {"OPENCV_IO_MAX_IMAGE_PIXELS": "abc"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Error: OPENCV_IO_MAX_IMAGE_PIXELS: expected a number")
    assert len(done.stderr.splitlines()) == 1
