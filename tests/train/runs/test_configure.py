"""From a recipe and what is given by hand to a configuration."""

from pathlib import Path

import pytest

from fer_edge.errors import ConfigError
from fer_edge.shipped import shipped_models
from fer_edge.train.recipe import Distillation, Recipe
from fer_edge.train.runs.config import TrainConfig
from fer_edge.train.runs.configure import configure
from fer_edge.train.runs.recipe_file import find_recipe, read_recipe

VOTES = Path("votes.csv")


def compact(**given):
    return configure(Path("x"), read_recipe(find_recipe("compact-fer2013")), {"auxiliary_ferplus": VOTES, **given})


def test_the_needs_of_a_recipe_go_where_they_are_given_by_hand():
    needs = compact().needs
    assert (len(needs.teachers), needs.start.stem, needs.temperature.stem) == (
        3,
        "compact-start",
        "compact-fer2013-holdout",
    )
    found = compact(teachers=("large",))
    assert (found.needs.teachers, found.teachers) == ((), (shipped_models()["large"],))
    assert found.recipe.distillation == Distillation(share=0.8, views=24)
    assert compact(start_from="compact").needs.start is None
    assert compact(temperature_from=Path("run")).needs.temperature is None
    assert compact(holdout=0.1).needs.temperature is None  # it finds its own


def test_a_recipe_is_repeatable_and_options_alone_are_not():
    assert compact().repeatable
    assert not configure(Path("x")).repeatable


@pytest.mark.parametrize(
    ("given", "option"),
    [
        ({"auxiliary_share": 0.7}, "auxiliary_share"),
        ({"ferplus_target": "majority"}, "ferplus_target"),
        ({"ferplus_target": "cross-entropy"}, "ferplus_target"),
        ({"views": 3}, "views"),
        ({"views": 16}, "views"),  # its default, but by hand
        ({"optimizer": "adam", "weight_decay": 0.01}, "weight_decay"),
        ({"schedule": "constant", "warmup_epochs": 2.0}, "warmup_epochs"),
        ({"model": "huge"}, "model"),
        ({"model": "huge.yaml"}, "model"),
        ({"temperature_from": Path("x")}, "temperature_from"),
        ({"protocol": "leaky-resample"}, "protocol"),
        ({"protocol": "leaky-resample", "resample": "ros", "ferplus": VOTES}, "protocol"),
        ({"auxiliary_ferplus": VOTES, "resample": "ros"}, "auxiliary_ferplus"),
        ({"auxiliary_ferplus": VOTES, "ferplus": VOTES}, "auxiliary_ferplus"),
        ({"epocs": 3}, "epocs"),
        ({"recipe": "compact-fer2013"}, "recipe"),
    ],
)
def test_what_is_given_by_hand_and_cannot_act_is_refused(given, option):
    with pytest.raises(ConfigError) as caught:
        configure(Path("x"), None, given)
    assert caught.value.option == option


@pytest.mark.parametrize(
    ("fields", "option"),
    [
        ({"recipe": Recipe(distillation=Distillation())}, "teacher_share"),
        ({"recipe": Recipe(auxiliary_share=0.5)}, "auxiliary_share"),
        ({"ferplus_target": "majority"}, "ferplus_target"),
        ({"ferplus_target": "mode"}, "ferplus_target"),
        ({"model": "huge"}, "model"),
    ],
)
def test_a_configuration_made_by_a_program_is_checked_too(fields, option):
    with pytest.raises(ConfigError) as caught:
        TrainConfig(Path("x"), **fields)
    assert caught.value.option == option


def test_files_bring_the_settings_that_they_need(tmp_path):
    own = tmp_path / "own.keras"
    own.touch()
    config = TrainConfig("x", auxiliary_ferplus=VOTES, teachers=("large", str(own)))
    assert config.recipe.auxiliary_share == 0.5
    assert config.recipe.distillation == Distillation()
    assert config.teachers == (shipped_models()["large"], own)
    assert config.out == Path("x")


def test_a_recipe_by_its_name_is_the_same_as_its_file():
    given = {"auxiliary_ferplus": VOTES}
    assert (
        configure("x", "compact-fer2013", given)
        == configure(Path("x"), find_recipe("compact-fer2013"), given)
        == compact()
    )


def test_votes_that_a_recipe_needs_are_asked_for():
    with pytest.raises(ConfigError, match="give `ferplus`") as caught:
        configure(Path("x"), read_recipe(find_recipe("compact-ferplus")), {})
    assert caught.value.option == "ferplus"
