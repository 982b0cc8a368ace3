import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fer_edge.device.bench import Durations, measure_model
from fer_edge.errors import ModelFileError


def test_durations_of_nought_to_a_hundred():
    durations = Durations.of(np.arange(101.0)[::-1])
    assert durations == Durations(mean=50.0, p50=50.0, p90=90.0, p99=99.0, max=100.0)


@given(arrays(float, st.integers(1, 200), elements=st.floats(1, 1e6)))
@settings(max_examples=50, deadline=None)
def test_percentiles_never_fall(samples):
    durations = Durations.of(samples)
    assert samples.min() <= durations.p50 <= durations.p90 <= durations.p99 <= durations.max == samples.max()


def test_measures_a_model(model_path):
    latency = measure_model(model_path, threads=1, runs=200)
    assert (latency.threads, latency.runs) == (1, 200)
    assert 0 < latency.wall_us.p50 <= latency.wall_us.p99 <= latency.wall_us.max
    assert latency.init_us > 0
    assert latency.first_us > 0
    assert latency.cpu_us > 0


def test_refuses_what_is_no_model(tmp_path):
    file = tmp_path / "text.tflite"
    file.write_text("no flatbuffer at all")
    with pytest.raises(ModelFileError, match="found a file of 20 bytes"):
        measure_model(file, threads=1, runs=1)
