"""Windows of images: convolutions and pooling layers, composed of an index and a product of matrices."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from tinygraph.bridges.operands import Imported, is_node, view
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


def windows(x: Imported, kernel: Lengths, stride: Lengths, dilation: Lengths) -> tuple[Imported, list[int]]:
    """Return the elements under a kernel at each of its positions, by one index.

    Args:
        x: Node with two axes, for examples and channels, and spatial axes.
        kernel: Lengths of the kernel.
        stride: Distances between positions.
        dilation: Distances between elements of the kernel.

    Returns:
        The elements, with the axes (example, channel, *kernel, *position), and the number of positions per axis.
    """
    count, key, out = len(kernel), [], []
    for axis, (length, k, step, gap) in enumerate(zip(x.shape[2:], kernel, stride, dilation, strict=True)):
        positions = (length - gap * (k - 1) - 1) // step + 1
        places = gap * np.arange(k)[:, None] + step * np.arange(positions)
        shape = [1] * (2 * count)
        shape[axis], shape[count + axis] = k, positions
        key.append(places.reshape(shape))
        out.append(positions)
    return index_op((slice(None), slice(None), *key))(x), out


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
    kernel, outputs = weight.shape[2:], weight.shape[0]
    columns, positions = windows(x, kernel, stride, dilation)
    inner, places = weight[0].size if not is_node(weight) else math.prod(weight.shape[1:]), math.prod(positions)
    if groups == 1:
        found = matrix_product(view(weight, (outputs, inner)), view(columns, (x.shape[0], inner, places)))
    else:
        found = matrix_product(
            view(weight, (groups, outputs // groups, inner)), view(columns, (x.shape[0], groups, inner, places))
        )
    return view(found, (x.shape[0], outputs, *positions))
