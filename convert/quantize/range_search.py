"""The range of a value that costs the least when it is rounded to int8.

The widest range rounds nothing off, and makes every step wide for the sake of a few large values. Narrowing it trades
their clipping for finer steps; the best trade has the least mean square error (Nagel et al. 2021, arXiv:2106.08295,
section 3.1, "MSE").
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fer_edge.convert.quantize.ranges import Range

BINS = 512
SHARES = np.linspace(1.0, 0.3, 29)
"""Of each end of the widest range, that are tried."""


def histogram(values: NDArray[np.float32], widest: Range) -> NDArray[np.int64]:
    """Return how many values lie in each of `BINS` equal parts of a range, those beyond it in the outermost.

    Values that are exactly zero, as most are behind a ReLU, are left out: every range rounds them to zero.
    """
    counts, _ = np.histogram(np.clip(values[values != 0], *widest), BINS, widest)
    return counts


def least_error_range(counts: NDArray[np.int64], widest: Range) -> Range:
    """Return the range within `widest` of the least mean square error.

    Args:
        counts: the `histogram` of the values in `widest`.
        widest: contains 0, as does the result.
    """
    edges = np.linspace(*widest, BINS + 1)
    centres = (edges[:-1] + edges[1:]) / 2
    best = (np.inf, widest)
    for low in widest.low * (SHARES if widest.low else SHARES[:1]):
        for high in widest.high * (SHARES if widest.high else SHARES[:1]):
            step = (high - low) / 255
            clipped = np.maximum(centres - high, low - centres)
            # Within the range an error is spread evenly over half a step to either side.
            error = float((counts * np.where(clipped > 0, clipped**2, step**2 / 12)).sum())
            if error < best[0]:
                best = (error, Range(float(low), float(high)))
    return best[1]
