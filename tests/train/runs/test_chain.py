"""A recipe's chain of trainings: made in order, kept when finished, continued when killed."""

import json

import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from fer_edge.errors import DataError
from fer_edge.train import api
from fer_edge.train.runs import chain, one_run
from fer_edge.train.runs.configure import configure
from fer_edge.train.runs.recipe_file import read_recipe

COMMON = """
model: network.yaml
epochs: 1
batch_size: 63
warmup_epochs: 0
views: 1
teacher_share: 0.5
flip: false
rotation: 0
scale: 0
shift: 0
contrast: 0
erasing: 0
mixup: 0
"""
NETWORK = "convolutions:\n  - {filters: 4, kernel: 5, stride: 4}\n"
RECIPES = {
    "wide": "base: common\nseed: 2\n",
    "begin": "base: common\nepochs: 2\nneeds: {teachers: [wide]}\n",
    "held": "base: common\nholdout: 0.3\nneeds: {teachers: [wide]}\n",
    "student": "base: common\nholdout: 0\nneeds: {teachers: [wide], start: begin, temperature: held}\n",
}


@pytest.fixture
def recipes(tmp_path):
    folder = tmp_path / "recipes"
    folder.mkdir()
    (folder / "common.yaml").write_text(COMMON)
    (folder / "network.yaml").write_text(NETWORK)
    for name, text in RECIPES.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


@pytest.fixture
def trained(monkeypatch):
    """The names of the runs that were trained, in order; each kills the chain when its number is in `killed`."""
    names, killed, real = [], [], one_run.train_model

    def train_model(dataset, model, recipe, out, *, resume, watch, **more):
        def stop_after_one(epoch):
            if killed and epoch.epoch == 1 and killed[0] == out.name:
                killed.pop()
                raise KeyboardInterrupt

        names.append((out.name, resume))
        return real(dataset, model, recipe, out, resume=resume, watch=stop_after_one, **more)

    monkeypatch.setattr(one_run, "train_model", train_model)
    return names, killed


def card_of(folder):
    return json.loads((folder / "run.json").read_text())


def test_one_command_makes_the_chain_and_goes_on_where_it_was_killed(fer_csv, recipes, tmp_path, trained):
    names, killed = trained
    out = tmp_path / "run"
    command = ["train", str(fer_csv), "--recipe", str(recipes / "student.yaml"), "--out", str(out), "--json"]
    killed.append("begin")
    stopped = CliRunner().invoke(main, command)
    assert stopped.exit_code == 1
    assert "what is done is kept, go on with the same command" in stopped.stderr
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0, done.output
    assert names == [("wide", False), ("begin", False), ("begin", True), ("held", False), ("run", False)]
    assert json.loads(done.stdout)["model"] == str(out / "model.keras")
    card, held = card_of(out), card_of(out / "held")
    assert card["teachers"] == [{"model": "custom", "run": card_of(out / "wide")["run"]}]
    assert card["calibration"]["run"] == held["run"]
    assert held["data"]["images"]["held_out"] > 0
    assert card["recipe"]["start"] == one_run.file_hash(out / "begin" / "model.keras")
    assert "note: wide is needed: training it in" in stopped.stderr
    assert "wide is needed" not in done.stderr

    again = CliRunner().invoke(main, command)
    assert again.exit_code == 0, again.output
    assert names[5:] == [("run", True)]


class ReachedError(Exception):
    """Raised instead of the training that a chain comes to."""


def comes_to(monkeypatch, config, data):
    """Return the configuration of the first training of a chain, without beginning it."""

    def train_one(config, data, note):
        raise ReachedError(config)

    for module in (chain, one_run):
        monkeypatch.setattr(module, "train_one", train_one)
    with pytest.raises(ReachedError) as caught:
        api.train(config, data)
    return caught.value.args[0]


def test_needs_are_taken_from_a_folder_where_they_are_finished(fer_csv, recipes, tmp_path, monkeypatch):
    shelf = tmp_path / "shelf" / "wide"
    api.train(configure(shelf, read_recipe(recipes / "wide.yaml")), str(fer_csv))
    begin = read_recipe(recipes / "begin.yaml")
    config = configure(tmp_path / "run", begin, {"needs_from": shelf.parent})
    assert comes_to(monkeypatch, config, fer_csv).teachers == (shelf / "model.keras",)

    # Taken for the run of this chain, it is the same; with other settings it is not.
    same = configure(shelf.parent, begin)
    assert comes_to(monkeypatch, same, fer_csv).teachers == (shelf / "model.keras",)
    (recipes / "wide.yaml").write_text("base: common\nseed: 3\n")
    with pytest.raises(DataError, match="expected the run of this recipe, found a finished one with another recipe"):
        api.train(configure(shelf.parent, begin), fer_csv)

    card = card_of(shelf)
    del card["finished"]
    (shelf / "run.json").write_text(json.dumps(card))
    assert comes_to(monkeypatch, config, fer_csv).out == tmp_path / "run" / "wide"
    (shelf.parent / "wide.tflite").write_bytes(b"")
    assert comes_to(monkeypatch, config, fer_csv).teachers == (shelf.parent / "wide.tflite",)


def test_a_recipe_that_needs_itself(recipes, tmp_path):
    (recipes / "wide.yaml").write_text("needs: {start: begin}\n")
    with pytest.raises(DataError, match="expected needs that come to an end"):
        api.train(configure(tmp_path / "run", read_recipe(recipes / "begin.yaml")), "demo")
    assert not (tmp_path / "run").exists()


def test_votes_reach_every_run_of_the_chain(fer_csv, ferplus, recipes, tmp_path, monkeypatch):
    asked = []

    def load(data, votes, **more):
        asked.append((votes, more))
        raise ReachedError

    monkeypatch.setattr(one_run, "open_data", load)
    (recipes / "wide.yaml").write_text("base: common\nneeds: {votes: auxiliary_ferplus}\n")
    (recipes / "begin.yaml").write_text("base: common\nneeds: {votes: auxiliary_ferplus, teachers: [wide]}\n")
    given = {"auxiliary_ferplus": ferplus, "mapping": {"fear": ""}}
    with pytest.raises(ReachedError):
        api.train(configure(tmp_path / "run", read_recipe(recipes / "begin.yaml"), given), fer_csv)
    ((votes, more),) = asked
    assert (votes, more["auxiliary"], more["mapping"]) == (None, ferplus, {"fear": ""})
