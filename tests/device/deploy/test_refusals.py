"""Machines that cannot be deployed to: one line each that says what to do, and nothing is left on them."""

import contextlib
import subprocess

import pytest

from fer_edge.device.deploy.connection import Connection


@pytest.fixture
def error(lab, deploy, wheels):
    """Deploy to a machine that refuses; return the line."""

    def run(host, *options):
        result = deploy("--wheel", wheels("1.0"), host, *options)
        assert result.exit_code == 1, result.output
        assert result.stdout.splitlines()[1].split()[:2] == [host, "failed"]
        (line,) = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
        assert line == result.stderr.splitlines()[-1]
        assert line.startswith(f"Error: {host}: ")
        return line

    return run


def test_a_key_that_is_not_let_in(lab, error):
    lab.target("no-key", authorized=False)
    assert "it refuses the login; copy your key to it with: ssh-copy-id no-key" in error("no-key")


def test_no_ssh_server(lab, error):
    lab.target("deaf")
    lab.host("deaf-port", 1, lab.folder / "key-deaf")
    assert "has no ssh server; enable it there with: sudo raspi-config" in error("deaf-port")


def test_an_unknown_name(lab, error):
    assert "no machine of that name is known" in error("no-such-machine.invalid")


def test_host_keys_that_are_unknown_or_others(lab, error):
    lab.target("host-key")
    lab.host("unknown-key", lab.port, lab.folder / "key-host-key", known_hosts="none-known")
    assert "its host key is not known yet; connect once by hand to accept it: ssh unknown-key" in error("unknown-key")
    public = (lab.folder / "key-host-key.pub").read_text()
    (lab.folder / "other-known").write_text(f"[127.0.0.1]:{lab.port} {public}")
    lab.host("other-key", lab.port, lab.folder / "key-host-key", known_hosts="other-known")
    assert "forget the old key with: ssh-keygen -R other-key" in error("other-key")


PYTHON = """
case "$*" in
*"version_info[:2]"*) echo {version} ;;
*"(3, 11)"*) exit {too_old} ;;
*maxsize*) exit {is_32_bit} ;;
*ensurepip*) exit {no_venv} ;;
esac
"""


@pytest.mark.parametrize(
    ("tool", "text", "words"),
    [
        ("uname", "echo armv7l", "expected a 64-bit system (aarch64 or x86_64), found armv7l"),
        ("python3", PYTHON.format(version="3.9", too_old=1, is_32_bit=0, no_venv=0), "Python 3.11 or newer, found 3.9"),
        (
            "python3",
            PYTHON.format(version="3.11", too_old=0, is_32_bit=1, no_venv=0),
            "32-bit Python on a 64-bit kernel",
        ),
        ("python3", PYTHON.format(version="3.11", too_old=0, is_32_bit=0, no_venv=1), "sudo apt install python3-venv"),
        ("df", "echo header; echo x 1 1 204800 1 /", "expected 600 MB free on the disk of {root}, found 200 MB"),
        ("mkdir", "echo mkdir: No space left on device >&2; exit 1", "its disk is full; remove something"),
    ],
    ids=["machine", "old-python", "32-bit", "no-venv", "disk-nearly-full", "disk-full"],
)
def test_a_machine_that_lacks_something(lab, error, request, tool, text, words):
    name = f"lacks-{request.node.callspec.id}"
    pi = lab.target(name)
    if tool == "mkdir":  # the folder itself is there
        pi.root.mkdir()
        text = f'case "$*" in *payload*) {text} ;; *) exec /usr/bin/mkdir "$@" ;; esac'
    pi.tool(tool, text)
    assert words.format(root=pi.root) in error(name)
    assert pi.current is None


def test_a_package_index_that_cannot_be_reached(lab, deploy, wheels):
    pi = lab.target("offline")
    (pi.home / ".config/pip").mkdir(parents=True)
    # The global section is the machine's own; the command's section wins.
    (pi.home / ".config/pip/pip.conf").write_text(
        "[install]\nindex-url = http://127.0.0.1:1/simple\nextra-index-url =\nfind-links =\nretries = 1\n"
    )
    result = deploy("--wheel", wheels("1.1", needs=["fer-edge-test-dependency"]), "offline")
    assert result.exit_code == 1
    assert "cannot reach the package index; send the packages along with --wheelhouse DIR" in result.stderr
    assert pi.current is None


def test_a_service_without_systemd_or_sudo(lab, error):
    pi = lab.target("no-service")
    pi.tool("sudo", "exit 1")
    assert "the service needs sudo without a password for pi" in error("no-service", "--service")
    (pi.home / "systemd/system").write_text("offline\n")
    assert "--service needs systemd, which does not run there" in error("no-service", "--service")
    assert not pi.root.exists()


def test_one_deployment_at_a_time(lab, error):
    pi = lab.target("busy")
    with Connection("busy", lab.config) as connection, connection.lock(str(pi.root)):
        line = error("busy")
        assert "another deployment to it is under way; wait for it, or end it with: ssh busy fuser -k" in line
        assert connection.run("exit 0", "act").status == 0
        # What the line advises ends the other one, which notices.
        holder = subprocess.run(["fuser", pi.root / ".deploy.lock"], capture_output=True, text=True, check=False)
        for process in holder.stdout.split():
            subprocess.run(["kill", process], check=True)
        with contextlib.suppress(Exception):
            connection._holder.process.wait(10)
        with pytest.raises(Exception, match="took over"):
            connection.run("exit 0", "act")
