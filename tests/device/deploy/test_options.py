"""Wrong usage: refused with status 2 before anything happens."""

import posixpath

import pytest
from click import BadParameter
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_edge.cli import main
from fer_edge.device.commands.deploy import HostName, RunOptions, TargetFolder


def run(*arguments):
    return CliRunner().invoke(main, ["deploy", *map(str, arguments)])


@pytest.mark.parametrize("host", ["pi", "pi@raspberrypi.local", "user.name@10.0.0.7", "pi@fe80::1%eth0", "a-b_c@d-e"])
def test_takes_hosts(host):
    assert HostName().convert(host, None, None) == host


@pytest.mark.parametrize(
    "host", ["", "-oProxyCommand=x", "pi@", "pi@-x", "-l@x", "a b", "pi@host:22/", "ssh://pi", "a;b"]
)
def test_refuses_what_is_no_host(host):
    result = run("--", host)
    assert result.exit_code == 2
    assert "is no USER@HOST" in result.stderr


@pytest.mark.parametrize(
    ("host", "advice"),
    [
        ("pi@door:2222", "write 'Host door' and 'Port 2222' into ~/.ssh/config, then name pi@door"),
        ("door:2222", "write 'Host door' and 'Port 2222' into ~/.ssh/config, then name door"),
        ("ssh://pi@door:2222/", "write 'Host door' and 'Port 2222' into ~/.ssh/config, then name pi@door"),
        ("ssh://pi@door", "it has a scheme; write pi@door"),
        ("https://door", "it has a scheme; write door"),
        ("pi@door:fer-edge", "the folder on the target is --path"),
        ("pi@door/fer-edge", "the folder on the target is --path"),
        ("pi@[fe80::1]", "write pi@fe80::1, without brackets"),
        ("pi:s3cret@door", "the login needs a key; write pi@door"),
        ("ssh://pi:s3cret@door", "it has a scheme; write pi@door"),
    ],
)
def test_says_how_a_host_is_written(host, advice):
    result = run(host)
    assert result.exit_code == 2
    assert advice in " ".join(result.stderr.split())
    assert "s3cret" not in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("pi", "--run-options", "--skin off"),
        ("pi", "--service", "--run-options", "--skin 'off"),
        ("pi", "--service", "--run-options", "a\nb"),
        ("pi", "--path", "fer-edge"),
        ("pi", "--path", "~/../x"),
        ("pi", "--path", "/a b"),
        ("pi", "--path", "~"),
        ("pi", "--model", "no-such-model"),
        ("pi", "--wheel", "no-such.whl"),
        ("pi", "--ssh-config", "no-such-file"),
        ("pi", "--ansible", "play.yml"),
        ("--ansible", "play.yml", "--dry-run"),
        ("--ansible", "play.yml", "--wheelhouse", "house"),
    ],
)
def test_wrong_usage(arguments):
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""


def test_a_model_that_is_none_is_refused_here(tmp_path):
    model = tmp_path / "text.tflite"
    model.write_text("no model")
    result = run("pi", "--model", model)
    assert result.exit_code == 1
    assert "text.tflite: expected a TFLite model" in result.stderr


@settings(deadline=None, max_examples=200)
@given(st.text(st.characters(codec="utf-8"), max_size=20).map("~/".__add__) | st.text("~/.ab ;$'\n", max_size=12))
def test_only_folders_that_need_no_quotes_pass(value):
    try:
        folder = TargetFolder().convert(value, None, None)
    except BadParameter:
        return
    assert folder.startswith(("~/", "/"))
    assert posixpath.normpath(folder).strip("/") not in ("", "~", ".")
    assert not set(folder) & set(" ;$'\"\\\n*?&|<>()")
    assert ".." not in folder.split("/")


def test_options_are_split_like_a_shell_does():
    assert RunOptions().convert("--jsonl 'a b' --skin off", None, None) == ("--jsonl", "a b", "--skin", "off")


def test_help_is_quick_to_read():
    result = run("--help")
    assert result.exit_code == 0
    assert "the login must need no password" in " ".join(result.stdout.split())


def test_help_says_that_a_model_may_be_named():
    assert "A shipped model by its name" in " ".join(run("--help").stdout.split())
