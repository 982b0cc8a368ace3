import contextlib
import json
import re
import shutil
import textwrap
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from fer_edge.cli import main
from fer_edge.device.deploy.fleet.inventory import TOP, read_fleet
from fer_edge.device.deploy.fleet.targets import to_targets
from fer_edge.errors import DeployError
from fer_edge.shipped import find_model

FLEET = """
options: --source picamera2 --metrics 0.0.0.0:9600
batch: 2
canary: pi@till
groups:
  shop:
    model: nano
    hosts: [pi@door, pi@till]
  lab:
    hosts: ["pi@fe80::1"]
    options: --source demo:live --metrics=9600
    path: /opt/fer-edge
"""


@pytest.fixture
def fleet_of(tmp_path):
    def read(text):
        path = tmp_path / "fleet.yaml"
        path.write_text(text)
        return read_fleet(path)

    return read


def test_groups_have_the_settings_of_the_fleet_unless_they_have_their_own(fleet_of):
    fleet = fleet_of(FLEET)
    till, door, lab = fleet.members
    assert (fleet.batch, till.host, till.group) == (2, "pi@till", "shop")
    assert till.model.name == "nano.tflite"
    assert door.options == ("--source", "picamera2", "--metrics", "0.0.0.0:9600")
    assert (lab.model, lab.path, lab.address) == (None, "/opt/fer-edge", "fe80::1")


def test_the_guides_example_is_a_fleet(fleet_of, tmp_path):
    guide = (Path(__file__).parents[4] / "docs" / "fleet.md").read_text()
    example = guide.partition("    # fleet.yaml\n")[2].partition("\n\n")[0]
    shutil.copy(find_model("nano"), tmp_path / "own.tflite")
    fleet = fleet_of(textwrap.dedent(example))
    assert fleet.members[0].host == "pi@till"
    assert {member.group for member in fleet.members} == {"shop", "lab"}
    table = guide.partition("| key |")[2].partition("\n\n")[0]
    keys = re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE)
    assert sorted(keys) == sorted(TOP)
    assert all(f"{key}:" in example for key in keys)


def test_a_list_of_hosts_will_do(fleet_of):
    assert [member.host for member in fleet_of("hosts: [a, b]").members] == ["a", "b"]


def test_targets_for_prometheus(fleet_of):
    (entry,) = json.loads(to_targets(fleet_of(FLEET)))  # the lab answers on its loopback alone
    assert entry == {"targets": ["door:9600", "till:9600"], "labels": {"group": "shop"}}
    with pytest.raises(DeployError, match=r"add --metrics 0\.0\.0\.0:9600"):
        to_targets(fleet_of("hosts: [a]"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "found an empty file"),
        ("- a", "line 1: expected a fleet as lines of 'name: value', found a sequence"),
        ("host: [a]", "line 1: a fleet has no key 'host'; the nearest is 'hosts'"),
        ("hosts: a", "expected a list of hosts"),
        ("hosts: []", "expected hosts, found none"),
        ("hosts: [a, a]", "a stands there twice"),
        ("hosts: [a]\nhosts: [b]", "line 2: 'hosts' stands there twice"),
        ("hosts: [-oProxyCommand=x]", "expected USER@HOST"),
        ("hosts: ['pi@door:2222']", "expected USER@HOST"),
        ("hosts: [a]\ncanary: b", "line 2: the canary b is none of the hosts"),
        ("hosts: [a]\nbatch: 0", "line 2: expected a batch of 1 machine or more, found '0'"),
        ("hosts: [a]\nmodel: no-such", "line 2: "),
        ('hosts: [a]\noptions: "--skin \'off"', "cannot be split into words"),
        ("groups: {'a b': {hosts: [a]}}", "expected a group's name"),
        ("groups: {a: {}}", "the group a has no hosts"),
        ("hosts: [a", "expected YAML such as"),
        ("hosts: [a]\npath: '~/x; reboot'", "line 2: expected a folder on the target"),
        ("hosts: [a]\npath: /a/../b", "line 2: expected a folder on the target"),
        ("hosts: [a]\nmodel: fleet.yaml", "line 2: "),
        ("hosts: [{a: b}]", "expected one value, found a mapping"),
    ],
)
def test_a_refusal_says_what_was_expected(fleet_of, text, said):
    with pytest.raises(DeployError) as refused:
        fleet_of(text)
    assert said in str(refused.value)


@given(st.text(max_size=200))
def test_any_text_is_a_fleet_or_refused(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(text, encoding="utf-8", errors="replace")
    with contextlib.suppress(DeployError):
        assert read_fleet(path).members


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("--wheel", "fleet.yaml"), 2, "takes no --wheel; leave one out"),
        (("--wheelhouse", "."), 2, "takes no --wheelhouse; leave one out"),
        ((), 1, "found none for pi@fe80::1; add the key 'model' to the group lab"),
    ],
)
def test_only_models_go_alone_and_to_groups_that_have_one(tmp_path, monkeypatch, arguments, status, said):
    (tmp_path / "fleet.yaml").write_text(FLEET)
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["deploy", "--fleet", "fleet.yaml", "--only-model", *arguments])
    assert done.exit_code == status
    assert said in (done.stderr or str(done.exception))
