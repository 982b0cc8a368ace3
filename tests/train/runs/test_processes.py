"""A training that several processes share: what they are told, and whose files are kept."""

import pytest

import fer_edge
from fer_edge.errors import ConfigError, FerEdgeError
from fer_edge.train.keras_setup import load_keras
from fer_edge.train.recipe import Recipe
from fer_edge.train.runs import processes
from fer_edge.train.runs.processes import ADDRESS, COUNT, NUMBER, part_of_process


@pytest.fixture
def config(tmp_path):
    return fer_edge.TrainConfig(tmp_path / "run", Recipe(epochs=1), model="nano", tensorboard=tmp_path / "board")


def test_a_training_alone_is_left_as_it_is(config, monkeypatch):
    for name in (ADDRESS, COUNT, NUMBER):
        monkeypatch.delenv(name, raising=False)
    with part_of_process(config, print) as mine:
        assert mine is config


@pytest.mark.parametrize(
    ("address", "count", "number"),
    [
        ("", "2", "0"),
        ("host", "2", "0"),
        ("host:port", "2", "0"),
        ("127.0.0.1:1", "two", "0"),
        ("127.0.0.1:1", "2", "2"),
        ("127.0.0.1:1", "2", "-1"),
        ("127.0.0.1:1", "", "0"),
    ],
)
def test_variables_that_name_no_process_are_refused(config, monkeypatch, address, count, number):
    for name, value in ((ADDRESS, address), (COUNT, count), (NUMBER, number)):
        monkeypatch.setenv(name, value)
    with (
        pytest.raises(ConfigError, match="expected KERAS_DISTRIBUTION_JOB_ADDRESSES to be HOST:PORT .*set all three"),
        part_of_process(config, print),
    ):
        pass


def test_another_backend_is_refused(config, monkeypatch):
    if load_keras().backend.backend() == "jax":
        pytest.skip("runs on JAX")
    for name, value in ((ADDRESS, "127.0.0.1:1"), (COUNT, "2"), (NUMBER, "1")):
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match="set KERAS_BACKEND=jax"), part_of_process(config, print):
        pass


@pytest.mark.parametrize("number", [0, 1])
def test_only_the_first_process_keeps_its_files(config, monkeypatch, number):
    pytest.importorskip("jax")
    monkeypatch.setenv(NUMBER, str(number))
    monkeypatch.setattr(processes, "_join", lambda note: number)
    config.out.mkdir()
    (config.out / "checkpoint.npz").write_text("of a killed run")
    with part_of_process(config, print) as mine:
        assert (mine.out / "checkpoint.npz").read_text() == "of a killed run"
        (mine.out / "checkpoint.npz").write_text("of the next epoch")
    kept = "of a killed run" if number else "of the next epoch"
    assert (config.out / "checkpoint.npz").read_text() == kept
    assert (mine.out.exists(), mine.tensorboard is None) == ((False, True) if number else (True, False))


def test_the_loss_of_another_process_is_told_in_a_line(config, monkeypatch):
    jax = pytest.importorskip("jax")
    monkeypatch.setenv(NUMBER, "0")
    monkeypatch.setattr(processes, "_join", lambda note: 0)
    with (
        pytest.raises(FerEdgeError, match=r"cannot go on together \(UNKNOWN: closed by peer\); .* --resume"),
        part_of_process(config, print),
    ):
        raise jax.errors.JaxRuntimeError("UNKNOWN: closed by peer\nand a long trace")
