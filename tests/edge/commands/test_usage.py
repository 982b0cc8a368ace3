"""A configuration's refusal is wrong usage on the command line, in the words of its options."""

import click
import pytest
from click.testing import CliRunner

from fer_edge.commands.types import ModelPath
from fer_edge.commands.usage import as_usage_error
from fer_edge.errors import ConfigError, FerEdgeError
from fer_edge.shipped import shipped_models


def refused_by(error):
    @click.command()
    @click.option("--tls-cert", "-c")
    @click.option("--model", "models", multiple=True)
    def command(tls_cert, models):
        with as_usage_error():
            raise error

    return CliRunner().invoke(command)


def test_settings_get_the_names_that_were_typed():
    result = refused_by(ConfigError("tls_cert", "`tls_cert` and `models` do not go with `other`; leave one out"))
    assert result.exit_code == 2
    assert "Error: --tls-cert and --model do not go with `other`; leave one out" in result.stderr


def test_other_errors_pass():
    error = FerEdgeError("something else")
    assert refused_by(error).exception is error


@pytest.mark.parametrize("name", shipped_models())
def test_a_model_by_its_name(name):
    assert ModelPath().convert(name, None, None) == shipped_models()[name]


def test_a_model_by_its_path(tmp_path):
    file = tmp_path / "own.tflite"
    file.touch()
    assert ModelPath().convert(str(file), None, None) == file
    with pytest.raises(click.BadParameter, match=r"'absent' is neither a file nor a shipped model \(compact"):
        ModelPath().convert("absent", None, None)
