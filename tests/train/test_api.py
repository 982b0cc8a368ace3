"""Training and measuring without the command line; the library's tests run what the docstrings show."""

import dataclasses
import subprocess
import sys

import pytest

from fer_edge.errors import ConfigError, DataError
from fer_edge.model_file import read_info
from fer_edge.train import api
from fer_edge.train.data.dataset import PhotoFaces
from fer_edge.train.data.load import load_dataset
from fer_edge.train.recipe import Recipe
from fer_edge.train.runs.config import TrainConfig


def test_a_tflite_file_is_measured_without_keras():
    code = (
        "import sys\nfor name in ('keras', 'tensorflow', 'jax', 'torch'): sys.modules[name] = None\n"
        "import fer_edge\nprint(fer_edge.evaluate('nano', 'demo').metrics.images > 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "True", done.stderr


def test_what_is_no_configuration_is_refused():
    with pytest.raises(ConfigError, match="expected a TrainConfig, found Recipe"):
        api.train(Recipe(), "demo")


def test_what_a_user_should_know_is_logged(tmp_path, fer_csv, ferplus, caplog):
    caplog.set_level("INFO", "fer_edge.train.api")
    with pytest.raises(DataError, match="expected the checkpoint of a run to resume"):
        api.train(TrainConfig(tmp_path / "run", Recipe(epochs=1), ferplus=ferplus, resume=True), fer_csv)
    assert any(record.message.startswith("FER+ labels from fer2013new.csv") for record in caplog.records)


def test_a_data_set_that_is_open(tiny, tmp_path):
    report = api.evaluate("compact", tiny)
    assert report.metrics.images == 35
    assert report.to_dict()["data"] == {"name": "tiny", "fingerprint": tiny.fingerprint, "split": "PublicTest"}
    assert report.to_text().startswith("compact.tflite on PublicTest: 35 images")
    with pytest.raises(ConfigError) as caught:
        api.evaluate("compact", tiny, mapping={"fear": ""})
    assert caught.value.option == "mapping"
    with pytest.raises(ConfigError) as caught:
        api.train(TrainConfig(tmp_path / "run", mapping={"fear": ""}), tiny)
    assert caught.value.option == "mapping"


@pytest.mark.parametrize("upright", [True, False])
def test_a_model_of_upright_photos_says_so(tiny, tmp_path, upright):
    photos = dataclasses.replace(tiny, photos=PhotoFaces(175, (), (), upright=upright))
    config = TrainConfig(tmp_path / "run", Recipe(epochs=1, holdout=0), model="nano")
    outcome = api.train(config, photos)
    assert read_info(outcome.model).framing == ("eyes" if upright else "box")


@pytest.mark.parametrize("data", ["/no/such.csv", "demo+gone", ""])
def test_data_that_are_not_there(data, tmp_path):
    for call in (lambda: api.evaluate("compact", data), lambda: api.train(TrainConfig(tmp_path / "run"), data)):
        with pytest.raises(DataError, match="found no such file"):
            call()
    assert not (tmp_path / "run").exists()


def test_an_open_data_set_and_its_name_are_the_same(tmp_path, fer_csv):
    one, other = api.evaluate("nano", fer_csv), api.evaluate(["nano"], load_dataset(str(fer_csv)))
    assert one.to_dict() | {"machine": 0} == other.to_dict() | {"machine": 0}
