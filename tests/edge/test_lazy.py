"""Optional packages: absent is explained, broken is not hidden."""

import sys

import pytest

from fer_edge.errors import MissingExtraError
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
