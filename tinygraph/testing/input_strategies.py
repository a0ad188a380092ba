"""Hypothesis strategies for the inputs of your functions: numbers of all sizes, and shapes with common sizes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import EllipsisType
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import strategies as st

from tinygraph.engine.graph import Node
from tinygraph.functional import numbers_of, refilled
from tinygraph.support.arguments import check_choices, check_integer, check_kind, like
from tinygraph.support.messages import described
from tinygraph.testing.array_strategies import shapes

if TYPE_CHECKING:
    from tinygraph.functional import Tree
    from tinygraph.kernels.arrays import Array
    from tinygraph.tensor.array_ops import Shape

_MANY, _DRAWN = 64, 16  # of an array with more elements, only some are drawn one by one
_INTEGERS = (0.0, 1.0, -1.0, 2.0, -2.0)
_BESIDE_KINKS = [base + by for base in _INTEGERS[:3] for by in (1e-3, -1e-3, 1e-6, -1e-6)]
_SIZES = [10.0**k for k in (-1, 1, -2, 2, -3, 3, -6, -9)]
_EXTREMES = [30.0, 40.0, 709.0, 710.0, 750.0, 1e10, 1e154, 1e155, 1.7e308, 1e-155, 2.3e-308, 5e-324]


def _integers_and(others: Sequence[float]) -> st.SearchStrategy[float]:
    """Return a strategy for some numbers, which shrink to small integers."""
    return st.sampled_from([*_INTEGERS, *others])


# From simple to strange: failing examples shrink toward the first kind.
_KINDS: dict[str, st.SearchStrategy[float]] = {
    "integers": _integers_and([]),
    "ordinary": st.floats(-2.0, 2.0, width=16),
    "kinks": _integers_and([0.5, -0.5, *_BESIDE_KINKS, -0.0]),
    "magnitudes": _integers_and([x for size in _SIZES for x in (size, -size)]) | st.floats(-1000.0, 1000.0, width=32),
    "extremes": _integers_and([x for size in _EXTREMES for x in (size, -size)]),
}
_TIES = "ties"
KINDS = (*list(_KINDS)[:2], _TIES, *list(_KINDS)[2:])
MODERATE = KINDS[:4]


def arrays_like(
    example: Tree,
    *,
    kinds: Sequence[str] = KINDS,
    elements: st.SearchStrategy[float] | None = None,
    max_side: int = 3,
    max_dims: int = 2,
) -> st.SearchStrategy[Tree]:
    """Return a strategy for arrays with the shape of an example, for tests of your own functions.

    Each array draws its elements from one kind of numbers, so that extreme numbers do not hide ordinary ones. Failing
    examples shrink toward small shapes and small integers.

    Args:
        example: Shape or example, or a nested list, namedtuple or dict of them, whose structure the strategy draws. A
            shape is a tuple of integers and names, such as `("n", 1)`. Equal names stand for equal lengths. A shape
            that begins with `...` has further axes, and all these axes broadcast together. An example is a number, an
            array, a Value or a Tensor.
        kinds: Kinds of numbers to draw: "integers" (from -2 to 2), "ordinary" (floats from -2 to 2), "ties" (arrays in
            which elements are equal), "kinks" (0, ±1 and ±2, and numbers beside them), "magnitudes" (1e-9 to 1000) and
            "extremes" (numbers where exp, a square or a product overflows or underflows). Defaults to all kinds. With
            `["integers"]`, you can check the results of a failing example by hand.
        elements: Strategy for the elements, which replaces `kinds`. Defaults to none.
        max_side: Maximum length that a name stands for. Defaults to 3.
        max_dims: Maximum number of axes that `...` stands for. Defaults to 2.

    Returns:
        A strategy for float64 arrays, and for floats where the shape is ().

    Raises:
        TypeError: If `example` contains something other than shapes, numbers and arrays.
        ValueError: If `kinds` contains an unknown name or no kind of numbers, or if a shape is not valid.

    Examples:
        >>> from hypothesis import find
        >>> find(arrays_like((2, 2), kinds=["integers"]), lambda x: x.sum() > 2.0)
        array([[0., 0.],
               [1., 2.]])
        >>> find(arrays_like({"w": ("n",), "X": ("n", "m")}), lambda p: p["X"].size > 1)
        {'w': array([0.]), 'X': array([[0., 0.]])}
        >>> x, y = find(arrays_like([(...,), (...,)]), lambda pair: np.shape(pair[0]) != np.shape(pair[1]))
        >>> np.ndim(x + y) == max(np.ndim(x), np.ndim(y))
        True
    """
    palette = palette_of(kinds, elements)
    check_integer("max_side", max_side, least=1)
    check_integer("max_dims", max_dims, least=0)
    form = lifted(example)
    leaves = list(numbers_of(form))
    return like_form(form, leaves, [palette] * len(leaves), max_side, max_dims)


@dataclass(frozen=True)
class Palette:
    """The kinds of numbers from which an array draws its elements.

    Attributes:
        strategies: One strategy per kind, from the simplest kind to the strangest.
        ties: If true, some arrays consist of at most two different elements.
        ordinary: If true, numbers between -2 and 2 are among them.
    """

    strategies: tuple[st.SearchStrategy[float], ...]
    ties: bool
    ordinary: bool


def palette_of(kinds: Sequence[str], elements: object = None) -> Palette:
    """Return the kinds of numbers from which an array draws its elements.

    Args:
        kinds: Kinds of numbers, as in `arrays_like`.
        elements: Strategy for the elements, which replaces `kinds`, or None.

    Returns:
        The kinds.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If there is no kind of numbers.
    """
    check_choices("kinds", kinds, KINDS)
    if elements is not None:
        check_kind("elements", elements, st.SearchStrategy, "a strategy")
        return Palette((elements,), ties=False, ordinary=False)  # type: ignore[arg-type]
    chosen = tuple([_KINDS[kind] for kind in _KINDS if kind in kinds])
    if not chosen:
        raise ValueError(f"kinds must contain at least one of {', '.join(_KINDS)}, not only {list(kinds)}")
    return Palette(chosen, _TIES in kinds, "ordinary" in kinds)


@st.composite
def like_form(
    draw: st.DrawFn, form: Tree, leaves: Sequence[Dims], palettes: Sequence[Palette], max_side: int, max_dims: int
) -> Tree:
    """Draw the structure `form` with an array for each of its leaves."""
    sizes = {n: draw(st.integers(1, max_side)) for n in names_of(leaves)}
    count = sum(dims.lengths[:1] == (...,) for dims in leaves)
    leading = draw(shapes(count, max_dims=max_dims, max_side=max_side, min_side=1)) if count else ()
    concrete = with_lengths(leaves, sizes, leading)
    # Each array is drawn with its largest shape and cut, so that Hypothesis can shrink a length and keep the elements.
    largest = with_lengths(leaves, dict.fromkeys(sizes, max_side), [(max_side,) * max_dims] * count)
    arrays = [_draw_array(draw, *pair) for pair in zip(largest, palettes, strict=True)]
    return refilled(form, [_cut(array, shape) for array, shape in zip(arrays, concrete, strict=True)])


def _draw_array(draw: st.DrawFn, shape: Shape, palette: Palette) -> Array:
    """Draw an array whose elements are of one kind, or of simpler kinds.

    Each element takes the same two choices for all kinds, so that Hypothesis can replace a kind by a simpler one.
    """
    kinds = palette.strategies
    kind, ties = draw(st.integers(0, len(kinds) - 1)), palette.ties and draw(st.sampled_from([False, False, True]))
    size, entries = math.prod(shape), list[float]()
    for i in range(size if size <= _MANY else _DRAWN):
        simpler = draw(st.integers(0, 3))
        x = draw(kinds[max(kind - simpler, 0) if simpler < 3 else 0])
        if ties and i and simpler % 2:
            x = entries[0]
        elif ties and i > 1:
            x = entries[1]
        entries.append(x)
    if size > _MANY:  # Hypothesis refuses to draw thousands of numbers one by one
        is_random, random = draw(st.booleans()), np.random.default_rng(draw(st.integers(0, 1000)))
        rest = size - len(entries)
        uniform = palette.ordinary and is_random and not ties
        entries = [*(random.uniform(-2.0, 2.0, rest) if uniform else random.choice(entries, rest)).tolist(), *entries]
    return np.array(entries, dtype=np.float64).reshape(shape)


def _cut(array: Array, shape: Shape) -> Array | float:
    """Return the last elements of an array along each axis, or a float for the shape ().

    When Hypothesis shrinks, the elements that are not 0 move to the end.
    """
    last = array[(-1,) * (array.ndim - len(shape))]
    return (
        last[tuple([slice(side - n, None) for n, side in zip(shape, last.shape, strict=True)])].copy()
        if shape
        else float(last)
    )


# --- shapes with names ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Dims:
    """A shape in which names and `...` can stand for lengths.

    Attributes:
        lengths: Integers, names, and possibly `...` as the first element.
    """

    lengths: tuple[int | str | EllipsisType, ...]


def lifted(tree: Tree) -> Tree:
    """Return nested shapes and examples with a `Dims` for each of them.

    Args:
        tree: Shape or example, or a nested list, tuple, namedtuple or dict of them.

    Returns:
        The same structure, with its leaves replaced.

    Raises:
        TypeError: If a leaf is neither a shape nor a number or array.
        ValueError: If `...` is not the first element of a shape, or if a length is negative.

    Examples:
        >>> lifted({"w": ("n", 1), "b": 0.5})
        {'w': Dims(lengths=('n', 1)), 'b': Dims(lengths=())}
    """
    if isinstance(tree, dict):
        return {key: lifted(branch) for key, branch in tree.items()}
    if isinstance(tree, (list, tuple)) and not _is_shape(tree):
        branches = [lifted(branch) for branch in tree]
        return like(tree, branches) if hasattr(tree, "_fields") else type(tree)(branches)
    if not isinstance(tree, tuple):
        array = np.asarray(tree.raw if isinstance(tree, Node) else tree)
        if array.dtype.kind not in "biuf":
            raise TypeError(
                f"an example must be a number or an array, and a shape a tuple such as ('n', 1), not {described(tree)}"
            )
        return Dims(array.shape)
    if ... in tree[1:]:
        raise ValueError(f"... stands for the first axes of a shape, so it must be its first element, not as in {tree}")
    return Dims(
        tuple([n if isinstance(n, (str, EllipsisType)) else check_integer("each length", n, least=0) for n in tree])
    )


def _is_shape(x: object) -> bool:
    """Return whether an object is a tuple of integers, names and `...`. A namedtuple is an example."""
    return type(x) is tuple and all(isinstance(n, (int, np.integer, str, EllipsisType)) for n in x)


def names_of(leaves: Iterable[Dims]) -> list[str]:
    """Return the names in shapes, in the order in which they first occur.

    Args:
        leaves: The shapes.

    Returns:
        The names.

    Examples:
        >>> names_of([Dims(("n", 1)), Dims(("m", "n"))])
        ['n', 'm']
    """
    return list(dict.fromkeys([n for dims in leaves for n in dims.lengths if isinstance(n, str)]))


def with_lengths(leaves: Iterable[Dims], sizes: Mapping[str, int], leading: Iterable[Shape]) -> list[Shape]:
    """Return shapes with lengths in place of names and `...`.

    Args:
        leaves: The shapes.
        sizes: Lengths by name.
        leading: The first axes of each shape that begins with `...`.

    Returns:
        The shapes as tuples of integers.

    Examples:
        >>> with_lengths([Dims(("n", 1)), Dims((..., "n"))], {"n": 3}, [(2,)])
        [(3, 1), (2, 3)]
    """
    rest, found = iter(leading), []
    for dims in leaves:
        shape: list[int] = []
        for n in dims.lengths:
            shape += next(rest) if isinstance(n, EllipsisType) else [sizes[n] if isinstance(n, str) else n]
        found.append(tuple(shape))
    return found
