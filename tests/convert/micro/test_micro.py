"""Sources for microcontrollers: what they hold, that they compile, and that TensorFlow Lite Micro agrees."""

import json
import re
import shutil
import subprocess

import numpy as np
import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from fer_edge.convert.export.allow_list import INT8_OPERATORS
from fer_edge.convert.micro.export import COMPILERS, check_micro, compiled_sections
from fer_edge.convert.micro.operators import REGISTERED, methods
from fer_edge.convert.micro.sources import HEADER, MODEL, OPERATORS, README, Parts, sources
from fer_edge.errors import ConversionError, FerEdgeError, OutputError
from fer_edge.model_file import ModelInfo, flatbuffer, read_info
from fer_edge.shipped import FOLDER, shipped_models
from fer_edge.train.data.demo import make_demo


def parts(**changed):
    """A network of a few bytes, whose sources are as good as any."""
    values = {
        "info": ModelInfo("mine", ("angry", 'a "b"\\', "žluť")),
        "sha256": "0" * 64,
        "flatbuffer": bytes(range(200)),
        "rows": 4,
        "columns": 4,
        "methods": ["AddConv2D", "AddSoftmax"],
        "arena_bytes": 21216,
        "output_scale": 1 / 256,
        "output_zero_point": -128,
        "inputs": np.arange(-16, 16, dtype=np.int8).reshape(2, 4, 4, 1),
        "outputs": np.array([[-128, 0, 127], [1, 2, 3]], np.int8),
    }
    return Parts(**values | changed)


TRY = """
#include <stdio.h>
#include "fer_model.h"
#include "fer_operators.h"
struct Resolver {{ int n; void AddConv2D() {{ ++n; }} void AddSoftmax() {{ ++n; }} }};
int main() {{
  Resolver resolver = {{0}};
  FerRegister(resolver);
  printf("%d %d %zu %zu %d %d %s|%s|%s %d %d %g", resolver.n, (int)kFerOperators, kFerModelBytes,
         (size_t)kFerModel % 16, kFerModel[199], (int)kFerArenaBytes, kFerLabel[0], kFerLabel[1], kFerLabel[2],
         kFerGoldenInput[1][15], kFerGoldenOutput[0][2], kFerOutputScale * 256);
}}
"""


@pytest.mark.skipif(not shutil.which("g++"), reason="needs g++")
def test_the_sources_say_in_c_what_they_were_made_of(tmp_path):
    for name, text in sources(parts()).items():
        (tmp_path / name).write_text(text)
    (tmp_path / "main.cc").write_text(TRY.format())
    command = ["g++", "-std=c++11", "-Wall", "-Wextra", "-Werror", *map(str, tmp_path.glob("*.cc")), "-o", "try"]
    subprocess.run(command, cwd=tmp_path, check=True)
    said = subprocess.run([tmp_path / "try"], capture_output=True, check=True).stdout.decode()
    # 21,216 bytes are 20.7 KB: rounded up to 21, and one more.
    assert said == '2 2 200 0 199 22528 angry|a "b"\\|žluť 15 127 1'


@pytest.mark.parametrize("name", COMPILERS)
def test_they_compile_for_a_board_too(name, tmp_path):
    if not shutil.which(COMPILERS[name][0]):
        pytest.skip(f"needs {COMPILERS[name][0]}")
    for file, text in sources(parts()).items():
        (tmp_path / file).write_text(text)
    sections = compiled_sections(tmp_path, name)
    assert sections["text"] >= 200
    assert sections["bss"] == 0
    (tmp_path / MODEL).write_text("no C")
    assert compiled_sections(tmp_path, name) == {}


def test_every_operator_that_conversion_makes_can_be_registered():
    assert set(REGISTERED) >= INT8_OPERATORS
    with pytest.raises(ConversionError, match=r"net\.tflite: .*found ERF, GATHER"):
        methods(["CONV_2D", "ERF", "GATHER"], "net.tflite")


def micro(*arguments):
    return CliRunner().invoke(main, ["micro", *map(str, arguments)])


def test_without_the_runtime_it_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "tflite_micro", None)
    result = micro("nano", tmp_path / "out")
    assert result.exit_code == 1
    assert "fer-edge[micro]" in result.stderr
    assert not (tmp_path / "out").exists()


def test_a_place_that_cannot_be_written_is_found_out_early(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "tflite_micro", object())
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "file", tmp_path / "file" / "deeper"):
        with pytest.raises(OutputError, match="which is a file"):
            check_micro(folder)
    check_micro(tmp_path)
    check_micro(tmp_path / "new" / "deeper")
    assert not (tmp_path / "new").exists()


def test_the_readme_says_what_a_crop_must_look_like():
    plain = sources(parts())[README]
    assert "as wide as its box" in plain
    assert "contrast" not in plain
    other = sources(parts(info=ModelInfo("mine", ("a", "b", "c"), contrast="clahe", framing="eyes")))[README]
    assert "turned upright" in other
    assert "createCLAHE(2.0, (4, 4))" in other


@pytest.fixture(scope="module")
def crops():
    return make_demo(training=0, public_test=60, private_test=0).split("PublicTest").images


class TestWithTheRuntime:
    """With the real TensorFlow Lite Micro."""

    @pytest.fixture(autouse=True)
    def runtime(self):
        pytest.importorskip("tflite_micro", reason="needs tflite-micro", exc_type=ImportError)

    def exported(self, model, images, folder):
        from fer_edge.convert.micro.export import export_micro

        path = FOLDER / f"{model}.tflite"
        return export_micro(path.read_bytes(), path, folder, images, "drawn faces")

    @pytest.mark.parametrize(("model", "most"), [("nano", 24 * 1024), ("compact", 42 * 1024)])
    def test_the_arena_is_measured_and_the_classes_agree(self, model, most, crops, tmp_path):
        report = self.exported(model, crops, tmp_path)
        assert 10_000 < report.arena_bytes < most
        assert report.flash_bytes == len(flatbuffer(shipped_models()[model].read_bytes()))
        # Kernels that round in another way change a class only where two are nearly equal.
        assert report.agreement > 0.9
        assert report.reference_agreement > 0.97
        assert report.largest_difference <= 16
        header, code = (tmp_path / HEADER).read_text(), (tmp_path / MODEL).read_text()
        assert f"kFerLabels = {len(read_info(shipped_models()[model]).labels)}" in header
        assert code.count(",") >= report.flash_bytes
        added = re.findall(r"resolver\.(\w+)\(\)", (tmp_path / OPERATORS).read_text())
        assert added == [REGISTERED[name] for name in report.operators]

    def test_the_face_networks_too(self, crops, tmp_path):
        report = self.exported("face-refiner", crops, tmp_path)
        assert report.agreement == report.reference_agreement == 1
        assert report.largest_difference <= 1

    def test_as_a_user_runs_it(self, tmp_path, monkeypatch):
        from fer_edge.train.data import load

        small = load.make_demo(training=10, public_test=20, private_test=0)
        monkeypatch.setattr(load, "make_demo", lambda: small)
        result = micro("nano", tmp_path / "out", "--json")
        assert result.exit_code == 0, result.output
        document = json.loads(result.stdout)
        assert document["images"] == 20
        assert {path.name for path in (tmp_path / "out").iterdir()} == set(sources(parts()))
        table = micro("nano", tmp_path / "out").stdout
        assert "KB of working memory" in table
        assert "CONV_2D" in table

    def test_what_is_no_int8_file_is_refused(self, tmp_path):
        path = tmp_path / "x.tflite"
        path.write_bytes(b"not a model")
        assert "expected a TFLite model" in micro(path, tmp_path / "out").stderr
        with pytest.raises(FerEdgeError, match="expected images of"):
            self.exported("nano", np.zeros((2, 32, 32), np.uint8), tmp_path)
