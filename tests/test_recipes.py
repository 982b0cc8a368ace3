"""``benchmarks/accuracy/make`` says how the shipped models were made; their run cards say how they really were."""

import json
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from fer_edge.model_file import file_hash

ROOT = Path(__file__).parents[1]


def settings(model):
    """Return what the script gives to ``fer-edge train`` for a model, as option -> value."""
    script = (ROOT / "benchmarks" / "accuracy" / "make").read_text()
    functions = script[script.index("camera()") : script.index("train() {")]
    command = f"set -eu; votes=VOTES\n{functions}\nsettings {model}"
    words = subprocess.run(["bash", "-c", command], check=True, capture_output=True, text=True).stdout.split()
    return {word[2:]: value for word, value in pairwise(words) if word.startswith("--")}


TRAINED = ["teacher", "teacher-vgg", "teacher-vgg-b", "large", "compact", "nano", "compact-ferplus"]
TRAINED += ["compact-start", "compact-ferplus-start", "large-holdout", "compact-holdout", "nano-holdout"]
RUNS = {"nano": "nano-large", "nano-holdout": "nano-large-holdout"}
"""The script's own runs, where the shipped file is of another (docs/models.md)."""


@pytest.mark.parametrize("model", TRAINED)
def test_the_script_has_the_settings_of_its_run(model):
    run = RUNS.get(model, model)
    card = json.loads((ROOT / "benchmarks" / "results" / "accuracy" / f"{run}-run.json").read_text())
    recipe = card["recipe"]
    distillation = {f"teacher-{name}": value for name, value in recipe.get("distillation", {}).items()}
    ran = recipe | recipe["augmentation"] | distillation
    ran |= {"views": distillation.get("teacher-views"), "mixed-views": distillation.get("teacher-mixed")}
    given = settings(model)
    assert (given.pop("auxiliary-ferplus", None) == "VOTES") == ("auxiliary_share" in recipe)
    assert given.pop("model", "custom" if "vgg" in model else model) == card["model"]
    assert {"epochs", "mixup", "scale", "class-weighting"} <= given.keys()
    assert ("noise" in given) == (not model.startswith("teacher"))
    for option, value in given.items():
        key = option if option in ran else option.replace("-", "_")
        assert (option, type(ran[key])(value)) == (option, ran[key])


@pytest.mark.parametrize("model", ["compact", "compact-ferplus"])
def test_the_run_began_with_the_file_that_the_script_gives_it(model):
    card = json.loads((ROOT / "benchmarks" / "results" / "accuracy" / f"{model}-run.json").read_text())
    assert card["recipe"]["start"] == file_hash(ROOT / "benchmarks" / "accuracy" / f"{model}-start.tflite")


@pytest.mark.parametrize(
    ("model", "teachers"),
    [
        ("compact", ["accuracy/teacher", "accuracy/teacher-vgg", "accuracy/teacher-vgg-b"]),
        ("nano-large", ["../edge/models/large"]),
    ],
)
def test_the_run_was_taught_by_the_files_that_the_script_gives_it(model, teachers):
    card = json.loads((ROOT / "benchmarks" / "results" / "accuracy" / f"{model}-run.json").read_text())
    files = [file_hash(ROOT / "benchmarks" / f"{teacher}.tflite") for teacher in teachers]
    assert card["recipe"]["distillation"]["teachers"] == files
