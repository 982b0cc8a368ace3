"""The library's face: light to import, complete, documented with examples that run."""

import doctest
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

import fer_edge
from fer_edge.device.sources.demo import PORTRAIT
from fer_edge.labels import EXPRESSIONS
from fer_edge.lazy import load
from fer_edge.model_file import ModelInfo, write_info
from fer_edge.train.zoo.registry import find_architecture

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()

LIGHT = """
import sys, resource, fer_edge
used = resource.getrusage(resource.RUSAGE_SELF)
fer_edge.FerEdgeError
print(used.ru_utime + used.ru_stime, sorted({"numpy", "cv2", "click", "keras", "tensorflow"} & set(sys.modules)))
"""


def python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_the_import_is_light():
    used, heavy = python(LIGHT).split(" ", 1)
    assert float(used) < 0.05
    assert heavy.strip() == "[]"


def test_the_device_needs_nothing_of_the_workstation():
    code = "import sys, fer_edge; list(fer_edge.run('demo', frames=1)); print({'click', 'keras'} & set(sys.modules))"
    assert python(code).strip() == "set()"


def test_names_are_listed_and_others_are_none():
    assert set(fer_edge.__all__) == set(fer_edge.NAMES) <= set(dir(fer_edge))
    assert fer_edge.__all__ == sorted(fer_edge.__all__)
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = fer_edge.no_such_name


@pytest.mark.parametrize("name", fer_edge.NAMES)
def test_each_name_is_there_and_can_be_called(name):
    found = getattr(fer_edge, name)
    assert callable(found)
    assert found is getattr(fer_edge, name)


@pytest.mark.parametrize("name", ["train", "convert"])
def test_a_package_is_called_as_its_function_and_stays_a_package(name):
    code = f"import fer_edge.{name}.api as api, fer_edge; print(fer_edge.{name}.api is api, callable(fer_edge.{name}))"
    assert python(code).strip() == "True True"
    with pytest.raises(TypeError, match="missing"):
        getattr(fer_edge, name)()


def documented(name):
    """Return what holds the documentation of a public name."""
    found = getattr(fer_edge, name)
    return load(found.CALLED) if inspect.ismodule(found) else found


def sections(name):
    found = documented(name)
    texts = [found.__doc__]
    if inspect.isclass(found):
        texts += [member.__doc__ or "" for key, member in vars(found).items() if inspect.isfunction(member)]
    return "\n".join(texts)


@pytest.mark.parametrize("name", sorted({*fer_edge.NAMES} - {"FerEdgeError"}))
def test_each_name_says_what_it_takes_raises_and_shows_an_example(name):
    text = sections(name)
    for section in ("Raises:", "Example:"):
        assert section in text
    assert "Args:" in text or "Attributes:" in text
    assert "+SKIP" not in text


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder to work in, with a photo."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "photo.jpg").write_bytes(PORTRAIT.read_bytes())
    return tmp_path


DEVICE = ["FaceReader", "RunConfig", "benchmark", "load_model", "read_image", "run"]


@pytest.mark.parametrize("name", DEVICE)
def test_the_example_runs(name, folder):
    assert example(documented(name), name) > 0


def test_the_example_of_conversion_runs(folder):
    """Those of training and evaluation run in tests/train/test_api.py."""
    rng = np.random.default_rng(0)
    for label in EXPRESSIONS:
        (folder / "faces" / label).mkdir(parents=True)
        for number in range(12):
            cv2.imwrite(str(folder / "faces" / label / f"{number}.png"), rng.integers(0, 256, (48, 48), np.uint8))
    (folder / "run").mkdir()
    find_architecture("nano").build(48, len(EXPRESSIONS), 0.0).save(folder / "run" / "model.keras")
    write_info(folder / "run" / "model.keras", ModelInfo("nano", EXPRESSIONS))
    assert example(documented("convert"), "convert") > 0


def example(found, name):
    """Run the examples of a public name; return how many there were."""
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for test in doctest.DocTestFinder(recurse=inspect.isclass(found)).find(found, name, globs={}):
        runner.run(test)
    outcome = runner.summarize(verbose=False)
    assert outcome.failed == 0
    return outcome.attempted


def test_the_program_of_the_readme_runs(folder, capsys):
    section = README.partition("### From Python\n")[2]
    lines = [line[4:] for line in re.search(r"\n((?:    .*\n)+)", section)[1].splitlines()]
    assert len(lines) == 10
    exec("\n".join(lines), {})
    printed = capsys.readouterr().out
    assert "happy" in printed
    assert json.dumps(list(fer_edge.load_model().info.labels))[1:8].strip('"') in printed
