"""One ssh connection to a target: scripts run over it, files go over it, and its end is noticed.

The user's own ``ssh`` does the work, with its configuration, agent and known hosts. One process logs in and keeps the
connection (a "control master"); everything else shares it, so that a security key is touched once.
"""

from __future__ import annotations

import contextlib
import re
import shlex
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from fer_edge.device.deploy.child import Answer, Held, ask, held, killed_after
from fer_edge.device.deploy.explain import explain_login, last_line
from fer_edge.device.deploy.target import MARK
from fer_edge.errors import DeployError

LOGIN = (
    # BatchMode: never ask. A dead connection is noticed after 4 x 15 s. A forwarding or command that the
    # configuration has for this host's terminal sessions has no place here.
    *("-T", "-x", "-o", "BatchMode=yes", "-o", "ConnectTimeout=15", "-o", "LogLevel=ERROR"),
    *("-o", "ServerAliveInterval=15", "-o", "ServerAliveCountMax=4"),
    *("-o", "ClearAllForwardings=yes", "-o", "RemoteCommand=none", "-o", "PermitLocalCommand=no"),
    *("-o", "ControlMaster=yes", "-o", "ControlPersist=no"),
)
SHARE = ("-T", "-x", "-F", "none", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR", "-o", "ProxyCommand=false")
"""For a session over the connection: were it gone, `false` keeps ssh from opening one of its own."""

LOST = 255
"""Exit status of ssh when the connection, and not the command, failed."""

LOGIN_S = 60.0
"""Longest wait for a login to say that it is there: ssh itself gives up a silent network after 15 s."""
LOCK_S = 30.0
"""The same for the lock, for which the target waits 5 s."""
SEND_S = 3600.0
"""Longest that the files may take on their way."""


class Connection:
    """A connection to one machine, to be entered; raises `DeployError` if it cannot be made or is lost."""

    def __init__(self, host: str, config: Path | None = None) -> None:
        """Prepare a connection.

        Args:
            host: ``USER@HOST`` or a name of the ssh configuration.
            config: an ssh configuration instead of the user's.
        """
        self.host = host
        self._config = ("-F", str(config)) if config else ()
        self._stack = contextlib.ExitStack()
        self._holder: Held | None = None

    def __enter__(self) -> Self:
        if not shutil.which("ssh"):
            raise DeployError("expected the program ssh on this machine, found none; install openssh-client")
        with self._stack:
            # Not the user's TMPDIR: the name of a socket must be shorter than about 100 characters.
            folder = self._stack.enter_context(tempfile.TemporaryDirectory(prefix="fer-edge-", dir="/tmp"))
            self._socket = ("-S", str(Path(folder) / "s"))
            command = ["ssh", *self._config, *LOGIN, *self._socket, self.host, "sh"]
            self._master = self._stack.enter_context(held(command))
            if self._master.answer("{ echo fer-edge:ready; exec cat >/dev/null; }", MARK, LOGIN_S) != "ready":
                silent = self._master.process.poll() is None
                self._master.wait()
                raise DeployError(explain_login(self.host, self._master.errors(), silent=silent))
            self._stack = self._stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()

    def run(self, script: str, argument: str, timeout_s: float = 60.0, what: str = "a script") -> Answer:
        """Run a POSIX script with one argument on the target.

        Args:
            script: all of it.
            argument: a word without what a shell would interpret.
            timeout_s: longest it may take, in seconds.
            what: it is, for messages.

        Raises:
            DeployError: the connection was lost, somebody ended the process that held `lock`, or the answer takes
                longer, or is longer, than any of a target that works.
        """
        if self._holder and self._holder.process.poll() is not None:
            self._refuse_loss(self._holder.process.returncode, "")
            raise DeployError("another deployment took over from this one")
        answer = ask([*self._session(), f"sh -s {argument}"], what, timeout_s, script)
        self._refuse_loss(answer.status, answer.stderr)
        return answer

    @contextlib.contextmanager
    def lock(self, root: str) -> Iterator[None]:
        """Be the only deployment into the folder `root`, which is made, until the block or the connection ends."""
        file = f"{root}/.deploy.lock"
        script = f"""{{
            umask 022
            mkdir -p {root} && exec 8>{file} || exit 1
            flock -w 5 8 || {{ echo fer-edge:busy; exit 1; }}
            echo fer-edge:locked
            exec cat >/dev/null
        }}"""
        with held([*self._session(), "sh"]) as holder:
            answer = holder.answer(script, MARK, LOCK_S)
            if answer == "busy":
                end = shlex.join(["ssh", self.host, "fuser", "-k", file])
                raise DeployError(f"another deployment to it is under way; wait for it, or end it with: {end}")
            if answer != "locked":
                self._refuse_loss(holder.wait(), holder.errors())
                raise DeployError(f"{root} cannot be used: {last_line(holder.errors()) or 'no answer'}")
            self._holder = holder
            yield

    def send(self, folder: Path, destination: str, rsync: bool, like: str) -> int:
        """Make `destination` on the target, which exists, hold the files of `folder` and nothing else.

        Args:
            folder: files, or links to files, on this machine.
            destination: absolute path, free of what a shell would interpret.
            rsync: whether the target has rsync; with it on both sides, files that are there are not sent.
            like: a folder on the target with earlier files, from which unchanged ones are taken.

        Returns:
            Bytes sent.

        Raises:
            DeployError: the connection was lost, or the disk is full.
        """
        if rsync and shutil.which("rsync"):
            return self._rsync(folder, destination, like)
        return self._tar(folder, destination)

    def _rsync(self, folder: Path, destination: str, like: str) -> int:
        flags = ("-rLtp", "--delete", "--checksum", "--chmod=D755,F644", "--stats", f"--link-dest={like}")
        user, at, name = self.host.rpartition("@")
        target = f"{user}{at}[{name}]" if ":" in name else self.host
        shell = shlex.join(self._session()[:-1])
        command = ["rsync", *flags, "-e", shell, f"{folder}/", f"{target}:{destination}/"]
        done = ask(command, "sending the files", SEND_S)
        if done.status:
            # rsync passes on ssh's status, which may be there a moment before the master has ended.
            lost = done.status == LOST or self._master.process.poll() is not None
            self._refuse_loss(LOST if lost else 0, done.stderr)
            raise DeployError(f"rsync failed: {last_line(done.stderr)}")
        sent = re.search(r"Total bytes sent: ([\d,.]+)", done.stdout)
        return int(re.sub(r"\D", "", sent[1])) if sent else 0

    def _tar(self, folder: Path, destination: str) -> int:
        command = f"sh -c 'umask 022; rm -rf {destination}; mkdir {destination}; exec tar -x -f - -C {destination}'"
        with held([*self._session(), command]) as receiver, killed_after(receiver, SEND_S) as late:
            try:
                with tarfile.open(fileobj=receiver.stdin, mode="w|", dereference=True) as archive:
                    archive.add(folder, ".", filter=_for_everyone)
                    sent = archive.offset
                receiver.stdin.close()
            except BrokenPipeError:
                sent = 0  # tar, or the connection, ended; the exit status says which
            status = receiver.wait(SEND_S)  # a slow card is still writing; `late` ends it
            if late.is_set():
                raise DeployError(f"sending the files did not end within {SEND_S:.0f} s; deploy again")
            if status:
                self._refuse_loss(status, receiver.errors())
                raise DeployError(f"tar failed: {last_line(receiver.errors())}")
        return sent

    def _session(self) -> list[str]:
        return ["ssh", *SHARE, *self._socket, self.host]

    def _refuse_loss(self, status: int, stderr: str) -> None:
        if status == LOST:
            # The process that held the connection knows best; the others only miss it.
            reason = last_line(self._master.errors()) or last_line(stderr) or "ssh gave no reason"
            raise DeployError(f"the connection was lost ({reason}); deploy again, which goes on from there")


def _for_everyone(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.mode = 0o755 if entry.isdir() else 0o644
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry
