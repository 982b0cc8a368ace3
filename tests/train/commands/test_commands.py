"""The data and train commands as a user runs them."""

import dataclasses
import json

import pytest
from click.testing import CliRunner

from fer_edge.cli import main

PNG = b"\x89PNG"


def run(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments])


def test_inspect_as_a_table(fer_csv, tmp_path):
    result = run("data", "inspect", fer_csv, "--plots", tmp_path / "plots")
    assert result.exit_code == 0, result.output
    assert "175 images" in result.output
    assert "     0 groups of equal images that cross splits" in result.output
    assert (tmp_path / "plots/classes.png").read_bytes().startswith(PNG)
    assert not (tmp_path / "plots/blank.png").exists()


def test_inspect_draws_what_is_wrong(fer_csv, tmp_path):
    lines = fer_csv.read_text().splitlines()
    emotion, pixels, usage = lines[1].split(",")
    lines += [f"{(int(emotion) + 1) % 7},{pixels},{usage}", f"3,{' '.join(['0'] * 2304)},Training"]
    fer_csv.write_text("\n".join(lines) + "\n")
    result = run("data", "inspect", fer_csv, "--plots", tmp_path / "plots", "--json")
    assert json.loads(result.stdout)["faults"] == {"surplus": 1, "crossing": 0, "conflicting": 1, "blank": 1}
    for name in ("classes.png", "blank.png", "conflicting.png"):
        assert (tmp_path / "plots" / name).read_bytes().startswith(PNG)


def test_inspect_json(fer_csv, tiny):
    document = json.loads(run("data", "inspect", fer_csv, "--json").stdout)
    assert document["counts"]["Training"] == dict.fromkeys(tiny.labels, 20)
    assert document["fingerprint"] == tiny.fingerprint


def test_preview(fer_csv, tmp_path):
    result = run("data", "preview", fer_csv, "--out", tmp_path / "sheet.png")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "sheet.png").read_bytes().startswith(PNG)


def test_preview_has_trains_options_of_every_element(fer_csv, tmp_path):
    from fer_edge.train.augment.augmentation import Augmentation
    from fer_edge.train.commands.data import preview

    assert {field.name for field in dataclasses.fields(Augmentation)} <= {option.name for option in preview.params}
    still = [
        "--no-flip",
        *(word for name in ("scale", "shift", "contrast", "erasing", "mixup") for word in (f"--{name}", 0)),
    ]
    drawn = set()
    for other in (["--rotation", 90], [], ["--cutmix", 0.99], ["--input-contrast", "equalize"]):
        result = run("data", "preview", fer_csv, "--out", tmp_path / "sheet.png", *still, "--rotation", 0, *other)
        assert result.exit_code == 0, result.output
        drawn.add((tmp_path / "sheet.png").read_bytes())
    assert len(drawn) == 4
    assert run("data", "preview", fer_csv, "--out", tmp_path / "x.png", "--rotation", 181).exit_code == 2


def test_train_and_what_it_leaves(fer_csv, tmp_path):
    out = tmp_path / "run"
    result = run("train", fer_csv, "--out", out, "--epochs", 1, "--batch-size", 35, "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["model"] == str(out / "model.keras")
    assert 0 <= document["holdout_accuracy"] <= 1
    names = {path.name for path in out.iterdir()}
    described = {"curves.png", "model.png", "model.txt"}
    assert names == {"model.keras", "checkpoint.npz", "history.csv", "run.json", *described}
    origin = json.loads((out / "run.json").read_text())["origin"]
    assert origin["data"] == str(fer_csv)  # the command is that of a process of its own
    again = run("train", fer_csv, "--out", out, "--epochs", 1, "--batch-size", 35)
    assert again.exit_code == 1
    assert again.stderr.startswith("Error: ")
    assert again.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["train", "demo"], 2),  # no --out
        (["train", "/no/such.csv", "--out", "x"], 2),
        (["train", "demo", "--out", "x", "--model", "huge"], 2),
        (["train", "demo", "--out", "x", "--epochs", "0"], 2),
        (["train", "demo", "--out", "x", "--dropout", "1.5"], 2),
        (["data", "inspect"], 2),
        (["evaluate", "none.keras", "--data", "demo"], 2),
    ],
)
def test_wrong_usage(arguments, status, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert result.exit_code == status
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written(fer_csv, tmp_path):
    (tmp_path / "file").write_text("")
    result = run("train", fer_csv, "--out", tmp_path / "file" / "run", "--epochs", 1)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("Error: ")
    assert "Traceback" not in result.stderr


def test_an_empty_folder(tmp_path):
    (tmp_path / "empty").mkdir()
    result = run("train", tmp_path / "empty", "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert "found an empty folder" in result.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["sheet", "sheet.xyz", "sheet.pdf"])
def test_preview_writes_png_alone(fer_csv, tmp_path, name):
    result = run("data", "preview", fer_csv, "--out", tmp_path / name)
    assert result.exit_code == 2
    assert "expected a name that ends in .png" in " ".join(result.stderr.split())
    assert [path.name for path in tmp_path.iterdir()] == ["fer2013.csv"]


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_seeds_that_no_generator_takes(fer_csv, tmp_path, seed):
    for arguments in (
        ["data", "preview", fer_csv, "--out", tmp_path / "x.png"],
        ["train", fer_csv, "--out", tmp_path / "x"],
    ):
        result = run(*arguments, "--seed", seed)
        assert result.exit_code == 2, result.output
        assert "Traceback" not in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["fer2013.csv"]


def test_the_largest_seed(fer_csv, tmp_path):
    from fer_edge.train.commands.options import SEED

    result = run("data", "preview", fer_csv, "--out", tmp_path / "x.png", "--seed", SEED.max)
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(
    ("epoch", "said"),
    [(False, "nothing is kept, start again with the same arguments"), (True, "the same arguments and --resume")],
)
def test_an_interrupt_says_how_to_go_on(fer_csv, tmp_path, monkeypatch, epoch, said):
    from fer_edge.train.runs import one_run

    def interrupted(dataset, model, recipe, out, **_):
        out.mkdir()
        if epoch:
            (out / "checkpoint.npz").write_bytes(b"")
        raise KeyboardInterrupt

    monkeypatch.setattr(one_run, "train_model", interrupted)
    result = run("train", fer_csv, "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert said in result.stderr
    assert ("--resume" in result.stderr) is epoch
