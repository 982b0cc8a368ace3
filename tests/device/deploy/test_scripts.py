"""The shell scripts, apart from any connection."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_edge.device.deploy.payload import Payload, make_payload, stage
from fer_edge.device.deploy.request import Request
from fer_edge.device.deploy.steps import plan, target_step

REQUEST = Request(Path("fer_edge-1.0-py3-none-any.whl"), service=True, run_options=("--jsonl", "it's $HOME.jsonl"))
PAYLOAD = Payload(
    {}, "", "fer_edge-1.0-py3-none-any.whl", "", False, "0123456789abcdef", "releases/0123456789abcdef/payload"
)
STEPS = (target_step(REQUEST), *plan(REQUEST, PAYLOAD))


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_scripts_are_posix_shell(step):
    result = subprocess.run(["sh", "-n"], input=step.script, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")


@settings(deadline=None, max_examples=30)
@given(share=st.floats(0, 0.99), number=st.integers(1, len(STEPS) - 1))
def test_half_a_script_does_nothing(tmp_path_factory, share, number):
    home = tmp_path_factory.mktemp("home")
    script = STEPS[number].script.rstrip()
    half = script[: int(len(script) * share)]
    subprocess.run(
        ["sh", "-s", "act"], input=half, env={"HOME": str(home)}, capture_output=True, text=True, check=False
    )
    assert list(home.iterdir()) == []


def test_a_whole_one_does_something(tmp_path):
    script = next(step.script for step in STEPS if step.name == "sync")
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    result = subprocess.run(
        ["sh", "-s", "act"], input=script, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "fer-edge/releases/0123456789abcdef/payload").is_dir()


def test_options_reach_the_command_as_they_are():
    script = next(step.script for step in STEPS if step.name == "activate")
    (line,) = [line for line in script.splitlines() if line.startswith("options=")]
    shell = f'{line}\neval "set -- $options"\nprintf "%s\\n" "$@"'
    result = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines() == ["--jsonl", "it's $HOME.jsonl"]


@pytest.mark.parametrize(
    ("options", "source"),
    [
        ((), ""),
        (("--skin", "off"), ""),
        (("--source", "1"), "1"),
        (("--source=demo", "--skin", "off"), "demo"),
        (("--source", "0", "--source", "1"), "1"),
        (("--source",), ""),
    ],
)
def test_the_doctor_is_asked_about_the_source_of_the_service(options, source):
    assert Request(REQUEST.wheel, run_options=options).source == source


def test_a_release_is_named_by_what_is_in_it(tmp_path):
    wheel, model, other = (tmp_path / name for name in ("fer_edge-1.0-py3-none-any.whl", "a.tflite", "b.whl"))
    for file in (wheel, model, other):
        file.write_text(file.name)
    names = [
        make_payload(wheel, None, None).release,
        make_payload(wheel, model, None).release,
        make_payload(wheel, None, []).release,
        make_payload(wheel, None, [other]).release,
    ]
    assert len(set(names)) == 4
    assert make_payload(wheel, model, None).release == names[1]
    wheel.write_text("changed")
    assert make_payload(wheel, None, None).release != names[0]


def test_files_are_staged_under_the_names_the_target_knows(tmp_path):
    wheel, model = tmp_path / "fer_edge-1.0-py3-none-any.whl", tmp_path / "my model.tflite"
    for file in (wheel, model):
        file.write_text(file.name)
    folder = tmp_path / "staged"
    folder.mkdir()
    payload = make_payload(wheel, model, None)
    stage(payload, folder)
    assert {path.name for path in folder.iterdir()} == {wheel.name, "model.tflite"}
    check = subprocess.run(["sha256sum", "--check"], cwd=folder, input=payload.sums, text=True, check=False)
    assert check.returncode == 0
