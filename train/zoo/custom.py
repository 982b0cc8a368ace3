"""A network of one's own, from a small YAML file, checked before anything is trained.

The options are those that Alizadeh and Fazel (arXiv:1704.06756) searched over; `fer_edge.train.zoo.convnet` builds it::

    convolutions:
      - {filters: 32, kernel: 5, stride: 2}
      - {filters: 64, pool: 2}
    dense: [256]
    batch_norm: true
    dropout: 0.25
    l2: 1e-7

Every key may be missing, but for ``filters``; what then holds is said at `Convolution` and `Network`.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from fer_edge.errors import DataError
from fer_edge.train.yaml_file import compose_yaml, refuse_node, shown
from fer_edge.train.zoo.convnet import Convolution, Network

MOST_UNITS, MOST_LAYERS = 16384, 64
"""Larger numbers are taken for typing errors."""
MOST_WEIGHTS = 2**28
"""A gigabyte in float32, of which training needs four."""


def read_network(path: Path, input_size: int) -> Network:
    """Read and check a network for inputs of `input_size` pixels.

    Raises:
        DataError: the file cannot be read or is not such a description; names the line.
        MissingExtraError: PyYAML is not installed.
    """
    root = compose_yaml(path, "a network", _names(Network))
    network = _Reader(path, input_size).network(root)
    if (weights := _weights(network, input_size)) > MOST_WEIGHTS:
        raise DataError(
            f"{path}: expected a network of at most {MOST_WEIGHTS:,} weights, found {weights:,}; take fewer filters or "
            "units, smaller kernels, or pool more before the dense layers"
        )
    return network


def _weights(network: Network, size: int) -> int:
    """Count the weights of the convolutions and the hidden dense layers."""
    channels, found = 1, 0
    for convolution in network.convolutions:
        found += convolution.kernel**2 * channels * convolution.filters
        channels, size = convolution.filters, convolution.output_size(size)
    inputs = channels * size**2
    for units in network.dense:
        found += inputs * units
        inputs = units
    return found


def _names(described: type) -> str:
    return ", ".join(name for name in _keys(described))


def _keys(described: type) -> tuple[str, ...]:
    # Whether there are HOG features is the zoo's business: a file for a device with them is 'hog-cnn'.
    return tuple(field.name for field in dataclasses.fields(described) if field.name != "hog")


class _Reader:
    """Turns nodes of the YAML tree, which know their lines, into a `Network`."""

    def __init__(self, path: Path, input_size: int) -> None:
        self.path, self.input_size = path, input_size

    def network(self, root: Any) -> Network:
        values = dict(self.items(root, Network))
        network = Network(
            convolutions=tuple(self.convolutions(values["convolutions"])) if "convolutions" in values else (),
            dense=tuple(self.units(values["dense"])) if "dense" in values else (),
            batch_norm=self.flag(values["batch_norm"], "batch_norm") if "batch_norm" in values else True,
            dropout=self.number(values["dropout"], "dropout", "from 0 to below 1", lambda x: 0 <= x < 1)
            if "dropout" in values
            else None,
            l2=self.number(values["l2"], "l2", "of 0 or more", lambda x: x >= 0) if "l2" in values else 0.0,
        )
        if not network.convolutions and not network.dense:
            self.refuse(root, "expected convolutions or dense layers", "neither")
        return network

    def convolutions(self, node: Any) -> Iterator[Convolution]:
        size = self.input_size
        for entry in self.sequence(node, "convolutions"):
            values = dict(self.items(entry, Convolution))
            if "filters" not in values:
                self.refuse(entry, "expected a convolution with 'filters'", ", ".join(values) or "nothing")
            convolution = Convolution(**{key: self.whole(value, key) for key, value in values.items()})
            if convolution.kernel > size:
                self.refuse(entry, f"expected a kernel of at most the {size} pixels that are left", convolution.kernel)
            if convolution.output_size(size) < 1:
                found = f"a stride of {convolution.stride} and a pooling of {convolution.pool}"
                self.refuse(entry, f"expected to leave at least one pixel of {size}", found)
            size = convolution.output_size(size)
            yield convolution

    def units(self, node: Any) -> Iterator[int]:
        for entry in self.sequence(node, "dense"):
            yield self.whole(entry, "dense")

    def items(self, node: Any, described: type) -> Iterator[tuple[str, Any]]:
        keys = _keys(described)
        if node.id != "mapping":
            self.refuse(node, f"expected the keys {', '.join(keys)}", shown(node))
        seen = set()
        for key, value in node.value:
            if key.value not in keys:
                self.refuse(key, f"expected a key among {', '.join(keys)}", shown(key))
            if key.value in seen:
                self.refuse(key, f"expected '{key.value}' once", "it a second time")
            seen.add(key.value)
            yield key.value, value

    def sequence(self, node: Any, key: str) -> list[Any]:
        if node.id != "sequence" or not 0 < len(node.value) <= MOST_LAYERS:
            found = f"{len(node.value)} entries" if node.id == "sequence" else shown(node)
            self.refuse(node, f"expected a list of 1 to {MOST_LAYERS} entries for '{key}'", found)
        entries: list[Any] = node.value
        return entries

    def whole(self, node: Any, key: str) -> int:
        rule = f"a whole number from 1 to {MOST_UNITS} for '{key}'"
        text = node.value if node.id == "scalar" and not node.style else ""
        if not (text.isdecimal() and text.isascii() and len(text) < 9 and 1 <= int(text) <= MOST_UNITS):
            self.refuse(node, f"expected {rule}", shown(node))
        return int(text)

    def number(self, node: Any, key: str, rule: str, fits: Callable[[float], bool]) -> float:
        # YAML 1.1 takes 1e-7 for a word.
        try:
            value = float(node.value) if node.id == "scalar" and not node.style else math.nan
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and fits(value)):
            self.refuse(node, f"expected a number {rule} for '{key}'", shown(node))
        return value

    def flag(self, node: Any, key: str) -> bool:
        if node.id != "scalar" or node.value not in ("true", "false"):
            self.refuse(node, f"expected true or false for '{key}'", shown(node))
        return bool(node.value == "true")

    def refuse(self, node: Any, expected: str, found: object) -> NoReturn:
        refuse_node(self.path, node, expected, found)
