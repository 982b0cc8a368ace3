"""What ssh, pip and the shell said, turned into one line that says what to do."""

from __future__ import annotations

import shlex

from fer_edge.text import printable

LINE_CHARACTERS = 300
"""Of another machine's words in a message."""

LOGIN_ADVICE = {
    # Before "verification failed", which ssh prints as well.
    "IDENTIFICATION HAS CHANGED": "its host key is another one than before; if it was installed anew, forget "
    "the old key with: ssh-keygen -R {name}",
    "Host key verification failed": "its host key is not known yet; connect once by hand to accept it: ssh {host}",
    "Permission denied": "it refuses the login; copy your key to it with: ssh-copy-id {host}",
    "Too many authentication failures": "it refuses the login after too many keys; name the right one in ~/.ssh/config "
    "(IdentityFile, IdentitiesOnly yes)",
    "Could not resolve hostname": "no machine of that name is known; check the name, or use its IP address",
    "Connection refused": "it is there but has no ssh server; enable it there with: sudo raspi-config nonint do_ssh 0",
    "timed out": "no answer; check that it is switched on and in the same network",
    "No route to host": "no answer; check that it is switched on and in the same network",
    "Network is unreachable": "no way to it; check this machine's network",
}
"""Text in ssh's standard error -> what it means and what to do. The first that fits counts."""

STEP_ADVICE = {
    "No space left on device": "its disk is full; remove something (sudo apt clean helps) and deploy again",
    "Disk quota exceeded": "the user's disk quota is used up; remove something and deploy again",
    "Read-only file system": "its disk is read-only; look for a worn SD card with: dmesg",
    # pip: no network at all, then an index that answers but lacks something.
    "NewConnectionError": "it cannot reach the package index; send the packages along with --wheelhouse DIR",
    "Temporary failure in name resolution": "it cannot reach the package index; send the packages along with "
    "--wheelhouse DIR",
    "ReadTimeoutError": "its way to the package index is too slow; send the packages along with --wheelhouse DIR",
    "No matching distribution": "a package is missing for it: {line}; with --wheelhouse, empty that folder first",
}
"""Text in a step's output -> what it means and what to do. The first that fits counts."""


def explain_login(host: str, stderr: str, silent: bool = False) -> str:
    """Return a line for a login that failed.

    Args:
        host: ``USER@HOST``.
        stderr: what ssh wrote.
        silent: whether ssh got in, and no shell answered.
    """
    name, host = (shlex.quote(each) for each in (host.rpartition("@")[2], host))
    for text, advice in LOGIN_ADVICE.items():
        if text in stderr:
            return advice.format(host=host, name=name)
    if silent:
        return f"it lets the login in, but its shell does not answer; try by hand: ssh {host} true"
    return f"ssh ended: {last_line(stderr) or 'it gave no reason; try by hand: ssh ' + host}"


def explain_step(stderr: str) -> str:
    """Return a line for a step that failed, from what its script wrote to standard error."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    for text, advice in STEP_ADVICE.items():
        found = [line for line in lines if text in line]
        if found:
            return advice.format(line=printable(found[-1], LINE_CHARACTERS))
    own = [line.removeprefix("fer-edge: ") for line in lines if line.startswith("fer-edge: ")]
    return printable(own[-1], LINE_CHARACTERS) if own else last_line(stderr) or "it failed and gave no reason"


def last_line(text: str) -> str:
    """Return the last line that is not blank, cut and fit to be shown, or an empty string."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return printable(lines[-1], LINE_CHARACTERS) if lines else ""


def pip_error(stderr: str) -> str:
    """Return the line in which pip says what is wrong: warnings may follow it."""
    errors = [line for line in stderr.splitlines() if line.startswith("ERROR: ")]
    return printable(errors[-1].removeprefix("ERROR: "), LINE_CHARACTERS) if errors else last_line(stderr)
