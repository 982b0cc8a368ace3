"""The same steps as an Ansible playbook."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from fer_edge.device.deploy.payload import make_payload
from fer_edge.device.deploy.request import Request
from fer_edge.device.deploy.steps import ALREADY, Step, plan, target_step
from fer_edge.errors import DeployError
from fer_edge.files import write_atomically

HEAD = """\
# Written by 'fer-edge deploy --ansible'; run it with: ansible-playbook -i HOSTS {playbook}
- name: Deploy fer-edge release {release}
  hosts: all
  gather_facts: false
  tasks:
    - name: {target}
      ansible.builtin.script: {files}/target.sh check
      changed_when: false
"""
STEP = """\
    - name: {purpose}
      ansible.builtin.script: {files}/{name}.sh act
      register: {name}
      changed_when: "'{already}' not in {name}.stdout_lines"
"""
SEND = """\
    - name: Copy the files
      ansible.builtin.copy:
        src: {files}/payload/
        dest: {root}/releases/{release}/payload/
        directory_mode: "0755"
        mode: "0644"
      when: {name} is changed
    - name: Check that they arrived whole
      ansible.builtin.script: {files}/{name}.sh check
      changed_when: false
"""


def write_playbook(playbook: Path, request: Request) -> Path:
    """Write a playbook, and the folder with its scripts and files beside it; return the folder.

    What the folder held before is replaced.

    Raises:
        DeployError: the playbook's name cannot be written in one.
    """
    files = playbook.with_name(f"{playbook.stem}-files")
    if not re.fullmatch(r"[\w.-]+", files.name, re.ASCII):
        raise DeployError(f"{playbook}: expected a name of letters, digits, '.', '_', '-'; choose another")
    if request.wheel is None:
        raise DeployError("expected a wheel for the playbook, found none")
    payload = make_payload(request.wheel, request.model, None)
    steps = plan(request, payload)
    if files.exists():
        if not (files / "target.sh").is_file():
            raise DeployError(
                f"{files}: expected nothing or the files of a playbook, found something else; choose another name"
            )
        shutil.rmtree(files)
    (files / "payload").mkdir(parents=True)
    for name, path in payload.files.items():
        shutil.copyfile(path, files / "payload" / name)
    target = target_step(request)
    for step in (target, *steps):
        script = files / f"{step.name}.sh"
        script.touch(mode=0o600)  # it may hold passwords
        script.write_text(step.script)
    names = {"files": files.name, "release": payload.release, "root": request.root, "playbook": playbook.name}
    parts = [HEAD.format(target=target.purpose, **names)]
    parts += [_tasks(step, names) for step in steps]
    write_atomically(playbook, "".join(parts).encode())
    return files


def _tasks(step: Step, names: dict[str, str]) -> str:
    text = STEP + SEND if step.sends else STEP
    return text.format(name=step.name, purpose=step.purpose, already=ALREADY, **names)
