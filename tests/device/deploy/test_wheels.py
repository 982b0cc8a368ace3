"""Where the wheel and the wheels of what it needs come from."""

import ast
import configparser
import hashlib
import zipfile

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.requirements import Requirement

import fer_edge
from fer_edge.cli import main
from fer_edge.device.deploy.pins import EXTRAS
from fer_edge.device.deploy.target import Target, parse_target
from fer_edge.device.deploy.wheel import check_wheel, find_checkout, provide_wheel
from fer_edge.device.deploy.wheelhouse import fill_wheelhouse, needed
from fer_edge.errors import DeployError
from tests.device.deploy.lab import fake_wheel


def target(machine="aarch64", python="3.11", release="12"):
    return Target("/home/pi/fer-edge", machine, python, release, "Debian", "", "")


@pytest.fixture
def real_requirements(tmp_path):
    """A wheel that needs what setup.cfg says."""
    config = configparser.ConfigParser()
    config.read(find_checkout() / "setup.cfg")
    lines = [line for line in config["options"]["install_requires"].splitlines() if line]
    for extra in EXTRAS:
        for line in filter(None, config["options.extras_require"][extra].splitlines()):
            requirement, _, marker = line.partition(";")
            condition = f"({marker.strip()}) and extra == '{extra}'" if marker else f"extra == '{extra}'"
            lines.append(f"{requirement.strip()}; {condition}")
    return fake_wheel(tmp_path, "1.0", needs=lines)


@pytest.mark.parametrize(
    ("machine", "numpy", "opencv"),
    [
        (target(), ["1.24.2", "1.26.4"], ["4.11.0.86"]),
        (target(python="3.13", release="13"), ["2.2.4"], ["4.12.0.88", "4.14.0"]),
        (target("x86_64"), ["2.4.0"], ["4.12.0.88", "4.14.0"]),
    ],
    ids=["os-12", "os-13", "pc"],
)
def test_each_system_gets_what_fits_it(real_requirements, machine, numpy, opencv):
    requirements = {}
    for requirement in map(Requirement, needed(real_requirements, machine)):
        assert requirement.marker is None
        requirements.setdefault(requirement.name, []).append(requirement.specifier)
    assert {"click", "numpy", "ai-edge-litert", "opencv-python-headless", "paho-mqtt"} <= set(requirements)
    assert "tensorflow" not in requirements
    tried = {
        "numpy": ("1.24.2", "1.26.4", "2.2.4", "2.4.0"),
        "opencv-python-headless": ("4.11.0.86", "4.12.0.88", "4.14.0"),
    }
    fitting = {
        name: [version for version in versions if all(version in specifier for specifier in requirements[name])]
        for name, versions in tried.items()
    }
    assert set(numpy) <= set(fitting["numpy"])
    assert fitting["opencv-python-headless"] == opencv


def test_a_target_gets_whatever_the_options_of_run_may_need():
    """Else the service that asks for it does not start, and the deployment goes back to the version before."""
    device = find_checkout() / "device"
    files = [device / "commands/run.py", *(device / "outputs").glob("*.py"), *(device / "web").glob("*.py")]
    needed_extras = {
        call.args[1].value
        for file in files
        for call in ast.walk(ast.parse(file.read_text()))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "require"
    }
    assert needed_extras >= {"metrics", "mqtt", "web"}
    assert needed_extras <= set(EXTRAS)


def test_a_wheelhouse_is_filled_once_and_makes_a_target_independent_of_the_index(
    lab, deploy, wheels, tmp_path, monkeypatch
):
    index = tmp_path / "index"
    index.mkdir()
    fake_wheel(index, "0.5", name="fer_edge_test_dependency")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index))
    pi = lab.target("house")
    wheel, house = wheels("1.1", needs=["fer-edge-test-dependency"]), tmp_path / "house"
    arguments = ("--wheel", wheel, "--wheelhouse", house, "house")
    result = deploy(*arguments)
    assert result.exit_code == 0, result.output
    assert {path.name for path in (pi.root / "current/payload").iterdir()} == {
        wheel.name,
        "fer_edge_test_dependency-0.5-py3-none-any.whl",
    }
    assert list(pi.root.glob("current/venv/lib/python*/site-packages/fer_edge_test_dependency-0.5.dist-info"))
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "gone"))
    assert "unchanged" in deploy(*arguments).stdout
    result = deploy("--wheel", wheels("1.2", needs=["fer-edge-test-other"]), "--wheelhouse", house, "house")
    assert result.exit_code == 1
    assert "the wheelhouse cannot be filled: No matching distribution found for fer-edge-test-other" in result.stderr
    assert len(list(house.iterdir())) == 1


def test_a_requirement_that_is_none_is_one_line(tmp_path):
    with pytest.raises(DeployError, match="needs what cannot be read"):
        needed(fake_wheel(tmp_path, "1.0", needs=["-"]), target())


def test_nothing_is_downloaded_where_nothing_is_needed(tmp_path):
    assert fill_wheelhouse(tmp_path / "house", fake_wheel(tmp_path, "1.0"), target("x86_64")) == []
    assert not (tmp_path / "house").exists()


def test_the_checkout_makes_the_same_wheel_each_time(tmp_path):
    digests = set()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        wheel = provide_wheel(tmp_path / name)
        check_wheel(wheel)
        digests.add(hashlib.sha256(wheel.read_bytes()).hexdigest())
    assert len(digests) == 1
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {"fer_edge/cli.py", "fer_edge/device/deploy/fer-edge.service"} <= names
    assert "fer_edge/device/deploy/scripts/activate.sh" in names


def test_an_installed_package_is_downloaded_in_its_own_version(tmp_path, monkeypatch):
    monkeypatch.setattr("fer_edge.device.deploy.wheel.find_checkout", lambda: None)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(DeployError, match=f"found for fer-edge=={fer_edge.__version__}; name one with --wheel"):
        provide_wheel(tmp_path / "out")
    fake_wheel(tmp_path, fer_edge.__version__)
    assert provide_wheel(tmp_path / "out").name == f"fer_edge-{fer_edge.__version__}-py3-none-any.whl"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("numpy-2.4.0-py3-none-any.whl", b"", "found another name"),
        ("fer_edge-1.0;reboot-py3-none-any.whl", b"", "found another name"),
        ("fer_edge-1.0-py3-none-any.whl", b"text", "found no whole one"),
        ("fer_edge-1.0-py3-none-any.whl", b"PK\5\6" + bytes(18), "found no whole one"),
    ],
    ids=["another", "shell", "text", "empty"],
)
def test_refuses_what_is_no_wheel_of_fer_edge(deploy, tmp_path, name, content, words):
    wheel = tmp_path / name
    wheel.write_bytes(content)
    with pytest.raises(DeployError, match=words):
        check_wheel(wheel)
    result = deploy("--wheel", wheel, "pi")
    assert result.exit_code == 1
    assert result.stderr == f"Error: {result.stderr.removeprefix('Error: ').strip()}\n"


@settings(deadline=None, max_examples=50)
@given(st.lists(st.text(), max_size=8))
def test_an_answer_that_is_no_description_is_refused(lines):
    with pytest.raises(ValueError, match="no root"):
        parse_target("\n".join(lines), "/r")


def test_a_description_is_found_among_what_the_shell_says():
    fields = ("root=/r", "machine=aarch64", "python=3.13", "release=13", "system=Debian 13", "board=Pi = 5", "rsync=")
    answer = "Welcome!\n" + "".join(f"fer-edge:{field}\n" for field in fields) + "Bye"
    found = parse_target(answer, "/r")
    assert (found.root, found.board, found.rsync) == ("/r", "Pi = 5", "")
    assert found.describe() == "Pi = 5, aarch64, Debian 13, Python 3.13"


@pytest.mark.parametrize("damage", ["directory", "metadata", "version"])
def test_a_damaged_wheel_is_refused_in_one_line(tmp_path, damage):
    wheel = fake_wheel(tmp_path, "1.0")
    data = bytearray(wheel.read_bytes())
    directory = data.index(b"PK\1\2")
    if damage == "directory":
        data[directory : directory + 4] = b"XXXX"
    elif damage == "version":
        data[directory + 6] = 0xFF
    else:
        data[data.index(b"Metadata-Version")] ^= 0xFF
    wheel.write_bytes(data)
    result = CliRunner().invoke(main, ["deploy", "--ansible", str(tmp_path / "play.yml"), "--wheel", str(wheel)])
    assert result.exit_code == 1
    assert "found no whole one" in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_wheel_is_closed_again(tmp_path, monkeypatch):
    opened = []

    class Remembered(zipfile.ZipFile):
        def __init__(self, *arguments, **keywords):
            super().__init__(*arguments, **keywords)
            opened.append(self)

    wheel = fake_wheel(tmp_path, "1.0")
    monkeypatch.setattr(zipfile, "ZipFile", Remembered)
    check_wheel(wheel)
    assert [archive.fp for archive in opened] == [None]
