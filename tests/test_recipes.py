"""``benchmarks/accuracy/make`` says how the shipped models were made; their run cards say how they really were."""

import json
import subprocess
from pathlib import Path

import pytest

from fer_edge.model_file import file_hash
from fer_edge.train.commands.idle import refuse_idle
from fer_edge.train.commands.train import train

ROOT = Path(__file__).parents[1]


def settings(model, votes):
    """Return all settings of ``fer-edge train`` with what the script gives it for a model, and the model it names."""
    script = (ROOT / "benchmarks" / "accuracy" / "make").read_text()
    functions = script[script.index("camera()") : script.index("train() {")]
    command = f"set -eu; votes=VOTES\n{functions}\nsettings {model}"
    words = subprocess.run(["bash", "-c", command], check=True, capture_output=True, text=True).stdout.split()
    words = [str(votes) if word == "VOTES" else word for word in words]
    named = words[words.index("--model") + 1] if "--model" in words else "custom" if "vgg" in model else model
    if "--teacher-share" in words:  # the script names the teachers apart, and so the model and the labels
        words += ["--teacher", "large"]
    if "ferplus" in model:
        words += ["--ferplus", str(votes)]
    if "--model" not in words:
        words += ["--model", "compact"]
    context = train.make_context("train", ["demo", "--out", "runs/x", *words])
    return context.params | refuse_idle(context), named


TRAINED = ["teacher", "teacher-vgg", "teacher-vgg-b", "large", "compact", "nano", "compact-ferplus"]
TRAINED += ["compact-start", "nano-start", "compact-ferplus-start", "large-holdout", "compact-holdout", "nano-holdout"]


@pytest.mark.parametrize("model", TRAINED)
def test_the_script_has_the_settings_of_its_run(model, tmp_path):
    card = json.loads((ROOT / "benchmarks" / "results" / "accuracy" / f"{model}-run.json").read_text())
    recipe = card["recipe"]
    distillation = recipe.get("distillation", {})
    votes = tmp_path / "votes.csv"
    votes.touch()
    given, named = settings(model, votes)
    assert named == card["model"]
    assert (given["auxiliary"] == votes) == ("auxiliary_share" in recipe)
    ran = recipe | recipe["augmentation"]
    ran |= {"teacher_share": distillation.get("share"), "temperature": distillation.get("temperature")}
    ran |= {"views": distillation.get("views"), "mixed_views": distillation.get("mixed")}
    compared = {key: value for key, value in ran.items() if key in given and key != "start" and value is not None}
    assert len(compared) > 30
    assert compared == {key: given[key] for key in compared}


@pytest.mark.parametrize("model", ["compact", "nano", "compact-ferplus"])
def test_the_run_began_with_the_file_that_the_script_gives_it(model):
    card = json.loads((ROOT / "benchmarks" / "results" / "accuracy" / f"{model}-run.json").read_text())
    assert card["recipe"]["start"] == file_hash(ROOT / "benchmarks" / "accuracy" / f"{model}-start.tflite")


@pytest.mark.parametrize("model", ["compact", "nano"])
def test_the_run_was_taught_by_the_files_that_the_script_gives_it(model):
    card = json.loads((ROOT / "benchmarks" / "results" / "accuracy" / f"{model}-run.json").read_text())
    teachers = ("teacher", "teacher-vgg", "teacher-vgg-b")
    files = [file_hash(ROOT / "benchmarks" / "accuracy" / f"{teacher}.tflite") for teacher in teachers]
    assert card["recipe"]["distillation"]["teachers"] == files
