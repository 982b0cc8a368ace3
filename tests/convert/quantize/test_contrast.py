"""A model that wants its contrast normalised is calibrated, compared and stored that way."""

import dataclasses
import shutil

import numpy as np
import pytest

from fer_edge.convert.api import convert
from fer_edge.model_file import read_info, write_info
from fer_edge.train.data.dataset import Dataset, Split


@pytest.mark.usefixtures("quiet_converter")
def test_conversion_sees_what_the_classifier_sees(trained, tiny, tmp_path):
    model = shutil.copy(trained, tmp_path / "model.keras")
    write_info(model, dataclasses.replace(read_info(trained), contrast="equalize"))
    # Ranges of pictures this dull are far too narrow for what equalization makes of them.
    dull = {
        name: Split((split.images // 16 + 120).astype(np.uint8), split.labels, split.rows)
        for name, split in tiny.splits.items()
    }
    report = convert(model, tmp_path / "out.tflite", data=Dataset.make("dull", tiny.labels, dull), qat_epochs=0)
    assert read_info(tmp_path / "out.tflite").contrast == "equalize"
    assert report.comparison.agreement > 0.95
    assert report.comparison.largest_difference < 0.15
