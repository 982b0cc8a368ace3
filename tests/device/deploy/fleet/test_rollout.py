"""Deployments to a fleet, over real ssh connections."""

import json

import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from fer_edge.device.deploy.fleet.inventory import Fleet, Member
from fer_edge.device.deploy.fleet.rollout import roll_out
from fer_edge.device.deploy.host import HostResult
from fer_edge.model_file import file_hash
from fer_edge.shipped import shipped_models


def fleet_of(*hosts, batch=2):
    return Fleet(tuple(Member(host, "fleet", None, (), "~/fer-edge") for host in hosts), batch)


@pytest.mark.parametrize(
    ("broken", "tried", "skipped"),
    [((), "abcdef", ""), ("a", "a", "bcdef"), ("c", "abc", "def"), ("d", "abcde", "f"), ("f", "abcdef", "")],
)
def test_it_goes_no_further_than_the_first_failure(broken, tried, skipped):
    """One machine first, then two at once."""
    stages = []

    def deploy(members):
        stages.append([member.host for member in members])
        return [HostResult(m.host, m.host not in broken, "deployed", "", 0, ()) for m in members]

    results = roll_out(fleet_of(*"abcdef"), deploy)
    assert [result.host for result in results] == list("abcdef")
    assert [host for stage in stages for host in stage] == list(tried)
    assert stages[0] == ["a"]
    assert all(len(stage) <= 2 for stage in stages)
    assert [result.host for result in results if result.state == "skipped"] == list(skipped)


@pytest.fixture
def command(lab):
    def run(*arguments):
        return CliRunner().invoke(main, [*map(str, arguments), "--ssh-config", str(lab.config)])

    return run


def test_a_broken_version_stops_after_the_canary(lab, command, wheels, tmp_path):
    names = [f"rollout-{number}" for number in range(4)]
    pis = [lab.target(name) for name in names]
    file = tmp_path / "fleet.yaml"
    file.write_text(f"batch: 3\noptions: --skin off\nhosts: [{', '.join(names)}]\n")
    first = command("deploy", "--fleet", file, "--wheel", wheels("1.0"), "--json")
    assert first.exit_code == 0, first.output
    assert first.stderr.count("== ") == 2
    good = [pi.running for pi in pis]
    assert all(good)

    broken = command("deploy", "--fleet", file, "--wheel", wheels("2.1", "crashes"), "--json")
    assert broken.exit_code == 1
    states = [host["state"] for host in json.loads(broken.stdout)["hosts"]]
    assert states == ["failed", "skipped", "skipped", "skipped"]
    assert f"rolled back to {good[0]}, which runs" in broken.stderr
    assert [pi.running for pi in pis] == good
    assert {pi.version() for pi in pis} == {"1.0"}
    assert not any("2.1" in path.name for pi in pis[1:] for path in pi.root.rglob("*.whl"))

    unchanged = command("deploy", "--fleet", file, "--wheel", wheels("1.0"))
    assert unchanged.exit_code == 0, unchanged.output
    assert [line.split()[1] for line in unchanged.stdout.splitlines()[1:]] == ["unchanged"] * 4


def test_a_fleet_gets_a_model_alone(lab, command, wheels, tmp_path):
    pis = [lab.target(name) for name in ("models-0", "models-1")]
    file = tmp_path / "fleet.yaml"
    file.write_text("model: compact\nhosts: [models-0, models-1]\n")
    assert command("deploy", "--fleet", file, "--wheel", wheels("1.0")).exit_code == 0
    file.write_text("model: nano\nhosts: [models-0, models-1]\n")
    done = command("deploy", "--fleet", file, "--only-model", "--json")
    assert done.exit_code == 0, done.output
    nano = file_hash(shipped_models()["nano"])
    assert [file_hash(pi.root / "current/payload/model.tflite") for pi in pis] == [nano, nano]
    (first, second) = json.loads(command("fleet", "status", file, "--json").stdout)["hosts"]
    assert (first["model"], second["model"]) == ("nano", "nano")


def test_the_status_of_a_fleet(lab, command, wheels, tmp_path):
    lab.target("watched")
    file = tmp_path / "fleet.yaml"
    file.write_text("hosts: [watched, nobody.invalid]\n")
    assert command("deploy", "--wheel", wheels("1.0"), "--service", "watched").exit_code == 0
    asked = command("fleet", "status", file, "--json")
    assert asked.exit_code == 1
    there, away = json.loads(asked.stdout)["hosts"]
    assert (there["version"], there["error"]) == ("1.0", "")
    assert there["load"] is not None
    assert (away["ok"], away["version"]) == (False, None)
    assert away["error"]
    table = command("fleet", "status", file).stdout
    assert "unreachable" in table


def test_what_the_file_says_is_not_said_twice(command, wheels, tmp_path):
    file = tmp_path / "fleet.yaml"
    file.write_text("hosts: [a]\n")
    refused = command("deploy", "--fleet", file, "b", "--service")
    assert refused.exit_code == 2
    assert "--fleet takes these from its file: --service, hosts; leave them out" in refused.stderr
