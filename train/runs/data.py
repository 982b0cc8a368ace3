"""The data set of a run, by its name or open already."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from fer_edge.errors import ConfigError
from fer_edge.train.data.dataset import Dataset
from fer_edge.train.data.form import FER_FORM, Form
from fer_edge.train.data.load import load_dataset
from fer_edge.train.data.spec import AUTO

Data = str | os.PathLike[str] | Dataset
"""A data set, or what `load_dataset` takes."""


def open_data(
    data: Data,
    ferplus: Path | None = None,
    *,
    soft: bool = True,
    mapping: Mapping[str, str],
    auxiliary: Path | None = None,
    fused: tuple[Path, float] | None = None,
    form: Form = FER_FORM,
    faces: str = AUTO,
) -> Dataset:
    """Return a data set that is open already, or load it as `load_dataset` does.

    Raises:
        ConfigError: one that is open cannot be given votes, joined classes or other faces any more.
        DataError: it cannot be read.
    """
    if not isinstance(data, Dataset):
        return load_dataset(
            os.fspath(data),
            ferplus,
            soft=soft,
            mapping=mapping,
            auxiliary=auxiliary,
            fused=fused,
            form=form,
            faces=faces,
        )
    votes = {"ferplus": ferplus, "auxiliary_ferplus": auxiliary, "fused_ferplus": fused}
    cut = "" if faces == AUTO else faces
    for name, value in {**votes, "mapping": mapping, "faces": cut}.items():
        if value:
            raise ConfigError(name, f"`{name}` is for data that are to be read; load the data set with it")
    return data
