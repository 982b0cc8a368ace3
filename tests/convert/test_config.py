"""What a conversion may be told: each refusal names the option at fault."""

import subprocess
import sys
from pathlib import Path

import pytest

from fer_edge.convert.config import QAT_EPOCHS, ConvertConfig
from fer_edge.errors import ConfigError, FerEdgeError


@pytest.mark.parametrize(
    ("option", "settings", "message"),
    [
        ("model", {"model": None}, r"expected the \.keras file to convert, found none"),
        ("out", {"out": 3}, "expected a path, found int"),
        ("out", {"out": "model.bin"}, r"'model.bin': expected a name that ends in \.tflite"),
        ("data", {"data": None}, "expected the data set that the model was trained on, found none"),
        ("data", {"data": 5}, "expected a path or a Dataset, found int"),
        ("qat_epochs", {"qat_epochs": -1}, "expected a whole number of at least 0, found -1"),
        ("qat_epochs", {"qat_epochs": 1.5}, "expected a whole number of at least 0, found 1.5"),
        ("qat_epochs", {"qat_epochs": 0, "int8": False}, "a float file is not quantized"),
        ("seed", {"seed": 2**31}, "expected a whole number from 0 to 2000000000"),
        ("report", {"report": "model.tflite"}, "is the model itself"),
        ("report", {"report": "model.keras"}, "is the model itself"),
    ],
)
def test_a_refusal_names_the_option(option, settings, message):
    with pytest.raises(ConfigError, match=message) as refused:
        ConvertConfig(**{"model": "model.keras", "data": "demo"} | settings)
    assert refused.value.option == option
    assert f"`{option}`" in str(refused.value)
    assert isinstance(refused.value, FerEdgeError)


@pytest.mark.parametrize("settings", [{"ferplus": "fer2013new.csv"}, {"mapping": {"fear": ""}}])
def test_a_loaded_data_set_is_not_relabelled(tiny, settings):
    with pytest.raises(ConfigError, match="found a data set read already") as refused:
        ConvertConfig("model.keras", data=tiny, **settings)
    assert refused.value.option in settings


def test_what_is_not_said():
    config = ConvertConfig("runs/model.keras", data="demo")
    assert config.out_path == Path("runs/model.tflite")
    assert config.report_path == Path("runs/model.tflite.report.json")
    assert (config.epochs, config.quantization) == (QAT_EPOCHS, "int8 qat")
    assert ConvertConfig("m.keras", data="demo", int8=False).epochs == 0
    assert ConvertConfig("m.keras", data="demo", qat_epochs=0).quantization == "int8 ptq"


def test_the_command_says_its_help_without_tensorflow():
    code = (
        "import sys, fer_edge.convert.commands.convert; sys.exit('tensorflow' in sys.modules or 'numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
