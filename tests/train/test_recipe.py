"""A recipe refuses what no training can be, and names the setting at fault."""

import dataclasses
import json

import numpy as np
import pytest

from fer_edge.errors import ConfigError
from fer_edge.train.augment.augmentation import Augmentation
from fer_edge.train.recipe import SETTINGS, Distillation, Recipe, make_recipe


@pytest.mark.parametrize(
    ("described", "field", "value"),
    [
        (Recipe, "epochs", 0),
        (Recipe, "epochs", 2.5),
        (Recipe, "epochs", True),
        (Recipe, "batch_size", 1),
        (Recipe, "seed", 10**400),
        (Recipe, "learning_rate", 10**400),
        (Recipe, "optimizer", "lion"),
        (Recipe, "optimizer", None),
        (Recipe, "learning_rate", 0.0),
        (Recipe, "learning_rate", float("nan")),
        (Recipe, "learning_rate", "1e-3"),
        (Recipe, "weight_decay", 11),
        (Recipe, "auxiliary_share", -0.5),
        (Recipe, "dropout", 1.0),
        (Recipe, "clean", 1),
        (Recipe, "seed", 2**32),
        (Augmentation, "rotation", 181),
        (Augmentation, "mixup", 1.0),
        (Augmentation, "scale", float("inf")),
        (Distillation, "temperature", 0.0),
        (Distillation, "views", 0),
    ],
)
def test_a_value_out_of_its_range_is_refused(described, field, value):
    with pytest.raises(ConfigError, match=f"`{field}`: expected .*, found") as caught:
        described(**{field: value})
    assert caught.value.option == field


def test_a_settings_own_name_is_the_options():
    with pytest.raises(ConfigError) as caught:
        Recipe(contrast="sepia")
    assert caught.value.option == "input_contrast"
    with pytest.raises(ConfigError) as caught:
        Distillation(mixed=2)
    assert caught.value.option == "mixed_views"


@pytest.mark.parametrize(
    ("settings", "option"),
    [
        ({"optimizer": "adam", "weight_decay": 0.3}, "weight_decay"),
        ({"schedule": "constant", "warmup_epochs": 3.0}, "warmup_epochs"),
        ({"holdout": 0.0, "patience": 3}, "patience"),
        ({"holdout": 0.0, "schedule": "plateau"}, "schedule"),
        ({"contrast": "clahe", "augmentation": Augmentation(light=0.1)}, "light"),
    ],
)
def test_a_setting_that_could_not_act_is_refused(settings, option):
    with pytest.raises(ConfigError) as caught:
        Recipe(**settings)
    assert caught.value.option == option


SHARES = ("auxiliary_share", "fused_share")
"""What acts only with votes."""


def test_what_cannot_act_is_off():
    recipe = Recipe(optimizer="adam", schedule="constant", contrast="equalize")
    assert (recipe.weight_decay, recipe.warmup_epochs) == (0, 0)
    assert (recipe.augmentation.contrast, recipe.augmentation.light) == (0, 0)
    assert recipe == make_recipe(
        {"optimizer": "adam", "schedule": "constant", "input_contrast": "equalize", **dict.fromkeys(SHARES, 0.0)},
        taught=False,
    )


def test_teachers_without_a_share_of_the_loss_are_refused():
    with pytest.raises(ConfigError, match="leave `teachers` out"):
        Distillation(share=0.0)


def test_the_names_of_settings_are_theirs_alone():
    described = [field for part in (Recipe, Augmentation, Distillation) for field in dataclasses.fields(part)]
    assert len(SETTINGS) == sum("setting" in field.metadata for field in described)


def test_a_run_is_the_same_however_its_numbers_are_written():
    written = Recipe(
        holdout=0, dropout=0, learning_rate=np.float32(1), epochs=np.int64(3), augmentation=Augmentation(scale=1)
    )
    same = Recipe(holdout=0.0, dropout=0.0, learning_rate=1.0, epochs=3, augmentation=Augmentation(scale=1.0))
    assert json.dumps(written.to_dict()) == json.dumps(same.to_dict())
