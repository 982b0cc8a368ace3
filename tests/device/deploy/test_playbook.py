"""The Ansible playbook."""

import re
import subprocess
import sys
import venv

import pytest
from click.testing import CliRunner

from fer_edge.cli import main


@pytest.fixture
def write(tmp_path, wheels):
    def run(*options, name="play.yml", version="1.0"):
        playbook = tmp_path / name
        arguments = ["deploy", "--ansible", playbook, "--wheel", wheels(version), *options]
        return playbook, CliRunner().invoke(main, list(map(str, arguments)))

    return run


def test_names_a_script_per_step_and_the_files(write, wheels, model_path):
    playbook, result = write("--service", "--model", model_path)
    assert result.exit_code == 0, result.output
    text = playbook.read_text()
    scripts = re.findall(r"ansible\.builtin\.script: (\S+) (act|check)$", text, re.MULTILINE)
    assert len(scripts) == 10
    files = playbook.parent / "play-files"
    assert {path.partition("/")[2] for path, _ in scripts} == {path.name for path in files.glob("*.sh")}
    assert {path.name for path in (files / "payload").iterdir()} == {wheels("1.0").name, "model.tflite"}
    assert "--model @ROOT@/current/payload/model.tflite" in (files / "activate.sh").read_text()


def test_writing_it_again_replaces_its_files_and_nobody_elses(write, wheels):
    playbook, _ = write()
    write(version="2.0")
    (wheel,) = (playbook.parent / "play-files/payload").iterdir()
    assert wheel.name == wheels("2.0").name
    (playbook.parent / "mine-files").mkdir()
    (playbook.parent / "mine-files/letter.txt").write_text("dear")
    mine, result = write(name="mine.yml")
    assert result.exit_code == 1
    assert "expected nothing or the files of a playbook" in result.stderr
    assert (playbook.parent / "mine-files/letter.txt").exists()
    assert not mine.exists()
    assert write(name="my play.yml")[1].exit_code == 1


@pytest.fixture(scope="module")
def ansible(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ansible")
    venv.create(folder, with_pip=True)
    install = [folder / "bin/python", "-m", "pip", "install", "--quiet", "ansible-core"]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"ansible-core cannot be installed: {done.stderr.splitlines()[-1]}")

    def run(*arguments):
        command = [folder / "bin/ansible-playbook", *map(str, arguments)]
        environment = {"PATH": f"{folder}/bin:/usr/bin:/bin", "HOME": str(folder), "LC_ALL": "C.UTF-8"}
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)

    run.python = folder / "bin/python"
    return run


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs Linux")
def test_ansible_does_with_it_what_deploy_does(ansible, lab, write, model_path):
    pi = lab.target("ansible")
    inventory = lab.folder / "hosts"
    inventory.write_text(f"ansible ansible_ssh_common_args='-F {lab.config}' ansible_remote_tmp={pi.home}/tmp\n")
    playbook, _ = write("--service", "--model", model_path, "--run-options", "--skin off")
    read = "import sys, yaml; (play,) = yaml.safe_load(open(sys.argv[1])); print(len(play['tasks']))"
    tasks = subprocess.run([ansible.python, "-c", read, playbook], capture_output=True, text=True, check=False)
    assert tasks.stdout.strip() == "11", tasks.stderr
    check = ansible("--syntax-check", "-i", inventory, playbook)
    assert check.returncode == 0, check.stdout + check.stderr
    first = ansible("-i", inventory, playbook)
    assert first.returncode == 0, first.stdout + first.stderr
    assert pi.running == pi.current
    assert pi.version() == "1.0"
    again = ansible("-i", inventory, playbook)
    assert re.search(r"changed=0 .*failed=0", again.stdout), again.stdout
