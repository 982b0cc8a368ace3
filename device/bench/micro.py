"""What a model would cost on a microcontroller, from what others published: an estimate, and labelled as one."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from fer_edge.errors import ModelFileError
from fer_edge.model_file import check_tflite, read_info


@dataclasses.dataclass(frozen=True)
class Processor:
    """A processor with CMSIS-NN.

    Attributes:
        name: of the core.
        cycles: a multiply-add of int8 values.
        is_bound: whether `cycles` is what its instructions allow at best, not what was measured.
        source: of the figure.
    """

    name: str
    cycles: float
    is_bound: bool
    source: str


PROCESSORS = (
    Processor("Cortex-M4", 0.5, True, "SMLAD multiplies two pairs of 16 bits a cycle (Armv7E-M reference manual)"),
    Processor(
        "Cortex-M7", 1.73, False, "24.7 million operations in 99.1 ms at 216 MHz (Lai et al. 2018, arXiv:1801.06601)"
    ),
    Processor("Cortex-M55", 0.125, True, "its vector unit multiplies eight pairs of 8 bits a cycle (Arm Cortex-M55)"),
)
"""The operations of the CMSIS-NN paper are two for each multiply-add."""

CLOCK_MHZ = 200
"""That milliseconds are given for."""


def estimate(path: Path) -> dict[str, Any]:
    """Return the multiply-adds of a model file, and the cycles that published figures give for them.

    Raises:
        ModelFileError: the file does not say how many multiply-adds it takes.
    """
    check_tflite(path)
    info = read_info(path)
    count = info.conversion.get("multiply_adds")
    if type(count) is not int or count < 1:
        raise ModelFileError(f"{path}: expected a file that says its multiply-adds, found none; convert it again")
    return {
        "model": info.name,
        "multiply_adds": count,
        "kind": "estimate from published figures, not measured",
        "processors": [
            {
                "processor": each.name,
                "cycles_per_multiply_add": each.cycles,
                "is_lower_bound": each.is_bound,
                "cycles": round(count * each.cycles),
                f"ms_at_{CLOCK_MHZ}_mhz": round(count * each.cycles / CLOCK_MHZ / 1e3, 2),
                "source": each.source,
            }
            for each in PROCESSORS
        ],
    }


def to_lines(estimated: dict[str, Any]) -> str:
    """Return an estimate as lines for a terminal."""
    lines = [
        f"{estimated['model']}: {estimated['multiply_adds']:,} multiply-adds an inference",
        "ESTIMATE from published figures for CMSIS-NN; nothing was measured on such a processor:",
    ]
    for row in estimated["processors"]:
        bound, ms = "at least" if row["is_lower_bound"] else "about", row[f"ms_at_{CLOCK_MHZ}_mhz"]
        lines.append(
            f"  {row['processor']:10} {bound} {row['cycles'] / 1e6:.1f} M cycles, {ms:.1f} ms "
            f"at {CLOCK_MHZ} MHz ({row['cycles_per_multiply_add']:g} cycles a multiply-add: {row['source']})"
        )
    return "\n".join(lines)
