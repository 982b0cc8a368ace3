"""Conversion as a program calls it."""

import json
import shutil

import pytest

from fer_edge.convert.api import convert
from fer_edge.errors import ConversionError, OutputError
from fer_edge.model_file import file_hash, read_info
from fer_edge.runtime import TFLiteModel
from fer_edge.train.data.dataset import PUBLIC_TEST

pytestmark = pytest.mark.usefixtures("quiet_converter")


def test_one_line_converts(trained, tiny, tmp_path):
    model = shutil.copy(trained, tmp_path / "model.keras")
    report = convert(model, data=tiny, qat_epochs=0)
    out = tmp_path / "model.tflite"
    assert report.out == str(out)
    assert report.sha256 == file_hash(out)
    assert report.file_bytes == out.stat().st_size
    assert TFLiteModel(out).is_int8
    assert report.comparison.split == PUBLIC_TEST
    plain = TFLiteModel(out, xnnpack=False).predict(tiny.split(PUBLIC_TEST).images)
    same = plain.argmax(axis=1) == TFLiteModel(out).predict(tiny.split(PUBLIC_TEST).images).argmax(axis=1)
    assert report.plain_kernels.agreement == same.mean()
    assert json.loads((tmp_path / "model.tflite.report.json").read_text()) == json.loads(json.dumps(report.to_dict()))


def test_the_file_and_the_report_say_the_same(trained, tiny, tmp_path):
    out = tmp_path / "model.tflite"
    report = convert(trained, out, data=tiny, qat_epochs=0, seed=2)
    info = read_info(out)
    document = json.loads(json.dumps(report.to_dict()))
    for key in ("quantization", "qat_epochs", "calibration", "data", "operators"):
        assert info.conversion[key] == document[key], key
    assert info.conversion["multiply_adds"] == document["cost"]["multiply_adds"]
    assert info.conversion["versions"] == document["machine"]["versions"]
    assert info.accuracy[PUBLIC_TEST]["agreement"] == pytest.approx(report.comparison.agreement, abs=1e-6)


def test_a_place_that_cannot_be_written_is_found_out_before_the_work(trained, tiny, tmp_path, monkeypatch):
    from fer_edge.convert import pipeline

    monkeypatch.setattr(pipeline, "quantize", lambda *_: pytest.fail("work was done"))
    with pytest.raises(OutputError, match="expected an existing folder"):
        convert(trained, tmp_path / "absent" / "model.tflite", data=tiny)


def test_another_backend_is_refused(trained, tiny, tmp_path, monkeypatch):
    from fer_edge.train.keras_setup import load_keras

    monkeypatch.setattr(load_keras().backend, "backend", lambda: "jax")
    with pytest.raises(ConversionError, match="KERAS_BACKEND=tensorflow"):
        convert(trained, tmp_path / "model.tflite", data=tiny)
