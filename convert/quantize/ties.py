"""Products that every runtime rounds alike.

The product of two int8 values becomes int8 again by a factor: the scales of both, over that of the result. Where it
falls halfway between two steps, or nearly so, kernels disagree by a step: they compute in float32 or in integers, and
round halves up or to the even number. Where squeeze-and-excitation weighs a whole map, one such value is enough to
change what the network says.

A factor of 1 / n with an odd n has no such products: they lie on multiples of 1 / n, of which none is a half, and the
nearest to one is 1 / 2n away, far more than a kernel is wrong by. So the scale of a product is made n times that of its
factors.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from fer_edge.convert.graph.graph import Graph
from fer_edge.convert.quantize.ranges import Range, has_fixed_range, same_range

LEAST_FACTOR = 16
"""Least n; to make a smaller one odd would change the range by too much."""


def without_ties(graph: Graph, ranges: Mapping[str, Range]) -> dict[str, Range]:
    """Return the ranges with those of products changed a little, so that n is odd.

    By 1 / n at most; those that have a limit become smaller, by 2 / n at most. Products whose range is fixed, or that
    share it with another product or a factor, keep theirs.
    """
    products = {node.name for node in graph.nodes if node.kind == "multiply"}
    groups = same_range(graph)
    changed = dict(ranges)
    for node in graph.nodes:
        if node.name not in products:
            continue
        group = groups[node.name]
        if has_fixed_range(graph, group) or len(group & products) > 1 or group & set(node.inputs):
            continue
        unit = math.prod(changed[name].scale for name in node.inputs)
        factor = changed[node.name].scale / unit
        if factor < LEAST_FACTOR:
            continue
        odd = 2 * math.floor(factor / 2) + 1
        if odd > factor and any("limit" in graph.node(name).options for name in group):
            odd -= 2
        low, high = (end * odd / factor for end in changed[node.name])
        changed.update(dict.fromkeys(group, Range(low, high)))
    return changed
