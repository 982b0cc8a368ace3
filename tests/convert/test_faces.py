"""The face networks become int8 files that give what the float networks give."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from fer_edge.cli import main
from fer_edge.convert.export.flatbuffer import read_tflite
from fer_edge.convert.export.verify import verify_int8_values
from fer_edge.convert.faces import OPERATORS, convert_face_network
from fer_edge.errors import ConversionError, ModelFileError
from fer_edge.faces.networks import PROPOSER, REFINER, SHAPES, FaceNetwork, open_finder
from fer_edge.model_file import ModelInfo, read_info
from fer_edge.train.faces.proposer import build_proposer
from fer_edge.train.faces.refiner import build_refiner
from fer_edge.train.loop.run_folder import save_model

BUILD = {PROPOSER: build_proposer, REFINER: build_refiner}


def pictures(name, count, seed):
    """Blurred noise: what random networks answer differently to."""
    rng = np.random.default_rng(seed)
    rows, columns = SHAPES[name][0]
    coarse = rng.integers(0, 256, (count, rows // 8, columns // 8), dtype=np.uint8)
    return coarse.repeat(8, 1).repeat(8, 2)


@pytest.fixture(scope="module")
def networks(tmp_path_factory):
    """Both networks, small and with random weights, as Keras models and as files."""
    import keras

    folder = tmp_path_factory.mktemp("networks")
    made = {}
    for name, build in BUILD.items():
        keras.utils.set_random_seed(3)
        model = build((8, 8, 8, 8))
        path = folder / f"{name}.tflite"
        path.write_bytes(convert_face_network(model, name, pictures(name, 20, 1), {"seed": 3}))
        made[name] = model, path
    return made


@pytest.mark.parametrize("name", [PROPOSER, REFINER])
def test_int8_gives_what_float_gives(networks, name):
    model, path = networks[name]
    seen = pictures(name, 6, 2)
    expected = model.predict(seen[..., None].astype(np.float32), verbose=0)
    found = FaceNetwork(path, name)(seen)
    assert found.shape == expected.shape
    assert np.abs(found - expected).mean() < 0.05 * (expected.max() - expected.min())


@pytest.mark.parametrize("name", [PROPOSER, REFINER])
def test_the_file_is_int8_and_says_what_it_is(networks, name):
    _, path = networks[name]
    contents = read_tflite(path.read_bytes())
    verify_int8_values(contents, OPERATORS, *SHAPES[name])
    info = read_info(path)
    assert (info.name, info.labels, info.training) == (name, ("face",), {"seed": 3})
    assert info.conversion["multiply_adds"] > 100_000


def test_the_gate_refuses_another_shape(networks):
    contents = read_tflite(networks[REFINER][1].read_bytes())
    with pytest.raises(ConversionError, match="the input"):
        verify_int8_values(contents, OPERATORS, (48, 64), 14)
    with pytest.raises(ConversionError, match="the output"):
        verify_int8_values(contents, OPERATORS, (48, 48), 15)
    with pytest.raises(ConversionError, match="operators"):
        verify_int8_values(contents, frozenset(), (48, 48), 14)


def test_one_network_is_not_taken_for_the_other(networks):
    with pytest.raises(ModelFileError, match="expected a face-proposer, int8 120x160 pixels"):
        open_finder(networks[REFINER][1], networks[REFINER][1])


def test_damage_is_told(networks, tmp_path):
    path = tmp_path / "torn.tflite"
    path.write_bytes(networks[REFINER][1].read_bytes()[:3000])
    with pytest.raises(ModelFileError, match=r"torn\.tflite"):
        FaceNetwork(path, REFINER)


def test_the_detector_runs_on_any_frame(networks):
    finder = open_finder(networks[PROPOSER][1], networks[REFINER][1])
    for size in ((48, 48), (120, 160), (333, 501)):
        assert isinstance(finder.find(np.zeros(size, np.uint8)), list)


@pytest.fixture
def face_run(tmp_path):
    """A run's folder with its networks, and a data set of twenty images."""
    import cv2

    rng = np.random.default_rng(0)
    lines = []
    for index in range(20):
        cv2.imwrite(str(tmp_path / f"{index}.png"), rng.integers(0, 256, (90, 120), dtype=np.uint8))
        teacher = [[30, 20, 40, 40, 0.9, *range(30, 40)]] if index % 2 else []
        lines.append(json.dumps({"file": f"{index}.png", "teacher": teacher}))
    (tmp_path / "annotations.jsonl").write_text("\n".join(lines))
    for name, build in BUILD.items():
        save_model(build((8, 8, 8, 8)), tmp_path / f"{name}.keras", ModelInfo(name, ("face",), SHAPES[name][0][0]))
    return tmp_path


def test_the_command_converts_a_face_network(face_run):
    out = face_run / "refiner.tflite"
    arguments = ["convert", str(face_run / f"{REFINER}.keras"), "--int8", "--data", str(face_run), "--out", str(out)]
    result = CliRunner().invoke(main, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    report = json.loads((face_run / "refiner.tflite.report.json").read_text())
    assert report["file_bytes"] == out.stat().st_size
    assert report["mean_difference"] < 0.2
    FaceNetwork(out, REFINER)


def test_the_command_refuses_what_is_about_expressions(face_run):
    arguments = ["convert", str(face_run / f"{REFINER}.keras"), "--int8", "--data", str(face_run)]
    result = CliRunner().invoke(main, [*arguments, "--out", str(face_run / "x.tflite"), "--qat-epochs", "2"])
    assert result.exit_code == 2
    assert "--int8 alone" in result.output
