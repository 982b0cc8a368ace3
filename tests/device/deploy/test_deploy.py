"""Whole deployments, over a real ssh connection."""

import json
import shutil
import threading
import time

import pytest

from fer_edge.device.deploy.fleet.at_once import deploy as deploy_to
from fer_edge.device.deploy.request import Request


def states(result):
    (host,) = json.loads(result.stdout)["hosts"]
    return {step["name"]: step["state"] for step in host["steps"]}


def error(result):
    assert result.exit_code == 1, result.output
    lines = result.stderr.splitlines()
    assert [line for line in lines if line.startswith("Error: ")] == lines[-1:]
    return lines[-1]


def wait_for(condition):
    for _ in range(1200):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it did not come about within a minute")


def test_installs_then_transfers_nothing_then_keeps_one_release_before(lab, deploy, wheels):
    pi = lab.target("story")
    first = ("--wheel", wheels("1.0"), "story")
    before = pi.files()
    plan = deploy(*first, "--dry-run")
    assert plan.exit_code == 0, plan.output
    assert 'python3 -m venv --system-site-packages "$venv"' in plan.stdout
    assert pi.files() == before

    done = deploy(*first, "--json")
    assert done.exit_code == 0, done.output
    assert set(states(done).values()) == {"ok", "done", "already"}
    assert pi.version() == "1.0"
    one = pi.current
    (document,) = json.loads(done.stdout)["hosts"]
    assert (document["state"], document["release"]) == ("deployed", one)
    assert document["sent"] > wheels("1.0").stat().st_size / 2

    before = pi.files()
    again = deploy(*first)
    assert again.exit_code == 0, again.output
    assert again.stdout.splitlines()[1].split()[:4] == ["story", "unchanged", one, "nothing"]
    assert {"sync already", "install already"} <= {line.partition(": ")[2] for line in again.stderr.splitlines()}
    changed = {path for path, what in pi.files().items() if before.get(path) != what}
    assert {path.name for path in changed} <= {".deploy.lock", ".step.lock"}

    assert deploy("--wheel", wheels("2.0"), "story").exit_code == 0
    two = pi.current
    assert pi.releases == {one, two}
    assert deploy("--wheel", wheels("3.0"), "story").exit_code == 0
    assert pi.releases == {two, pi.current}
    assert pi.version() == "3.0"

    back = deploy("--wheel", wheels("2.0"), "story", "--json")
    assert pi.current == two
    assert [name for name, state in states(back).items() if state == "done"] == ["activate"]
    assert (pi.root / "previous").readlink().name in pi.releases - {two}


def test_a_service_that_does_not_stay_up_is_rolled_back(lab, deploy, wheels):
    pi = lab.target("rollback")
    broken = ("--wheel", wheels("2.1", "crashes"), "rollback", "--service")
    line = error(deploy(*broken))
    assert "the service does not stay up (Error: no camera delivers pictures); there was no service before" in line
    assert (pi.current, pi.running) == (None, None)
    assert not (pi.home / "systemd/enabled").exists()
    assert not (pi.home / "units/fer-edge.service").exists()

    options = ("--wheel", wheels("1.0"), "rollback", "--service", "--run-options", "--skin off")
    assert deploy(*options).exit_code == 0
    good = pi.current
    unit = (pi.home / "units/fer-edge.service").read_text()
    assert f"ExecStart={pi.root}/current/venv/bin/fer-edge run --skin off\n" in unit
    assert pi.running == good

    line = error(deploy(*broken, "--run-options", "--skin static"))
    assert f"rolled back to {good}, which runs" in line
    assert (pi.current, pi.running) == (good, good)
    assert (pi.home / "units/fer-edge.service").read_text() == unit
    assert "rollback: sync already" in deploy(*options).stderr

    # Refused before the switch: the service is not even restarted.
    pid = (pi.home / "systemd/pid").read_text()
    assert "refuses the --run-options: Error: No such option" in error(deploy(*options[:-1], "--no-such-option"))
    assert "camera: no lens -> add one" in error(deploy("--wheel", wheels("2.2", "ill"), "rollback"))
    assert "expected ten frames of the built-in film, found 3" in error(
        deploy("--wheel", wheels("2.3", "lazy"), "rollback")
    )
    assert (pi.current, pi.running) == (good, good)
    assert (pi.home / "systemd/pid").read_text() == pid

    # Without --service a service that is there is restarted all the same, with its options.
    assert deploy("--wheel", wheels("3.0"), "rollback").exit_code == 0
    assert pi.running == pi.current != good
    assert (pi.home / "units/fer-edge.service").read_text() == unit


def test_a_connection_that_is_cut_before_a_step_leaves_the_old_version(lab, deploy, wheels):
    pi = lab.target("cut")
    assert deploy("--wheel", wheels("1.0"), "cut", "--service").exit_code == 0
    old = pi.running
    request = Request(wheels("2.0"), service=True)
    for step in ("clean", "sync", "venv", "install", "doctor", "demo", "activate"):

        def report(host, name, state, step=step):
            if (name, state) == (step, "..."):
                lab.cut()

        (result,) = deploy_to(["cut"], request, config=lab.config, report=report)
        assert not result.ok
        assert "the connection was lost" in result.error
        assert result.steps[-1].name == step
        assert (pi.current, pi.running) == (old, old)
        assert pi.version() == "1.0"
    # What was done is not done again.
    done = deploy("--wheel", wheels("2.0"), "cut", "--service", "--json")
    assert [name for name, state in states(done).items() if state == "done"] == ["activate"]
    assert pi.running == pi.current != old


def cut_when(lab, file):
    def watch():
        wait_for(file.exists)
        lab.cut()

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


@pytest.mark.skipif(not shutil.which("rsync"), reason="needs rsync")
def test_a_connection_that_is_cut_during_work_leaves_no_half_of_it(lab, deploy, wheels):
    pi = lab.target("half")
    assert deploy("--wheel", wheels("1.0"), "half", "--service").exit_code == 0
    old = pi.running

    pi.tool("rsync", f'touch "$HOME/sync-began"; /bin/sleep 1; exec {shutil.which("rsync")} "$@"')
    watch = cut_when(lab, pi.home / "sync-began")
    line = error(deploy("--wheel", wheels("2.0"), "half"))
    watch.join()
    assert "the connection was lost" in line
    assert (pi.current, pi.running) == (old, old)

    watch = cut_when(lab, pi.home / "doctor-began")
    line = error(deploy("--wheel", wheels("2.4", "slow-doctor"), "half"))
    watch.join()
    assert "the connection was lost" in line
    assert (pi.current, pi.running) == (old, old)
    # The doctor goes on alone; the next deployment of another version waits for it, and clears its release away.
    assert deploy("--wheel", wheels("1.0"), "half").exit_code == 0
    assert pi.releases == {old}

    restart = (
        (pi.home / "bin/systemctl").read_text().replace("date +%N", f"touch {pi.home}/began; /bin/sleep 1; date +%N")
    )
    pi.tool("systemctl", restart.removeprefix("#!/bin/sh\n"))
    watch = cut_when(lab, pi.home / "began")
    line = error(deploy("--wheel", wheels("2.1", "crashes"), "half"))
    watch.join()
    assert "the connection was lost" in line
    # Nobody watches, and it goes back to the old version all the same.
    wait_for(lambda: pi.running == old == pi.current)
    assert "unchanged" in deploy("--wheel", wheels("1.0"), "half").stdout


def test_several_machines_at_once(lab, deploy, wheels):
    pis = [lab.target(f"fleet-{number}") for number in range(2)]
    lab.host("fleet-gone", 1, lab.folder / "key-fleet-0")
    hosts = ["fleet-0", "fleet-gone", "fleet-1", "fleet-0"]
    result = deploy("--wheel", wheels("1.0"), *hosts)
    assert result.exit_code == 1
    rows = [line.split() for line in result.stdout.splitlines()]
    assert [row[:2] for row in rows] == [
        ["host", "result"],
        ["fleet-0", "deployed"],
        ["fleet-gone", "failed"],
        ["fleet-1", "deployed"],
    ]
    assert result.stderr.splitlines()[-1].startswith("Error: fleet-gone: it is there but has no ssh server")
    assert [pi.version() for pi in pis] == ["1.0", "1.0"]


def test_files_go_through_tar_where_there_is_no_rsync(lab, deploy, wheels, tmp_path, model_path):
    pi = lab.target("tar")
    login = (pi.home / "bin/login").read_text().removeprefix("#!/bin/sh\n")
    pi.tool("login", login.replace("/usr/bin:/bin", f"{pi.home}/few"))
    (pi.home / "few").mkdir()
    tools = (
        "awk cat chmod cmp cp cut date df dirname env flock grep install ln ls mkdir mv readlink rm sed sh sha256sum"
    )
    for tool in [*tools.split(), "tail", "tar", "timeout", "touch", "tr", "uname"]:
        (pi.home / "few" / tool).symlink_to(shutil.which(tool))
    result = deploy("--wheel", wheels("1.0"), "--model", model_path, "tar", "--json")
    assert result.exit_code == 0, result.output
    payload = pi.root / "current/payload"
    assert {path.name for path in payload.iterdir()} == {wheels("1.0").name, "model.tflite"}
    assert (payload / "model.tflite").read_bytes() == model_path.read_bytes()
    assert (payload / "model.tflite").stat().st_mode & 0o777 == 0o644
    assert json.loads(result.stdout)["hosts"][0]["sent"] > model_path.stat().st_size


def test_a_file_that_rots_on_the_card_is_sent_again(lab, deploy, wheels):
    pi = lab.target("rot")
    assert deploy("--wheel", wheels("1.0"), "rot").exit_code == 0
    file = pi.root / "current/payload" / wheels("1.0").name
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + b"?")
    done = deploy("--wheel", wheels("1.0"), "rot", "--json")
    assert [name for name, state in states(done).items() if state == "done"] == ["sync"]
    assert file.read_bytes() == whole
