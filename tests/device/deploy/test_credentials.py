"""Passwords of cameras, brokers and pages: in the unit of a service, in what is printed, in files."""

import stat
import subprocess

import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from fer_edge.device.deploy.credentials import environment_file, split_off
from fer_edge.device.deploy.payload import make_payload
from fer_edge.device.deploy.request import DeployConfig, Request
from fer_edge.device.deploy.steps import plan
from tests.device.deploy.lab import TOOLS

CAMERA = "rtsp://gardener:s3c$ret'\"@cam/1"
BROKER = "mqtt://gardener:s3cret@broker/home/desk"
OPTIONS = ("--skin", "off", "--source", CAMERA, f"--mqtt={BROKER}", "--token", "s3cret" * 3, "--loop")


def test_what_holds_a_password_becomes_a_variable():
    kept, secrets = split_off(OPTIONS)
    assert kept == ("--skin", "off", "--loop")
    assert secrets == {"FER_EDGE_SOURCE": CAMERA, "FER_EDGE_MQTT": BROKER, "FER_EDGE_TOKEN": "s3cret" * 3}


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        (("--source", "0", "--mqtt", "mqtt://broker/a"), ("--source", "0", "--mqtt", "mqtt://broker/a")),
        (("--source", CAMERA, "--source", "0"), ("--source", "0")),
        (("--source",), ("--source",)),
        ((), ()),
    ],
)
def test_what_holds_none_stays_as_it_is(options, kept):
    assert split_off(options) == (kept, {})
    assert environment_file({}) == ""


def test_the_last_of_several_counts():
    assert split_off(("--source=0", "--loop", "--source", CAMERA)) == (("--loop",), {"FER_EDGE_SOURCE": CAMERA})


def test_nothing_shows_them_in_a_traceback(tmp_path):
    assert "s3c" not in repr(Request(tmp_path, run_options=OPTIONS)) + repr(DeployConfig(("pi",), None, True, OPTIONS))


WORDS = "--skin off --source 'rtsp://gardener:s3c$ret@cam/1' --mqtt=mqtt://gardener:s3cret@broker/a --loop"


class Machine:
    """A target whose steps are run here, without ssh; systemd and sudo are played."""

    def __init__(self, home, wheel):
        self.home, self._wheel = home, wheel
        for folder in ("bin", "systemd", "units"):
            (home / folder).mkdir()
        for name in ("sleep", "sync", "id", "sudo", "journalctl", "systemctl"):
            (home / "bin" / name).write_text(f"#!/bin/sh\n{TOOLS[name]}\n")
            (home / "bin" / name).chmod(0o755)
        (home / "systemd/system").write_text("running\n")
        self.unit, self.secrets = home / "units/fer-edge.service", home / "units/fer-edge.env"

    def run(self, name, action, *options, stays_up=True):
        """Run a step of a deployment with these options of the service."""
        payload = make_payload(self._wheel, None, None)
        program = self.home / "fer-edge/releases" / payload.release / "venv/bin/fer-edge"
        program.parent.mkdir(parents=True, exist_ok=True)
        program.write_text(
            f'#!/bin/sh\necho "$@" >>$HOME/commands\n[ -z "$NOTIFY_SOCKET" ] || exit {int(not stays_up)}\n'
        )
        program.chmod(0o755)
        (step,) = (s for s in plan(Request(self._wheel, service=True, run_options=options), payload) if s.name == name)
        environment = {"HOME": str(self.home), "PATH": f"{self.home}/bin:/usr/bin:/bin"}
        return subprocess.run(
            ["sh", "-s", action], input=step.script, env=environment, capture_output=True, text=True, check=False
        )


@pytest.fixture
def machine(tmp_path, wheels):
    return Machine(tmp_path, wheels("1.0"))


def test_the_unit_shows_none_and_a_file_of_roots_holds_them(machine):
    done = machine.run("activate", "act", *OPTIONS)
    assert done.returncode == 0, done.stderr
    assert "run --skin off --loop\n" in machine.unit.read_text()
    assert "EnvironmentFile=-/etc/fer-edge.env\n" in machine.unit.read_text()
    assert 'FER_EDGE_SOURCE="rtsp://gardener:s3c\\$ret\'\\"@cam/1"\n' in machine.secrets.read_text()
    assert stat.S_IMODE(machine.secrets.stat().st_mode) == 0o600
    others = [path for path in machine.home.rglob("*") if path.is_file() and path != machine.secrets]
    assert not [path for path in others if b"s3c" in path.read_bytes()]
    assert "s3c" not in done.stdout + done.stderr
    assert machine.run("activate", "check", *OPTIONS).returncode == 0


def test_a_new_password_is_a_change_and_none_takes_the_file_away(machine):
    machine.run("activate", "act", *OPTIONS)
    assert machine.run("activate", "check", "--source", "rtsp://gardener:new@cam/1").returncode == 1
    assert machine.run("activate", "check", "--source", "0").returncode == 1
    assert machine.run("activate", "act", "--source", "0").returncode == 0
    assert not machine.secrets.exists()
    assert machine.run("activate", "check", "--source", "0").returncode == 0


def test_what_does_not_stay_up_leaves_the_passwords_of_before(machine):
    machine.run("activate", "act", *OPTIONS)
    before = machine.secrets.read_text()
    for options in (("--token", "newt0kennewt0ken"), ("--source", "0")):
        assert machine.run("activate", "act", *options, stays_up=False).returncode != 0
        assert machine.secrets.read_text() == before
        assert "--skin off" in machine.unit.read_text()


def test_a_first_service_that_does_not_stay_up_leaves_no_password(machine):
    assert machine.run("activate", "act", *OPTIONS, stays_up=False).returncode != 0
    assert not machine.secrets.exists()


def test_doctor_is_asked_about_the_camera_without_its_password_on_the_command_line(machine):
    machine.run("doctor", "act", *OPTIONS)
    commands = (machine.home / "commands").read_text()
    assert "doctor --json" in commands
    assert "s3c" not in commands


def test_a_dry_run_shows_none(wheels):
    payload = make_payload(wheels("1.0"), None, None)
    for step in plan(Request(wheels("1.0"), service=True, run_options=OPTIONS), payload):
        assert "s3c" not in step.body


def test_scripts_of_a_playbook_are_their_owners(tmp_path, wheels):
    playbook = tmp_path / "play.yml"
    arguments = ["deploy", "--ansible", playbook, "--wheel", wheels("1.0"), "--service", "--run-options", WORDS]
    done = CliRunner().invoke(main, list(map(str, arguments)))
    assert done.exit_code == 0, done.output
    scripts = list((tmp_path / "play-files").glob("*.sh"))
    assert any("s3c" in script.read_text() for script in scripts)
    assert {stat.S_IMODE(script.stat().st_mode) for script in scripts} == {0o600}
    assert "s3c" not in playbook.read_text() + done.output


def test_options_that_are_no_words_are_not_quoted():
    done = CliRunner().invoke(main, ["deploy", "pi", "--service", "--run-options", "--source 'rtsp://a:s3cret@cam"])
    assert done.exit_code == 2
    assert "cannot be split into words" in done.output
    assert "s3c" not in done.output
