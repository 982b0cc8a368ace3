"""What the train command adds to a run: presets, protocols, balancing, contrast, logs, pictures of the network."""

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from fer_edge.model_file import read_info
from fer_edge.train.augment.augmentation import Augmentation
from fer_edge.train.commands.train import configuration_of, train
from fer_edge.train.recipe import Distillation, Recipe
from fer_edge.train.runs.config import TrainConfig
from fer_edge.train.runs.recipe_file import published_recipes
from fer_edge.train.settings import settings_of


def run(*arguments):
    return CliRunner().invoke(main, ["train", *map(str, arguments)])


def configured(*arguments):
    """Return the configuration that the command would train with."""
    with click.Context(train) as context:
        train.parse_args(context, [str(a) for a in ("demo", "--out", "x", *arguments)])
        return configuration_of(context)


@pytest.mark.parametrize("name", published_recipes())
def test_a_preset_is_the_recipe_of_that_name(name):
    assert configured("--preset", name) == configured("--recipe", name)


def test_an_option_given_by_hand_wins_over_the_recipe():
    found = configured("--epochs", "3", "--preset", "jain", "--dropout", "0.2")
    assert (found.recipe.epochs, found.recipe.dropout, found.model) == (3, 0.2, "deep-cnn")
    assert found.recipe.augmentation.rotation == 10


def test_a_default_given_by_hand_wins_over_the_recipe():
    assert configured("--preset", "jain", "--batch-size", "64", "--scale", "0.2").recipe.augmentation.scale == 0.2


def test_an_unknown_preset_is_refused():
    result = run("demo", "--out", "x", "--preset", "none")
    assert result.exit_code == 2
    assert "'none' is none of aucairo, ioannou, jain" in result.output


def test_two_recipes_at_once_are_refused():
    result = run("demo", "--out", "x", "--preset", "jain", "--recipe", "compact-fer2013")
    assert result.exit_code == 2
    assert "--preset names a recipe as well: give it or --recipe" in result.output


def test_an_unknown_recipe_is_refused_with_the_nearest_one():
    result = run("demo", "--out", "x", "--recipe", "compct")
    assert result.exit_code == 2
    assert "did you mean 'compact'?" in " ".join(result.output.split())


def test_without_options_all_is_at_its_default():
    assert configured() == TrainConfig(Path("x"))


@pytest.mark.parametrize("described", [Recipe, Augmentation, Distillation, TrainConfig])
def test_every_setting_has_an_option_with_its_default_range_and_help(described):
    options = {parameter.name: parameter for parameter in train.params}
    for setting in settings_of(described).values():
        option = options[setting.name]
        assert option.opts[0] == "--" + setting.name.replace("_", "-")
        assert option.is_flag or option.default == setting.default
        assert not option.is_flag or setting.default == (option.default is True)
        assert option.help == setting.help
        assert option.help[0].isupper()
        if setting.choices:
            assert tuple(filter(None, option.type.choices)) == setting.choices
        if setting.within:
            bounds = (option.type.min, option.type.max if option.type.max is not None else float("inf"))
            assert bounds == (setting.within.low, setting.within.high)


def test_the_help_needs_neither_keras_nor_numpy():
    program = (
        "import sys\nfrom click.testing import CliRunner\nfrom fer_edge.cli import main\n"
        "print(CliRunner().invoke(main, ['train', '--help']).output)\n"
        "print([name for name in ('keras', 'numpy', 'yaml') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "--learning-rate FLOAT RANGE" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"


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
    assert message in " ".join(result.output.replace("\u2502", " ").split())


def test_a_dropout_that_the_network_fixes(tmp_path):
    network = tmp_path / "own.yaml"
    network.write_text("convolutions:\n  - {filters: 8}\ndropout: 0.1\n")
    result = run("demo", "--out", tmp_path / "run", "--model", network, "--dropout", "0.3")
    assert result.exit_code == 2
    assert "--dropout 0.3 would do nothing: the network fixes its own" in result.output


def test_what_cannot_act_is_none_in_the_card_and_off_is_never_refused():
    recipe = configured("--preset", "jain", "--holdout", "0", "--patience", "0", "--weight-decay", "0").recipe
    assert (recipe.weight_decay, recipe.warmup_epochs, recipe.patience, recipe.auxiliary_share) == (0, 0, 0, 0)


def test_what_a_recipe_says_and_an_option_undoes_is_off_and_not_refused(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text("weight_decay: 0.02\npatience: 4\nlight: 0.1\n")
    recipe = configured("--recipe", path, "--optimizer", "adam", "--holdout", "0", "--input-contrast", "clahe").recipe
    assert (recipe.weight_decay, recipe.patience, recipe.augmentation.light) == (0, 0, 0)


def test_a_recipe_with_an_unknown_key_is_no_wrong_usage(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text("model: nano\nepocs: 3\n")
    result = run("demo", "--out", tmp_path / "run", "--recipe", path)
    assert result.exit_code == 1
    assert f"{path}: line 2: expected a setting of a recipe, found 'epocs'; did you mean 'epochs'?" in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_recipe_that_learns_from_votes_asks_for_them(tmp_path):
    result = run("demo", "--out", tmp_path / "run", "--recipe", "teacher")
    assert result.exit_code == 2
    assert "give --auxiliary-ferplus fer2013new.csv" in " ".join(result.output.split())
