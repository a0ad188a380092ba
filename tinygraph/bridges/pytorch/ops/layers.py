"""ATen ops of neural networks: convolutions, pooling, embeddings and normalizations, composed of array ops."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from tinygraph.bridges.masks import chosen
from tinygraph.bridges.operands import Imported, array, exchanged, is_node, largest, reordered, view
from tinygraph.bridges.pytorch.ops.table import aten
from tinygraph.bridges.windows import convolved, padded, windows
from tinygraph.tensor.functions import rearranging
from tinygraph.tensor.functions.linalg.products import matrix_product
from tinygraph.tensor.indexing import index as index_op
from tinygraph.tensor.indexing import scatter_add

Lengths = Sequence[int]
Array = np.ndarray[Any, np.dtype[Any]]


def _each(given: Lengths, count: int) -> list[int]:
    """Return one number per spatial axis."""
    return list(given) * count if len(given) == 1 else list(given)


@aten("convolution")
def convolution(
    x: Imported, weight: Imported, bias: Imported, stride: Lengths, padding: Lengths, dilation: Lengths,
    transposed: bool, output_padding: Lengths, groups: int,
) -> Imported:  # fmt: skip
    count = weight.ndim - 2
    stride, padding, dilation = _each(stride, count), _each(padding, count), _each(dilation, count)
    alone = x.ndim == count + 1
    x = view(array(x), (1, *x.shape)) if alone else array(x)
    weight = array(weight)
    if transposed:
        x, weight = _transposed(x, weight, stride, padding, dilation, _each(output_padding, count), groups)
        stride, padding = [1] * count, [0] * count
    out = convolved(padded(x, padding), weight, stride, dilation, groups)
    if bias is not None:
        out = out + view(array(bias), (-1, *[1] * count))
    return view(out, out.shape[1:]) if alone else out


def _transposed(
    x: Imported, weight: Imported, stride: Lengths, padding: Lengths, dilation: Lengths, extra: Lengths, groups: int
) -> tuple[Imported, Imported]:
    """Return the operands of the ordinary convolution that a transposed convolution is.

    Zeros go between the elements of x, and the kernel is flipped, with its channels of inputs and outputs exchanged.
    """
    spread = [step * (n - 1) + 1 for n, step in zip(x.shape[2:], stride, strict=True)]
    if any(step > 1 for step in stride):
        key = (slice(None), slice(None), *[slice(None, None, step) for step in stride])
        x = scatter_add(key, (*x.shape[:2], *spread))(x)
    around = [gap * (k - 1) - p for gap, k, p in zip(dilation, weight.shape[2:], padding, strict=True)]
    cut = [max(-n, 0) for n in around]
    x = padded(x, [max(n, 0) for n in around], after=extra)
    if any(cut):
        x = index_op(
            (slice(None), slice(None), *[slice(n, length - n) for n, length in zip(cut, x.shape[2:], strict=True)])
        )(x)
    inputs, outputs, *kernel = weight.shape
    flipped = rearranging.flip(weight, tuple(range(2, weight.ndim)))
    grouped = view(flipped, (groups, inputs // groups, outputs, *kernel))
    order = (0, 2, 1, *range(3, grouped.ndim))
    return x, view(reordered(grouped, order), (groups * outputs, inputs // groups, *kernel))


# --- pooling


@aten("max_pool2d_with_indices", "max_pool3d_with_indices")
def max_pool(
    x: Imported, kernel_size: Lengths, stride: Lengths = (), padding: Lengths = (0,), dilation: Lengths = (1,),
    ceil_mode: bool = False,
) -> tuple[Imported, None]:  # fmt: skip
    count = max(len(kernel_size), 2) if x.ndim < 5 else 3
    found, _ = _pooled(x, count, kernel_size, stride, padding, dilation, ceil_mode, -math.inf)
    return largest(found, -1), None


def _pooled(
    x: Imported, count: int, kernel_size: Lengths, stride: Lengths, padding: Lengths, dilation: Lengths,
    ceil_mode: bool, fill: float,
) -> tuple[Imported, tuple[int, ...]]:  # fmt: skip
    """Return the windows of a pooling layer on one last axis, and the shape of the padded array."""
    kernel, padding, dilation = _each(kernel_size, count), _each(padding, count), _each(dilation, count)
    step = _each(stride, count) if len(stride) else kernel
    first = x.ndim - count
    after = [
        _overhang(n + 2 * p, gap * (k - 1) + 1, s, n + p) if ceil_mode else 0
        for n, k, s, p, gap in zip(x.shape[first:], kernel, step, padding, dilation, strict=True)
    ]
    wide = padded(x, padding, fill, after)
    return windows(wide, first, kernel, step, dilation, at_end=True)[0], wide.shape


def _overhang(length: int, extent: int, step: int, last: int) -> int:
    """Return how many elements a last window needs after the padded array, with `ceil_mode`."""
    windows = -(-(length - extent) // step) + 1
    if (windows - 1) * step >= last:  # a window that begins in the padding at the end is left out
        windows -= 1
    return max((windows - 1) * step + extent - length, 0)


@aten("avg_pool1d", "avg_pool2d", "avg_pool3d")
def avg_pool(
    x: Imported, kernel_size: Lengths, stride: Lengths = (), padding: Lengths = (0,), ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: int | None = None,
) -> Imported:  # fmt: skip
    count = len(kernel_size)
    found, wide = _pooled(x, count, kernel_size, stride, padding, (1,), ceil_mode, 0.0)
    if divisor_override:
        return found.sum(axis=-1) / divisor_override
    padding = _each(padding, count)
    inside: list[Any] = [(p, n + p) for n, p in zip(x.shape[x.ndim - count :], padding, strict=True)]
    if count_include_pad:
        inside = [(0, end + p) for (_, end), p in zip(inside, padding, strict=True)]
    counted = np.zeros((1, 1, *wide[x.ndim - count :]))
    counted[np.index_exp[0, 0] + tuple([slice(*ends) for ends in inside])] = 1.0
    step = _each(stride, count) if len(stride) else _each(kernel_size, count)
    sizes, positions = windows(counted, 2, _each(kernel_size, count), step, [1] * count)
    numbers = sizes.reshape(-1, math.prod(positions)).sum(axis=0).reshape(positions)
    return found.mean(axis=-1) if (numbers == found.shape[-1]).all() else found.sum(axis=-1) / numbers


@aten("_adaptive_avg_pool2d", "_adaptive_avg_pool3d", "adaptive_avg_pool1d")
def adaptive_avg_pool(x: Imported, output_size: Lengths) -> Imported:
    count = len(output_size)
    if all(n == 1 for n in output_size):
        return x.mean(axis=tuple(range(x.ndim - count, x.ndim)), keepdims=True)
    for axis, size in enumerate(output_size, x.ndim - count):
        weights = np.zeros((x.shape[axis], size))
        for i, (start, end) in enumerate(_cells(x.shape[axis], size)):
            weights[start:end, i] = 1.0 / (end - start)
        x = exchanged(matrix_product(exchanged(x, axis, -1), weights), axis, -1)
    return x


@aten("adaptive_max_pool2d", "adaptive_max_pool3d")
def adaptive_max_pool(x: Imported, output_size: Lengths) -> tuple[Imported, None]:
    steps = [n // size for n, size in zip(x.shape[x.ndim - len(output_size) :], output_size, strict=True)]
    if any(n % size for n, size in zip(x.shape[x.ndim - len(output_size) :], output_size, strict=True)):
        raise NotImplementedError(f"its output size {tuple(output_size)} does not divide {x.shape[x.ndim - 2 :]}")
    return max_pool(x, steps, steps)


def _cells(length: int, size: int) -> list[tuple[int, int]]:
    """Return the first and the last position of each cell of adaptive pooling, as PyTorch divides an axis."""
    return [(i * length // size, -(-(i + 1) * length // size)) for i in range(size)]


# --- embeddings and normalizations


@aten("embedding")
def embedding(
    weight: Imported, indices: Array, padding_idx: int = -1, scale_grad_by_freq: bool = False, sparse: bool = False
) -> Imported:
    rows = weight[np.asarray(indices)]
    hidden = np.asarray(indices) == padding_idx
    if not hidden.any() or not is_node(weight):
        return rows
    return chosen(hidden[..., None], rows.detach(), rows)  # PyTorch gives this row no gradient


@aten("native_layer_norm")
def layer_norm(
    x: Imported, shape: Lengths, weight: Imported, bias: Imported, eps: float
) -> tuple[Imported, Imported, Imported]:
    axes = tuple(range(x.ndim - len(shape), x.ndim))
    return _normalized(x, x.mean(axis=axes, keepdims=True), None, axes, weight, bias, eps)


@aten("native_group_norm")
def group_norm(
    x: Imported, weight: Imported, bias: Imported, N: int, C: int, HxW: int, group: int, eps: float
) -> tuple[Imported, Imported, Imported]:
    grouped = view(x, (N, group, C // group * HxW))
    out, mean, rstd = _normalized(grouped, grouped.mean(axis=-1, keepdims=True), None, (2,), None, None, eps)
    shape = (1, C, *[1] * (x.ndim - 2))
    return _affine(view(out, x.shape), weight, bias, shape), view(mean, (N, group)), view(rstd, (N, group))


@aten("native_batch_norm", "_native_batch_norm_legit_no_training", "_native_batch_norm_legit")
def batch_norm(
    x: Imported, weight: Imported, bias: Imported, running_mean: Imported = None, running_var: Imported = None,
    *options: Any,
) -> tuple[Imported, None, None]:  # fmt: skip
    eps = float(options[-1])
    training = bool(options[0]) if len(options) == 3 else False
    shape = (1, -1, *[1] * (x.ndim - 2))
    if running_mean is None or training:
        axes = (0, *range(2, x.ndim))
        out, _, _ = _normalized(x, x.mean(axis=axes, keepdims=True), None, axes, None, None, eps)
    else:
        mean, var = view(array(running_mean), shape), view(array(running_var), shape)
        out, _, _ = _normalized(x, mean, var, (), None, None, eps)
    return _affine(out, weight, bias, shape), None, None  # only PyTorch's backward pass reads the other results


def _normalized(
    x: Imported, mean: Imported, var: Imported, axes: tuple[int, ...], weight: Imported, bias: Imported, eps: float
) -> tuple[Imported, Imported, Imported]:
    """Return (x - mean) / sqrt(var + eps), scaled and shifted, with the mean and the inverse standard deviation."""
    centered = x - mean
    if var is None:
        var = (centered**2).mean(axis=axes, keepdims=True)
    rstd = (var + eps) ** -0.5
    return _affine(centered * rstd, weight, bias, None), mean, rstd


def _affine(x: Imported, weight: Imported, bias: Imported, shape: Lengths | None) -> Imported:
    if weight is not None:
        x = x * (weight if shape is None else view(array(weight), shape))
    return x if bias is None else x + (bias if shape is None else view(array(bias), shape))


# --- enlarging images


@aten("upsample_nearest1d", "upsample_nearest2d", "upsample_nearest3d")
def upsample_nearest(x: Imported, output_size: Lengths, *scales: float | None) -> Imported:
    key = []
    for n, size, scale in zip(x.shape[2:], output_size, scales or [None] * len(output_size), strict=True):
        places = np.floor(np.arange(size) * (1.0 / scale if scale else n / size)).astype(int)
        key.append(places.clip(0, n - 1))
    return x[(slice(None), slice(None), *np.ix_(*key))]
