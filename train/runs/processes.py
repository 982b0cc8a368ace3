"""A training that several processes share, such as one on each machine (JAX backend), by Keras's own variables."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fer_edge.errors import ConfigError, FerEdgeError
from fer_edge.files import LOCK
from fer_edge.text import printable
from fer_edge.train.keras_setup import load_keras
from fer_edge.train.runs.config import TrainConfig

ADDRESS, COUNT, NUMBER = (f"KERAS_DISTRIBUTION_{name}" for name in ("JOB_ADDRESSES", "NUM_PROCESSES", "PROCESS_ID"))


@contextmanager
def part_of_process(config: TrainConfig, note: Callable[[str], None]) -> Iterator[TrainConfig]:
    """Join the other processes of a training, where the environment names some, and yield what this one does.

    All do the same, in step, but only the first one's files are kept: each of the others works in a copy of the
    folder that goes at the end. It begins as the first one does, which writes nothing before it has met them all.

    Args:
        config: of the training, the same in every process.
        note: is told who this process is.

    Raises:
        ConfigError: the variables name no such process, or the others cannot be joined.
        FerEdgeError: JAX failed in the block, as it does where another process has ended.
    """
    if not {ADDRESS, COUNT, NUMBER} & os.environ.keys():
        yield config
        return
    first = _join(note) == 0
    with _loss_of_another_told(), tempfile.TemporaryDirectory(prefix="fer-edge-") as scratch:
        if first:
            yield config
            return
        copy = Path(scratch) / "run"
        if config.out.is_dir():
            shutil.copytree(config.out, copy, ignore=shutil.ignore_patterns(LOCK))
        yield dataclasses.replace(config, out=copy, tensorboard=None)


def _join(note: Callable[[str], None]) -> int:
    """Return the number of this process, from 0, once it has met the others; in a second training at once."""
    address, number, count = _variables()
    keras = load_keras()
    if keras.backend.backend() != "jax":
        raise ConfigError("KERAS_BACKEND", f"{COUNT}: several processes train with JAX only; set KERAS_BACKEND=jax")
    import jax

    if not jax.distributed.is_initialized():
        note(f"process {number + 1} of {count}: meeting the others at {address}")
        try:
            with _stdout_on_stderr():
                keras.distribution.initialize(address, count, number)
        except (ValueError, RuntimeError) as error:
            reason = printable((str(error) or type(error).__name__).splitlines()[0], 200)
            raise ConfigError(
                ADDRESS,
                f"{ADDRESS}: cannot meet the other processes at {address} ({reason}); start all of them, with the "
                "address of the first",
            ) from error
    return number


@contextmanager
def _loss_of_another_told() -> Iterator[None]:
    """Raise FerEdgeError where JAX fails in the block: with all that they do in step, no process goes on alone."""
    import jax

    try:
        yield
    except jax.errors.JaxRuntimeError as error:
        reason = printable((str(error) or type(error).__name__).splitlines()[0], 200)
        raise FerEdgeError(
            f"the training's processes cannot go on together ({reason}); see whether another one has ended and why, "
            "then start all of them again, with --resume if an epoch is done"
        ) from error


def _variables() -> tuple[str, int, int]:
    """Return the address of the first process, the number of this one, and how many there are."""
    address, told = os.environ.get(ADDRESS, ""), [os.environ.get(name, "") for name in (NUMBER, COUNT)]
    host, _, port = address.split(",")[0].rpartition(":")
    if not host or not port.isdecimal() or not all(text.isdecimal() for text in told) or int(told[0]) >= int(told[1]):
        found = printable(" ".join(f"{name}={os.environ.get(name, '')}" for name in (ADDRESS, COUNT, NUMBER)), 200)
        raise ConfigError(
            ADDRESS,
            f"expected {ADDRESS} to be HOST:PORT of the first process, {COUNT} their number and {NUMBER} from 0 to one "
            f"less, found {found}; set all three",
        )
    return address, int(told[0]), int(told[1])


@contextmanager
def _stdout_on_stderr() -> Iterator[None]:
    """Send to standard error what native code says on standard output, such as Gloo: that is for the result."""
    sys.stdout.flush()
    saved = os.dup(1)
    try:
        os.dup2(2, 1)
        yield
    finally:
        with contextlib.suppress(OSError):
            sys.stdout.flush()
        os.dup2(saved, 1)
        os.close(saved)
