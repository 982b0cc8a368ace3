import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from fer_edge.device.bench.model import BATCHES, Batches, Durations, measure_model
from fer_edge.errors import ModelFileError


def test_durations_of_nought_to_a_hundred():
    durations = Durations.of(np.arange(101.0)[::-1])
    found = (durations.mean, durations.p50, durations.p90, durations.p99, durations.max)
    assert found == (50.0, 50.0, 90.0, 99.0, 100.0)


def test_batches_are_summarized_in_the_order_of_time():
    durations = Durations.of(np.repeat(np.arange(1.0, 1 + BATCHES), 7))
    steps = tuple(map(float, range(1, 1 + BATCHES)))
    assert durations.batches == Batches(steps, steps, steps, steps)


def test_fewer_samples_make_fewer_batches():
    assert Durations.of(np.array([3.0, 1.0])).batches.p50 == (3.0, 1.0)


@given(arrays(float, st.integers(1, 200), elements=st.floats(1, 1e6)))
@settings(max_examples=50, deadline=None)
def test_percentiles_never_fall(samples):
    durations = Durations.of(samples)
    assert samples.min() <= durations.p50 <= durations.p90 <= durations.p99 <= durations.max == samples.max()


def test_measures_a_model(model_path):
    latency = measure_model(model_path, threads=1, runs=200, seconds=0)
    assert (latency.threads, latency.xnnpack, latency.runs) == (1, True, 200)
    assert 0 < latency.wall_us.p50 <= latency.wall_us.p99 <= latency.wall_us.max
    assert latency.init_us > 0
    assert latency.first_us > 0
    assert latency.cpu_us > 0


def test_goes_on_until_the_least_time_is_over(model_path):
    latency = measure_model(model_path, threads=1, runs=10, seconds=0.2)
    assert latency.runs > 10
    assert 0.2 <= latency.seconds < 5


def test_without_xnnpack_the_runtimes_own_kernels_take_longer(model_path):
    fast, plain = (measure_model(model_path, threads=1, xnnpack=on, runs=300, seconds=0) for on in (True, False))
    assert not plain.xnnpack
    assert plain.wall_us.p50 > fast.wall_us.p50


def test_refuses_what_is_no_model(tmp_path):
    file = tmp_path / "text.tflite"
    file.write_text("no flatbuffer at all")
    with pytest.raises(ModelFileError, match="found a file of 20 bytes"):
        measure_model(file, threads=1, runs=1, seconds=0)
