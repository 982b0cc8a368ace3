"""The end of a run: the temperature in its file, found on what it held out or taken from another run."""

import dataclasses
import json
from itertools import pairwise

import numpy as np
import pytest

from fer_edge.errors import DataError
from fer_edge.labels import EXPRESSIONS
from fer_edge.model_file import ModelInfo, read_info, write_info
from fer_edge.train.augment.augmentation import Augmentation
from fer_edge.train.data.dataset import PUBLIC_TEST
from fer_edge.train.keras_model import load_model
from fer_edge.train.loop import finish as module
from fer_edge.train.loop.finish import COPIES, calibrate_file, read_calibration
from fer_edge.train.loop.temperature import Calibration, at_temperature
from fer_edge.train.loop.training import train_model
from fer_edge.train.zoo.registry import find_architecture
from tests.train.loop.conftest import LIGHT, SHORT


def test_a_run_of_all_images_takes_the_temperature_that_another_one_found(run, tiny, tmp_path):
    metadata = json.loads((run[0] / "run.json").read_text())
    with pytest.raises(DataError, match="which finds a temperature, found none"):  # 14 images are too few
        read_calibration(run[0], "compact", tiny.fingerprint, SHORT.to_dict())
    metadata["calibration"] |= {"found": True, "temperature": 1.7}
    (tmp_path / "run.json").write_text(json.dumps(metadata))
    found = read_calibration(tmp_path, "compact", tiny.fingerprint, SHORT.to_dict())
    whole = dataclasses.replace(SHORT, holdout=0.0)
    train_model(tiny, "compact", whole, tmp_path / "plain")
    train_model(tiny, "compact", whole, tmp_path / "calibrated", calibrated_like=found)
    metadata = json.loads((tmp_path / "calibrated/run.json").read_text())
    assert metadata["run"] == json.loads((tmp_path / "plain/run.json").read_text())["run"]
    assert metadata["calibration"] == {**found["calibration"], "run": found["run"]}
    assert read_info(tmp_path / "calibrated/model.keras").training["calibration"] == metadata["calibration"]
    images = tiny.split(PUBLIC_TEST).images
    plain, calibrated = (
        load_model(tmp_path / name / "model.keras").predict(images) for name in ("plain", "calibrated")
    )
    assert calibrated == pytest.approx(at_temperature(plain, 1.7), abs=1e-4)
    before = (tmp_path / "calibrated/model.keras").read_bytes()
    train_model(tiny, "compact", whole, tmp_path / "calibrated", resume=True, calibrated_like=found)
    assert (tmp_path / "calibrated/model.keras").read_bytes() == before  # folded in once


def test_the_temperature_is_found_on_copies_of_images_with_a_majority(tiny, tmp_path, monkeypatch):
    path = tmp_path / "model.keras"
    find_architecture("nano").build(48, 7, 0.0).save(path)
    write_info(path, ModelInfo("nano", EXPRESSIONS))
    split = tiny.split(PUBLIC_TEST)
    agreed = np.arange(len(split)) % 3 > 0
    votes = np.where(agreed[:, None], np.float32([0.6, 0.4, 0, 0, 0, 0, 0]), np.float32([0.5, 0.5, 0, 0, 0, 0, 0]))
    shown = []

    def calibrated(model, scores, labels, images):
        shown.append((scores.reshape(COPIES, -1, 7), labels.reshape(COPIES, -1)))
        return Calibration(1.0, 0.0, 0.0, images)

    monkeypatch.setattr(module, "calibrate", calibrated)
    wide = Augmentation(rotation=20.0, shift=0.1)
    found = calibrate_file(path, dataclasses.replace(split, votes=votes), wide, seed=1)
    ((scores, labels),) = shown
    assert (labels == split.labels[agreed]).all()
    assert found["images"] == agreed.sum()
    assert found["views"] == COPIES
    plain = load_model(path).predict(split.images[agreed])
    assert all(np.abs(copy - other).max() > 1e-3 for copy, other in pairwise([plain, *scores]))


def test_where_nobody_agrees_all_held_out_images_are_taken(tiny, tmp_path):
    path = tmp_path / "model.keras"
    find_architecture("nano").build(48, 7, 0.0).save(path)
    write_info(path, ModelInfo("nano", EXPRESSIONS))
    split = tiny.split(PUBLIC_TEST)
    disputed = dataclasses.replace(split, votes=np.full((len(split), 7), 1 / 7, np.float32))
    assert calibrate_file(path, disputed, LIGHT, seed=1)["images"] == len(split)


CALIBRATED = {
    "run": "a",
    "model": "compact",
    "data": {"fingerprint": "f"},
    "recipe": {"distillation": {"teachers": ["t"]}},
    "calibration": {"temperature": 1.2, "error_before": 0.1, "error_after": 0.05},
}


def read(folder, metadata, model="compact", fingerprint="f", teachers=("t",)):
    (folder / "run.json").write_text(metadata if isinstance(metadata, str) else json.dumps(metadata))
    return read_calibration(folder, model, fingerprint, {"distillation": {"teachers": teachers}})


@pytest.mark.parametrize(
    "metadata",
    [
        *("", "[]", "{}", '{"run": "a"}'),
        CALIBRATED | {"calibration": {"temperature": 1.2}},
        CALIBRATED | {"calibration": CALIBRATED["calibration"] | {"temperature": "hot"}},
        CALIBRATED | {"calibration": CALIBRATED["calibration"] | {"temperature": 0}},
        CALIBRATED | {"calibration": CALIBRATED["calibration"] | {"temperature": float("inf")}},
        CALIBRATED | {"calibration": CALIBRATED["calibration"] | {"run": "of another"}},
    ],
)
def test_a_run_without_a_temperature_of_its_own_is_told(tmp_path, metadata):
    with pytest.raises(DataError, match="expected the metadata of a finished run with a --holdout"):
        read(tmp_path, metadata)


@pytest.mark.parametrize(
    ("other", "what"),
    [({"model": "large"}, "model"), ({"fingerprint": "g"}, "data set"), ({"teachers": ("u",)}, "teachers")],
)
def test_the_temperature_of_another_model_data_set_or_teachers_is_told(tmp_path, other, what):
    assert read(tmp_path, CALIBRATED)["run"] == "a"
    with pytest.raises(DataError, match=f"expected a run of the same {what}, found one of another"):
        read(tmp_path, CALIBRATED, **other)
