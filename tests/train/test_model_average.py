"""The mean of models' weights: their shares, what it says of itself, and members that do not belong together."""

import dataclasses
import json

import numpy as np
import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from fer_edge.errors import ModelFileError
from fer_edge.model_file import read_info, write_info
from fer_edge.train.augment.augmenter import Augmentation
from fer_edge.train.data.dataset import TRAINING
from fer_edge.train.keras_model import load_model
from fer_edge.train.loop.training import train_model
from fer_edge.train.model_average import Member, average_models
from fer_edge.train.recipe import Recipe

SHORT = Recipe(epochs=1, batch_size=20, warmup_epochs=0.0, augmentation=Augmentation(mixup=0.0))


@pytest.fixture(scope="module")
def runs(tiny, tmp_path_factory):
    """A run, and two that go on from it with other seeds."""
    folder = tmp_path_factory.mktemp("runs")
    train_model(tiny, "nano", SHORT, folder / "start")
    for seed in (2, 3):
        recipe = dataclasses.replace(SHORT, seed=seed, start="start")
        train_model(tiny, "nano", recipe, folder / f"run{seed}", start=folder / "start" / "model.keras")
    return folder


def files(runs):
    return [runs / name / "model.keras" for name in ("run2", "run3")]


def kernels(path):
    model = path if not hasattr(path, "suffix") else load_model(path).model
    return [layer.kernel.numpy() for layer in model.layers if hasattr(layer, "kernel")]


def test_kernels_are_the_weighted_mean_and_statistics_its_own(runs, tiny):
    images = tiny.split(TRAINING).images
    found = average_models([Member(path, share) for path, share in zip(files(runs), (3.0, 1.0), strict=True)], images)
    for a, b, mean in zip(*map(kernels, files(runs)), kernels(found.model), strict=True):
        assert np.allclose(mean, 0.75 * a + 0.25 * b, atol=1e-6)
    averaged = found.info.training["averaged"]
    assert [member["share"] for member in averaged] == [0.75, 0.25]
    assert [member["run"] for member in averaged] == [read_info(path).training["run"] for path in files(runs)]
    norm = next(layer for layer in found.model.layers if type(layer).__name__ == "BatchNormalization")
    means = [load_model(path).model.get_layer(norm.name).moving_mean.numpy() for path in files(runs)]
    assert not np.allclose(norm.moving_mean.numpy(), 0.75 * means[0] + 0.25 * means[1], atol=1e-6)


def test_a_model_and_itself_are_that_model(runs, tiny):
    path = files(runs)[0]
    found = average_models([Member(path, 1.0), Member(path, 1.0)], tiny.split(TRAINING).images)
    assert all(map(np.allclose, kernels(path), kernels(found.model)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": ("a", "b", "c", "d", "e", "f", "g")}, "expected a model like"),
        ({"contrast": "clahe"}, "contrast clahe"),
        ({"training": {"recipe": {"symmetric": True}}}, "found nano, 48x48, contrast none, symmetric"),
    ],
)
def test_members_that_do_not_belong_together_are_refused(runs, tiny, tmp_path, change, message):
    first, second = files(runs)
    other = tmp_path / "other.keras"
    other.write_bytes(second.read_bytes())
    write_info(other, dataclasses.replace(read_info(second), **change))
    with pytest.raises(ModelFileError, match=message) as caught:
        average_models([Member(first, 1.0), Member(other, 1.0)], tiny.split(TRAINING).images)
    assert "\n" not in str(caught.value)


def average(*arguments):
    return CliRunner().invoke(main, ["average", *map(str, arguments)])


def test_the_command_writes_a_model_that_converts_and_teaches_like_any_other(runs, fer_csv, tmp_path):
    out = tmp_path / "mean.keras"
    first, second = files(runs)
    result = average(f"{first}:0.6", f"{second}:0.4", "--data", fer_csv, "--out", out)
    assert result.exit_code == 0, result.output
    assert result.stdout.strip() == str(out)
    info = read_info(out)
    assert [member["share"] for member in info.training["averaged"]] == [0.6, 0.4]
    assert json.loads(info.to_json())["name"] == "nano"
    trained = CliRunner().invoke(
        main,
        [
            "train",
            str(fer_csv),
            "--model",
            "nano",
            "--epochs",
            "1",
            "--start-from",
            str(out),
            "--out",
            str(tmp_path / "r"),
        ],
    )
    assert trained.exit_code == 0, trained.output


def test_a_shipped_file_may_be_a_member(runs, fer_csv, tmp_path):
    result = average("nano", "nano:2", "--data", fer_csv, "--out", tmp_path / "mean.keras")
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nano"], "expected two models or more"),
        (["nano:0", "nano"], "expected a share above 0, found 0"),
        (["nano:-1", "nano"], "expected a share above 0"),
        (["nano:nan", "nano"], "expected a share above 0"),
        (["nobody:0.5", "nano"], "'nobody' is neither a file nor a shipped model"),
        (["nano:half", "nano"], "'nano:half' is neither a file nor a shipped model"),
    ],
)
def test_wrong_usage(arguments, message, tmp_path):
    result = average(*arguments, "--data", "demo", "--out", tmp_path / "mean.keras")
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


def test_what_cannot_be_written_is_found_out_first(tmp_path):
    assert "ends in .keras" in average("nano", "nano", "--data", "demo", "--out", tmp_path / "mean.tflite").output
    missing = average("nano", "nano", "--data", "demo", "--out", tmp_path / "no" / "mean.keras")
    assert missing.exit_code == 2
    assert "its folder does not exist" in missing.output
