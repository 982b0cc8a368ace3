"""A machine to deploy to: a real ssh server on 127.0.0.1 whose logins land in homes of their own.

What this machine lacks is played by scripts on the targets' PATH: systemd, sudo, and a user who is not root.
"""

import contextlib
import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import venv
import zipfile
from pathlib import Path

from fer_edge.device.deploy.pins import EXTRAS

SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")

LOGIN = """#!/bin/sh
export HOME={home} PATH={home}/bin:/usr/bin:/bin
cd "$HOME"
exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"
"""

TOOLS = {
    # The Python of the tests, which has venv and ensurepip, and not this environment's. An environment is made of
    # links to one that was made before, which takes a tenth of the time.
    "python3": """
if [ "$1 $2" = "-m venv" ]; then cp -al {template} "$4"; else exec {python} "$@"; fi
""",
    "sleep": "exit 0",
    "sync": "exit 0",
    "id": "case $1 in -u) echo 1000 ;; *) echo pi ;; esac",
    "sudo": """
[ "$1" = -n ] && shift
for word; do
    shift
    case $word in /etc/systemd/system/* | /etc/fer-edge.env*) word=$HOME/units/${word##*/} ;; esac
    set -- "$@" "$word"
done
exec "$@"
""",
    "journalctl": 'echo "Error: no camera delivers pictures"',
    # State: units/ as /etc/systemd/system, systemd/enabled, systemd/running (the release that runs), systemd/pid.
    "systemctl": """
state=$HOME/systemd unit=$HOME/units/fer-edge.service
echo "$*" >>"$state/calls"
case "$*" in
is-system-running) cat "$state/system" ;;
is-enabled*) [ -e "$state/enabled" ] ;;
is-active*) [ -e "$state/running" ] ;;
*FragmentPath*) if [ -e "$unit" ]; then echo "$unit"; fi ;;
*MainPID* | *InvocationID*) cat "$state/pid" ;;
enable*) touch "$state/enabled" ;;
disable*) rm -f "$state/enabled" "$state/running" ;;
stop*) rm -f "$state/running" ;;
restart*)
    rm -f "$state/running"
    date +%N >"$state/pid"
    command=$(sed -n 's/^ExecStart=//p' "$unit")
    NOTIFY_SOCKET=/nowhere $command || exit 1
    readlink "$HOME/fer-edge/current" >"$state/running"
    ;;
daemon-reload) ;;
*) exit 64 ;;
esac
""",
}

FAKE = """
import json, os, sys, time

VERSION, BEHAVIOUR = "{version}", "{behaviour}"

def model(words):
    return open(words[words.index("--model") + 1], "rb").read() if "--model" in words else b""

def main():
    words = sys.argv[1:]
    if words == ["--version"]:
        print("fer-edge", VERSION)
    elif words[0] == "doctor":
        if BEHAVIOUR == "slow-doctor":
            open(os.path.expanduser("~/doctor-began"), "w").close()
            time.sleep(3)
        ill = BEHAVIOUR == "ill"
        findings = [{{"name": "camera", "status": "problem" if ill else "ok", "found": "no lens", "advice": "add one"}}]
        print(json.dumps({{"ok": not ill, "findings": findings}}))
        sys.exit(ill)
    elif "--no-such-option" in words:
        sys.exit("Error: No such option: --no-such-option")
    elif "--help" in words:
        print("help")
    elif "NOTIFY_SOCKET" in os.environ:
        sys.exit(BEHAVIOUR == "crashes" or b"no camera" in model(words))
    elif b"damaged" in model(words):
        sys.exit("Error: no model")
    elif words[0] == "run":
        print(json.dumps({{"frames": 3 if BEHAVIOUR == "lazy" else 10}}))
"""


def fake_wheel(folder, version, behaviour="fine", needs=(), name="fer_edge"):
    """Build a wheel whose fer-edge answers what a deployment asks; return its path."""
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    metadata = [f"Name: {name.replace('_', '-')}", f"Version: {version}"]
    metadata += [f"Provides-Extra: {extra}" for extra in EXTRAS]
    metadata += [f"Requires-Dist: {requirement}" for requirement in needs]
    files = {
        f"{name}_fake.py": FAKE.format(version=version, behaviour=behaviour),
        f"{info}/METADATA": "\n".join(["Metadata-Version: 2.1", *metadata]) + "\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    if name == "fer_edge":
        files[f"{info}/entry_points.txt"] = "[console_scripts]\nfer-edge = fer_edge_fake:main\n"
    files[f"{info}/RECORD"] = "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(wheel, "w") as archive:
        for file, text in files.items():
            archive.writestr(zipfile.ZipInfo(file), text)
    return wheel


class Target:
    """A home on this machine that a login lands in."""

    def __init__(self, host, home):
        self.host, self.home = host, home
        self.root = home / "fer-edge"

    def tool(self, name, text):
        """Put a program on its PATH."""
        file = self.home / "bin" / name
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o755)

    @property
    def current(self):
        """Name of the release that is switched to, or None."""
        link = self.root / "current"
        return link.readlink().name if link.is_symlink() else None

    @property
    def running(self):
        """Name of the release that the service runs, or None."""
        file = self.home / "systemd" / "running"
        return Path(file.read_text().strip()).name if file.exists() else None

    @property
    def releases(self):
        return {path.name for path in (self.root / "releases").glob("*")}

    def version(self):
        """Ask the installed version, through the link, what it is."""
        command = [self.root / "current/venv/bin/fer-edge", "--version"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1]

    def files(self):
        """Return every path below its home with what it is, to see that nothing changed."""
        return {
            path.relative_to(self.home): (path.lstat().st_mtime_ns, path.lstat().st_size)
            for path in self.home.rglob("*")
            if "systemd" not in path.parts
        }


class Lab:
    """An ssh server on 127.0.0.1 with its own keys, and the client's configuration for it."""

    def __init__(self, folder):
        self.folder = folder
        self.config = folder / "ssh_config"
        self._authorized = folder / "authorized_keys"
        self._authorized.touch()
        self._template = folder / "venv"
        venv.create(self._template, system_site_packages=True, with_pip=True)
        self._keygen("host_key")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # sshd of root insists on it
        settings = {
            "Port": self.port,
            "ListenAddress": "127.0.0.1",
            "HostKey": folder / "host_key",
            "AuthorizedKeysFile": self._authorized,
            "PidFile": "none",
            "StrictModes": "no",  # /tmp is writable for everybody
            "UsePAM": "no",
            "SetEnv": f"HOME={folder}",  # the login shell must not read the start-up files of whoever runs the tests
            "PasswordAuthentication": "no",
            "KbdInteractiveAuthentication": "no",
            "MaxStartups": 100,
        }
        (folder / "sshd_config").write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
        with (folder / "sshd.log").open("w") as log:
            self._server = subprocess.Popen([SSHD, "-D", "-e", "-f", folder / "sshd_config"], stderr=log)
        (folder / "known_hosts").write_text(f"[127.0.0.1]:{self.port} {(folder / 'host_key.pub').read_text()}")
        self._await_server()

    def _await_server(self):
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.05)
        raise RuntimeError((self.folder / "sshd.log").read_text())

    def close(self):
        self._server.terminate()
        self._server.wait()

    def target(self, name, authorized=True):
        """Make a target and let its key in."""
        home = self.folder / name
        for folder in ("bin", "systemd", "units"):
            (home / folder).mkdir(parents=True)
        target = Target(name, home)
        for tool, text in TOOLS.items():
            target.tool(tool, text)
        python = Path(sys.base_prefix) / "bin/python3"
        target.tool("python3", TOOLS["python3"].format(template=self._template, python=python))
        (home / "systemd" / "system").write_text("running\n")
        target.tool("login", LOGIN.format(home=home).removeprefix("#!/bin/sh\n"))
        self._keygen(f"key-{name}")
        if authorized:
            with self._authorized.open("a") as file:
                public = (self.folder / f"key-{name}.pub").read_text()
                file.write(f'command="{home}/bin/login" {public}')
        self.host(name, self.port, self.folder / f"key-{name}")
        return target

    def host(self, name, port, key, known_hosts="known_hosts"):
        """Add a name to the client's configuration."""
        with self.config.open("a") as file:
            file.write(
                f"Host {name}\n HostName 127.0.0.1\n Port {port}\n User {getpass.getuser()}\n IdentityFile {key}\n"
                f" IdentitiesOnly yes\n UserKnownHostsFile {self.folder / known_hosts}\n GlobalKnownHostsFile none\n"
            )

    def cut(self):
        """Cut every connection: end the server's sessions, and not what they run."""
        children = Path(f"/proc/{self._server.pid}/task/{self._server.pid}/children").read_text().split()
        for child in children:
            # As root, the session's privileged half has another half, which holds the connection.
            for process in [*Path(f"/proc/{child}/task/{child}/children").read_text().split(), child]:
                name = Path(f"/proc/{process}/comm").read_text().strip()
                if name.startswith("sshd"):
                    os.kill(int(process), signal.SIGKILL)

    def _keygen(self, name):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", self.folder / name]
        subprocess.run(command, check=True, capture_output=True)
