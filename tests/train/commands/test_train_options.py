"""What the train command adds to a run: presets, protocols, balancing, contrast, logs, pictures of the network."""

import json

import click
import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from fer_edge.model_file import read_info
from fer_edge.train.commands.idle import refuse_idle
from fer_edge.train.commands.train import train
from fer_edge.train.presets import PRESETS
from fer_edge.train.recipe import Recipe
from fer_edge.train.zoo.registry import ZOO


def run(*arguments):
    return CliRunner().invoke(main, ["train", *map(str, arguments)])


def parsed(*arguments):
    """Return the options as the command would get them, without running it."""
    with click.Context(train) as context:
        train.parse_args(context, [str(a) for a in ("demo", "--out", "x", *arguments)])
        return context.params


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_names_options_and_a_model_of_the_zoo(name):
    options = {parameter.name: parameter for parameter in train.params}
    assert PRESETS[name].keys() <= options.keys()
    assert PRESETS[name]["model"] in ZOO
    found = parsed("--preset", name)
    for key, value in PRESETS[name].items():
        assert found[key] == value


def test_an_option_given_by_hand_wins_over_the_preset():
    found = parsed("--epochs", "3", "--preset", "jain")
    assert (found["epochs"], found["model"]) == (3, "deep-cnn")


def test_an_unknown_preset_is_refused():
    result = run("demo", "--out", "x", "--preset", "none")
    assert result.exit_code == 2
    assert "'none' is none of jain" in result.output


def test_the_commands_defaults_are_the_recipes():
    found, recipe = parsed(), Recipe().to_dict()
    augmentation = recipe.pop("augmentation")
    for name, value in {**recipe, **augmentation}.items():
        if name == "contrast":
            continue  # two options: the augmentation's, and the input's
        if name not in ("drop_leaks",):
            assert found[name] == value, name
    assert found["contrast"] == augmentation["contrast"]
    assert found["contrast_normalisation"] == recipe["contrast"]


def test_balanced_contrast_normalised_and_described(fer_csv, tmp_path):
    out = tmp_path / "run"
    result = run(
        *(fer_csv, "--model", "nano", "--epochs", 1, "--out", out, "--resample", "ros", "--input-contrast", "equalize"),
        *("--tensorboard", tmp_path / "logs", "--json"),
    )
    assert result.exit_code == 0, result.output
    assert read_info(out / "model.keras").contrast == "equalize"
    recipe = json.loads((out / "run.json").read_text())["recipe"]
    assert recipe["resample"] == "ros"
    assert (recipe["augmentation"]["contrast"], recipe["augmentation"]["light"]) == (0, 0)  # equalizing undoes them
    table = (out / "model.txt").read_text()
    assert "conv1" in table
    assert "Param #" in table  # a table of 80 columns, where there is no terminal, has no room for it
    assert (out / "model.png").read_bytes().startswith(b"\x89PNG")
    assert next(p.name for p in (tmp_path / "logs").iterdir()).startswith("events.out.tfevents")


def test_the_leaky_protocol_warns_wherever_its_number_stands(fer_csv, tmp_path):
    out = tmp_path / "run"
    arguments = ("--model", "nano", "--epochs", 1, "--out", out, "--protocol", "leaky-resample", "--resample", "ros")
    result = run(fer_csv, *arguments)
    assert result.exit_code == 0, result.output
    assert "WARNING: that split holds copies of training images" in result.output
    card = json.loads((out / "run.json").read_text())
    assert "LEAKY" in card["leaky_test_accuracy"]["warning"]
    assert "leaky ros" in card["data"]["name"]
    assert card["recipe"]["protocol"] == "leaky-resample, ros"
    # 175 pictures of seven classes, 80/10/10: a leaky tenth decides, and none of Training is taken away for it.
    assert card["data"]["images"] == {"trained": 139, "held_out": 18, "dropped": 0}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--protocol", "leaky-resample"), "give --resample too"),
        (("--schedule", "plateau", "--holdout", "0"), "give a --holdout above 0"),
        (("--temperature-from", "."), "--temperature-from is for --holdout 0"),
        (("--patience", "3", "--holdout", "0"), "--patience 3 would do nothing"),
        (("--teacher", "nano", "--teacher-share", "0"), "--teacher-share 0.0 would do nothing: leave --teacher out"),
        (("--optimizer", "adam", "--weight-decay", "0.3"), "--weight-decay 0.3 would do nothing"),
        (("--schedule", "constant", "--warmup-epochs", "3"), "only --schedule cosine warms up"),
        (("--input-contrast", "clahe", "--light", "0.1"), "--input-contrast undoes it"),
        (("--auxiliary-share", "0.7"), "there is no --auxiliary-ferplus"),
        (("--views", "3"), "there is no --teacher"),
        (("--mixed-views", "0.5"), "--mixed-views 0.5 would do nothing: there is no --teacher"),
        (("--learning-rate", "nan"), "--learning-rate"),
        (("--scale", "inf"), "--scale"),
        (("--model", "none"), "is not in the zoo"),
        (("--teacher", "gone.keras"), "is neither a file nor a shipped model"),
        (("--start-from", "gone.keras"), "neither a file nor a shipped model"),
        (("--map", "sad=angry", "--map", "sad=fear"), "'sad' cannot become both 'angry' and 'fear'"),
    ],
)
def test_wrong_usage(tmp_path, arguments, message):
    result = run("demo", "--out", tmp_path / "run", *arguments)
    assert result.exit_code == 2
    assert message in result.output


def test_a_dropout_that_the_network_fixes(tmp_path):
    network = tmp_path / "own.yaml"
    network.write_text("convolutions:\n  - {filters: 8}\ndropout: 0.1\n")
    result = run("demo", "--out", tmp_path / "run", "--model", network, "--dropout", "0.3")
    assert result.exit_code == 2
    assert "--dropout 0.3 would do nothing: the network fixes its own" in result.output


def test_what_cannot_act_is_none_in_the_card_and_off_is_never_refused():
    with click.Context(train) as context:
        words = ("demo", "--out", "x", "--preset", "jain", "--holdout", "0", "--patience", "0", "--weight-decay", "0")
        train.parse_args(context, list(words))
        off = refuse_idle(context)
    assert off == {"weight_decay": 0, "warmup_epochs": 0, "patience": 0, "auxiliary_share": 0}
