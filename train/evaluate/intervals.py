"""Intervals of 95 % for shares, for differences of shares on the same images, and for means of both.

Wilson's interval for a share, Tango's score interval for a paired difference (Tango 1998, Statistics in Medicine 17),
both by inverting a score test, so that neither collapses to a point at 0 of 56 or where two models never disagree. The
mean over classes is combined from theirs (Zou and Donner 2008, Statistics in Medicine 27). Macro F1 is no mean of
shares: its interval is a Bayesian bootstrap.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Interval = tuple[float, float]
"""Lower and upper end."""

Z = 1.959964
"""Two-sided 95 % of the normal distribution."""
RESAMPLES = 2000
SEED = 7
_CHUNK = 100
"""Resamples at once, so that many classes need little memory."""
_HALVINGS = 60


def wilson(hits: float, count: float) -> Interval:
    """Return the interval of a share of `hits` in `count`, both of 0 or more; (0, 1) where nothing was counted."""
    if not count:
        return 0.0, 1.0
    share, square = hits / count, Z * Z / count
    middle = (share + square / 2) / (1 + square)
    half = Z / (1 + square) * math.sqrt(share * (1 - share) / count + square / (4 * count))
    # Rounding must not leave the share that was found outside.
    return min(max(middle - half, 0.0), share), max(min(middle + half, 1.0), share)


def paired(before: NDArray[np.bool_], after: NDArray[np.bool_]) -> Interval:
    """Return the interval of the difference of two shares of hits, `after` minus `before`, on the same images."""
    won, lost = int((after & ~before).sum()), int((before & ~after).sum())
    return tango(won, lost, len(before))


def tango(won: int, lost: int, count: int) -> Interval:
    """Return the interval of (`won` - `lost`) / `count`: images that only one, and only the other, is right about."""
    if not count:
        return -1.0, 1.0
    found = (won - lost) / count

    def score(difference: float) -> float:
        """How many standard errors lie between what was found and a supposed difference."""
        linear = -won - lost + (2 * count - won + lost) * difference
        constant = -lost * difference * (1 - difference)
        root = math.sqrt(max(linear * linear - 8 * count * constant, 0))
        losing = (root - linear) / (4 * count)  # most likely share of `lost`, if the difference were this
        variance = count * (2 * losing + difference * (1 - difference))
        gap = won - lost - count * difference
        if variance <= 0:
            return math.copysign(math.inf, gap) if gap else 0.0
        return gap / math.sqrt(variance)

    return _crossing(score, -1.0, found, Z), _crossing(score, found, 1.0, -Z)


def _crossing(score: Callable[[float], float], low: float, high: float, target: float) -> float:
    """Return where a falling function passes a value."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if score(middle) > target:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def mean_of(values: Sequence[float], intervals: Sequence[Interval]) -> Interval:
    """Return the interval of the mean of independent values, from their own intervals."""
    if not values:
        return 0.0, 1.0
    mean = sum(values) / len(values)
    below = math.sqrt(sum((value - low) ** 2 for value, (low, _) in zip(values, intervals, strict=True)))
    above = math.sqrt(sum((high - value) ** 2 for value, (_, high) in zip(values, intervals, strict=True)))
    return mean - below / len(values), mean + above / len(values)


def macro_f1(truth: NDArray[np.int64], called: Sequence[NDArray[np.int64]], classes: int) -> Interval:
    """Return the interval of one model's macro F1, or of the second's minus the first's on the same images.

    Images of each class get random weights (Rubin's Bayesian bootstrap, 1981), and so does one more image of it, of
    which anything may be said: else few images that are all right would leave no doubt.

    Args:
        truth: (N,) class indices.
        called: what one or two models say, likewise.
        classes: how many there are.
    """
    if not len(truth):
        return 0.0, 1.0
    seen, counts = np.unique(np.stack([truth, *called]), axis=1, return_counts=True)
    present, support = np.unique(truth, return_counts=True)
    doubt = [_doubtful(int(label), len(called), classes) for label in present]
    cells = np.concatenate([seen, *doubt], axis=1)
    evidence = np.concatenate([counts, *(np.full(cell.shape[1], 1 / cell.shape[1]) for cell in doubt)])
    one_hot = np.eye(classes)
    sizes = np.zeros(classes)
    sizes[present] = support

    def value(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        each = [_macro_f1(weights, cells[0], model, sizes, one_hot) for model in cells[1:]]
        return each[-1] - each[0] if len(each) > 1 else each[0]

    random = np.random.default_rng(SEED)
    values = []
    for _ in range(RESAMPLES // _CHUNK):
        weights = random.standard_gamma(evidence, (_CHUNK, len(evidence)))
        share = weights / (weights @ one_hot[cells[0]])[:, cells[0]]
        values.append(value(share * sizes[cells[0]]))
    low, high = np.percentile(np.concatenate(values), (2.5, 97.5))
    found = float(value(np.pad(counts.astype(float), (0, len(evidence) - len(counts)))[None])[0])
    return min(float(low), found), max(float(high), found)


def _doubtful(label: int, models: int, classes: int) -> NDArray[np.int64]:
    """Return what may be said of one more image of a class: anything by one model, or by either beside a hit."""
    said = np.arange(classes)
    hit = np.full(classes, label)
    if models == 1:
        return np.stack([hit, said])
    pairs = np.concatenate([np.stack([hit, hit, said]), np.stack([hit, said, hit])], axis=1)
    return np.unique(pairs, axis=1)


def _macro_f1(
    weights: NDArray[np.float64],
    truth: NDArray[np.int64],
    called: NDArray[np.int64],
    sizes: NDArray[np.float64],
    one_hot: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return macro F1 over the classes that occur, for each row of weights of (truth, called) cells."""
    hits = (weights * (truth == called)) @ one_hot[truth]
    total = sizes + weights @ one_hot[called]
    f1 = np.divide(2 * hits, total, out=np.zeros_like(hits), where=total > 0)
    mean: NDArray[np.float64] = f1[:, sizes > 0].mean(axis=1)
    return mean
