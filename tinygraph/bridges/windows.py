"""Windows of images: convolutions and pooling layers, composed of an index and a product of matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygraph.bridges.operands import Imported, view
from tinygraph.tensor.functions import rearranging
from tinygraph.tensor.functions.linalg.products import matrix_product
from tinygraph.tensor.indexing import index as index_op

Lengths = Sequence[int]


def padded(x: Imported, padding: Lengths, value: float = 0.0, after: Lengths = ()) -> Imported:
    """Surround the last axes with a constant.

    Args:
        x: Node.
        padding: Widths before and after each of the last axes.
        value: The constant.
        after: Additional widths after each axis.

    Returns:
        The node.
    """
    more = after or [0] * len(padding)
    widths = [(0, 0)] * (x.ndim - len(padding)) + [(n, n + k) for n, k in zip(padding, more, strict=True)]
    return rearranging.pad(x, widths, constant_values=value) if any(map(any, widths)) else x


def windows(
    x: Imported, first: int, kernel: Lengths, stride: Lengths, dilation: Lengths, at_end: bool = False
) -> tuple[Imported, list[int]]:
    """Return the elements under a kernel at each of its positions, by one index.

    Args:
        x: Node or array.
        first: First of the neighboring axes along which the kernel moves.
        kernel: Lengths of the kernel.
        stride: Distances between positions.
        dilation: Distances between elements of the kernel.
        at_end: Whether the axis of the elements of the kernel comes after those of its positions, and not before them.

    Returns:
        The elements, with these axes instead of those of x, and the number of positions per axis.

    Examples:
        >>> windows(np.arange(5.0), 0, [2], [3], [1])
        (array([[0., 3.],
               [1., 4.]]), [2])
    """
    lengths = x.shape[first : first + len(kernel)]
    out = [
        (n - gap * (k - 1) - 1) // step + 1 for n, k, step, gap in zip(lengths, kernel, stride, dilation, strict=True)
    ]
    inside = np.indices(tuple(kernel)).reshape(len(kernel), -1)
    positions = np.indices(tuple(out))
    key: list[Any] = [slice(None)] * first
    for part, place, step, gap in zip(inside, positions, stride, dilation, strict=True):
        place = step * place
        key.append(place[..., None] + gap * part if at_end else gap * part.reshape(-1, *[1] * place.ndim) + place)
    return index_op(tuple(key))(x), out


def convolved(x: Imported, weight: Imported, stride: Lengths, dilation: Lengths, groups: int) -> Imported:
    """Return a convolution as a product of matrices: each window of x is a column ("im2col").

    Args:
        x: Node, with axes for examples and channels, and spatial axes.
        weight: Kernel, with axes for outputs and channels, and spatial axes.
        stride: Distances between positions.
        dilation: Distances between elements of the kernel.
        groups: Number of groups of channels.

    Returns:
        The node, with axes for examples and outputs, and spatial axes.
    """
    outputs, inner = weight.shape[0], math.prod(weight.shape[1:])
    columns, positions = windows(x, 2, weight.shape[2:], stride, dilation)
    count = math.prod(positions)
    if groups == 1:
        found = matrix_product(view(weight, (outputs, inner)), view(columns, (x.shape[0], inner, count)))
    else:
        found = matrix_product(
            view(weight, (groups, outputs // groups, inner)), view(columns, (x.shape[0], groups, inner, count))
        )
    return view(found, (x.shape[0], outputs, *positions))


def convolved_rows(x: Imported, weight: Imported, stride: Lengths, dilation: Lengths) -> Imported:
    """Return a convolution of images whose channels are the last axis: each window of x is a row.

    Args:
        x: Node, with an axis for examples, spatial axes, and one for channels.
        weight: Kernel, with spatial axes, and axes for channels and outputs.
        stride: Distances between positions.
        dilation: Distances between elements of the kernel.

    Returns:
        The node, with an axis for examples, spatial axes, and one for outputs.
    """
    outputs, inner = weight.shape[-1], math.prod(weight.shape[:-1])
    rows, positions = windows(x, 1, weight.shape[:-2], stride, dilation, at_end=True)
    found = matrix_product(view(rows, (x.shape[0], math.prod(positions), inner)), view(weight, (inner, outputs)))
    return view(found, (x.shape[0], *positions, outputs))
