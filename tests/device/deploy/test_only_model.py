"""A model that is sent alone, over a real ssh connection."""

import json

import pytest

from fer_edge.model_file import file_hash
from fer_edge.shipped import shipped_models


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Return two models, and two that only differ in what the package of the tests makes of them."""
    folder, shipped = tmp_path_factory.mktemp("models"), shipped_models()
    found = {"nano": shipped["nano"], "compact": shipped["compact"]}
    return found | {name: _marked(folder, shipped["nano"], name) for name in ("no camera", "damaged")}


def _marked(folder, model, name):
    """Return a copy with a mark in the metadata behind the flatbuffer, which is no part of what is checked."""
    path = folder / f"{name.replace(' ', '-')}.tflite"
    path.write_bytes(model.read_bytes())
    import zipfile

    with zipfile.ZipFile(path, "a") as archive:
        archive.comment = name.encode()
    return path


def test_a_file_and_a_restart(lab, deploy, wheels, models):
    pi = lab.target("model")
    alone = ("--only-model", "model", "--model")
    refused = deploy(*alone, models["nano"])
    assert "expected fer-edge, found none; deploy without --only-model first" in refused.stderr
    assert deploy("--wheel", wheels("1.0"), "--model", models["compact"], "--service", "model").exit_code == 0
    release, pid = pi.current, (pi.home / "systemd/pid").read_text()
    file = pi.root / "current/payload/model.tflite"

    done = deploy(*alone, models["nano"], "--json")
    assert done.exit_code == 0, done.output
    (host,) = json.loads(done.stdout)["hosts"]
    assert [step["name"] for step in host["steps"]] == ["target", "incoming", "model"]
    assert host["sent"] < 100_000
    assert file_hash(file) == file_hash(models["nano"])
    assert (pi.current, pi.running) == (release, release)
    assert (pi.home / "systemd/pid").read_text() != pid
    again = deploy(*alone, models["nano"])
    assert again.stdout.splitlines()[1].split()[:2] == ["model", "unchanged"]

    for name, said in (("no camera", "the one before is back and runs"), ("damaged", "ten frames with the model")):
        failed = deploy(*alone, models[name])
        assert failed.exit_code == 1
        assert said in failed.stderr
        assert file_hash(file) == file_hash(models["nano"])
        assert pi.running == release

    # The release as it was: the file comes back, and the service with it.
    pid = (pi.home / "systemd/pid").read_text()
    back = deploy("--wheel", wheels("1.0"), "--model", models["compact"], "--service", "model")
    assert back.exit_code == 0, back.output
    assert file_hash(file) == file_hash(models["compact"])
    assert (pi.home / "systemd/pid").read_text() != pid


def test_a_release_without_a_model_of_its_own_is_left_alone(lab, deploy, wheels, models):
    lab.target("bare")
    assert deploy("--wheel", wheels("1.0"), "bare").exit_code == 0
    refused = deploy("--only-model", "bare", "--model", models["nano"])
    assert "deploy once with --model and without --only-model" in refused.stderr


@pytest.mark.parametrize("others", [(), ("--model", "nano", "--service"), ("--model", "nano", "--ansible", "x.yml")])
def test_what_does_not_go_with_it(deploy, others):
    hosts = () if "--ansible" in others else ("pi",)
    assert deploy("--only-model", *hosts, *others).exit_code == 2
