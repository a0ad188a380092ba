"""Hypothesis strategies for shapes, for arrays, and for random programs of Tensors."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

from tinygraph.engine.op import Op
from tinygraph.engine.ops import add, neg
from tinygraph.explaining.code import array_code
from tinygraph.support.arguments import check_choices, check_integer, check_kind
from tinygraph.tensor.array_ops import ArrayOp, Axis, Shape
from tinygraph.tensor.indexing import concatenate, index, stack
from tinygraph.tensor.linalg import matmul
from tinygraph.tensor.reductions import extremum, mean_over, sum_over
from tinygraph.tensor.shapes import reshape, transpose
from tinygraph.tensor.tensor import Tensor
from tinygraph.testing.array_moves import MORE_CHAINS, MORE_JOINS, MORE_MOVES
from tinygraph.testing.strategies import NUMBERS, Draft, OpSequence, check_program, is_tame, public_ops

if TYPE_CHECKING:
    from tinygraph.testing.array_moves import Chain

Array = np.ndarray[Any, np.dtype[np.float64]]
Number = float | Array
Key = Any  # an index in NumPy's sense

_LAYOUTS: dict[str, Callable[[Array], Array]] = {
    "plain": lambda x: x,
    "read-only": lambda x: _read_only(x),
    "Fortran": lambda x: np.asfortranarray(x) if x.ndim else x,  # NumPy would turn shape () into (1,)
    "reversed": lambda x: np.ascontiguousarray(x[::-1])[::-1] if x.ndim else x,
    "every other": lambda x: np.repeat(x, 2, axis=-1)[..., ::2] if x.ndim else x,
}


def _read_only(x: Array) -> Array:
    x.flags.writeable = False
    return x


def shapes(
    n: int = 2, *, max_dims: int = 3, max_side: int = 3, min_side: int = 0
) -> st.SearchStrategy[tuple[Shape, ...]]:
    """Return a strategy for shapes that broadcast with each other, including () and shapes with axes of length 0.

    Args:
        n: Number of shapes. Defaults to 2.
        max_dims: Maximum number of axes. Defaults to 3.
        max_side: Maximum length of an axis. Defaults to 3.
        min_side: Minimum length of an axis that does not have length 1. Defaults to 0.

    Returns:
        A strategy for tuples of `n` shapes.

    Examples:
        >>> from hypothesis import find
        >>> find(shapes(2), lambda pair: len(pair[0]) == 2 and pair[1] == (2,))
        ((0, 2), (2,))
    """
    check_integer("n", n, least=1)
    check_integer("max_dims", max_dims, least=0)
    check_integer("max_side", max_side, least=check_integer("min_side", min_side, least=0))
    return _shapes(n, max_dims, max_side, min_side)


@st.composite
def _shapes(draw: st.DrawFn, n: int, max_dims: int, max_side: int, min_side: int) -> tuple[Shape, ...]:
    whole = draw(st.lists(st.integers(min_side, max_side), max_size=max_dims))
    found = []
    for _ in range(n):
        kept = whole[draw(st.sampled_from([0, 0, *range(len(whole) + 1)])) :]
        found.append(tuple(1 if draw(st.sampled_from([False, False, True])) else side for side in kept))
    return tuple(found)


def arrays(
    shape: Shape | st.SearchStrategy[Shape] | None = None,
    *,
    elements: st.SearchStrategy[float] = NUMBERS,
    layouts: Sequence[str] = tuple(_LAYOUTS),
) -> st.SearchStrategy[Array]:
    """Return a strategy for float64 arrays in different memory layouts.

    Args:
        shape: Shape, or a strategy for shapes. Defaults to a random shape for each example.
        elements: Strategy for the elements. Defaults to floats from -3 to 3.
        layouts: Memory layouts to draw from: "plain", "read-only", "Fortran", "reversed" (a negative stride) and
            "every other" (a view with gaps). Defaults to all layouts.

    Returns:
        A strategy for arrays.

    Examples:
        >>> from hypothesis import find
        >>> find(arrays((2, 2)), lambda array: not array.flags.writeable)
        array([[0., 0.],
               [0., 0.]])
    """
    check_kind("elements", elements, st.SearchStrategy, "a strategy")
    check_choices("layouts", layouts, _LAYOUTS)
    if not layouts:
        raise ValueError("layouts must contain at least one name")
    if isinstance(shape, tuple):
        shape = st.just(tuple([check_integer("each length of the shape", n, least=0) for n in shape]))
    elif shape is not None:
        check_kind("shape", shape, st.SearchStrategy, "a tuple of integers, a strategy or None")
    return _arrays(shape, elements, layouts)


@st.composite
def _arrays(
    draw: st.DrawFn, given: st.SearchStrategy[Shape] | None, elements: st.SearchStrategy[float], layouts: Sequence[str]
) -> Array:
    shape: Shape = draw(shapes(1))[0] if given is None else draw(given)
    size = math.prod(shape)
    entries = draw(st.lists(elements, min_size=size, max_size=size))
    return _LAYOUTS[draw(st.sampled_from(layouts))](np.array(entries, dtype=np.float64).reshape(shape))


def tensors(shape: Shape | st.SearchStrategy[Shape] | None = None, **options: Any) -> st.SearchStrategy[Tensor]:
    """Return a strategy for leaf Tensors.

    Args:
        shape: Shape, or a strategy for shapes. Defaults to a random shape for each example.
        **options: Keyword arguments of `arrays`.

    Returns:
        A strategy for Tensors.

    Examples:
        >>> from random import Random
        >>> from hypothesis import find
        >>> find(tensors(), lambda x: x.size > 1, random=Random(0))
        Tensor([0.0, 0.0])
    """
    return arrays(shape, **options).map(Tensor)


# --- programs of Tensors ----------------------------------------------------------------------------


class RandomTensorProgram(OpSequence[Tensor, Number]):
    """A function of Tensors that applies elementwise ops and array ops in sequence. Its repr is Python code.

    Args:
        at: Point at which the program is tested: one array per input.
        steps: Pairs (op, operands), one per step. An operand is either a constant (a float or an array) or an int,
            which is the index of an input or of an earlier result. The result of the last step is a scalar.

    Examples:
        >>> from tinygraph.engine.ops import exp
        >>> f = RandomTensorProgram((np.array([1.0, 2.0]),), ((exp, (0,)), (sum_over(0), (1,))))
        >>> f
        def f(a):
            t1 = tinygraph.exp(a)
            return np.sum(t1, axis=0)
        <BLANKLINE>
        at = (np.array([1.0, 2.0]),)
        >>> root, leaves = f.record()
        >>> root
        Tensor(10.107337927389695, op='sum')
    """

    def leaf(self, x: Number, name: str) -> Tensor:
        """Return a Tensor for an input.

        Args:
            x: Value of the input.
            name: Name of the node.

        Returns:
            The node.
        """
        return Tensor(x, name)

    def operand_code(self, x: Number) -> str:
        """Return a constant as code.

        Args:
            x: Constant.

        Returns:
            The code.
        """
        if not isinstance(x, np.ndarray):
            return repr(x)
        return array_code(x)


def _axes(ndim: int) -> st.SearchStrategy[Axis]:
    """Return a strategy for the argument `axis`: None, one axis counted from either end, or a tuple of axes."""
    several = [axes for k in range(2, ndim + 1) for axes in itertools.combinations(range(ndim), k)]
    return st.sampled_from([None, *range(-ndim, ndim), *several])


@st.composite
def _keys(draw: st.DrawFn, shape: Shape) -> Key:
    """Return a strategy for indices of an array with the given shape.

    An index is a list of integers, a mask, or a combination of integers, slices, an ellipsis and a new axis.
    """
    if shape and draw(st.sampled_from([False, False, True])):
        if shape[0] and draw(st.booleans()):
            return draw(st.lists(st.integers(-shape[0], shape[0] - 1), min_size=1, max_size=3))
        return draw(st.lists(st.booleans(), min_size=shape[0], max_size=shape[0])) if shape[0] else slice(None)
    key: list[Key] = []
    for side in shape[: draw(st.integers(0, len(shape)))]:
        ends = st.none() | st.integers(-side, side)
        slices = st.builds(slice, ends, ends, st.sampled_from([None, 1, 2, -1]))
        key.append(draw(slices | st.integers(-side, side - 1) if side else slices))
    if draw(st.booleans()):
        covered = len(key) == len(shape)  # in a shorter key, an ellipsis before the end would shift the axes
        place = draw(st.integers(0, len(key)))
        key.insert(place, draw(st.sampled_from([None, ...] if covered or place == len(key) else [None])))
    return key[0] if len(key) == 1 else tuple(key)


def _reshapes(x: Array) -> st.SearchStrategy[Shape]:
    return st.sampled_from([(x.size,), (1, x.size), (x.size, 1), x.shape[::-1], (*x.shape, 1)])


def _extremum(draw: st.DrawFn, name: str, x: Array, clear: float) -> ArrayOp | None:
    """Draw a max or min op. Return None if `x` is empty, or if an extremum is too close to another element."""
    axis, keepdims = draw(_axes(x.ndim)), draw(st.booleans())
    op = extremum(name, axis, keepdims)
    if not x.size:
        return None
    near = np.abs(x - extremum(name, axis, True).compute(x)) <= clear * max(1.0, np.max(np.abs(x)))
    return op if np.all(np.sum(near, axis=axis) == 1) else None


# Array ops of one array x. Each function draws an op, or returns None if no op fits.
_MOVES: dict[str, Callable[[st.DrawFn, Array, float], ArrayOp | None]] = {
    "sum": lambda draw, x, clear: sum_over(draw(_axes(x.ndim)), draw(st.booleans())),
    "mean": lambda draw, x, clear: mean_over(draw(_axes(x.ndim)), draw(st.booleans())) if x.size else None,
    "transpose": lambda draw, x, clear: transpose(tuple(draw(st.permutations(range(x.ndim))))[::-1]),
    "reshape": lambda draw, x, clear: reshape(draw(_reshapes(x))),
    "index": lambda draw, x, clear: index(draw(_keys(x.shape))),
    "max": lambda draw, x, clear: _extremum(draw, "max", x, clear),
    "min": lambda draw, x, clear: _extremum(draw, "min", x, clear),
}
# Array ops of an array x and a second array. The second array is the first candidate whose shape matches.
_JOINS: dict[str, Callable[[st.DrawFn, Array], ArrayOp | None]] = {
    "matmul": lambda draw, x: matmul if x.ndim else None,
    "concatenate": lambda draw, x: concatenate(draw(st.integers(-x.ndim, x.ndim - 1))) if x.ndim else None,
    "stack": lambda draw, x: stack(draw(st.integers(-x.ndim - 1, x.ndim))),
}


def tensor_programs(
    *,
    ops: Sequence[Op] | None = None,
    moves: Sequence[str] = (*_JOINS, *_MOVES),
    max_inputs: int = 3,
    max_steps: int = 8,
    max_size: int = 40,
    limit: float = 100.0,
    clear: float = 0.01,
) -> st.SearchStrategy[RandomTensorProgram]:
    """Return a strategy for random programs of Tensors.

    The programs can contain broadcasting, shape and reduction ops, shared nodes and constant arrays. Each program is
    smooth and bounded at its point `at`, like the programs of `graphs`. The root is a scalar. Hypothesis shrinks a
    failing program and prints it as code.

    Args:
        ops: Elementwise ops that can occur. Defaults to all public ops with a fixed number of operands.
        moves: Names of the array ops that can occur, or "all". Defaults to the products, sums, means and extrema, and
            the ops that join, reshape, transpose and index arrays. "all" adds accumulations, softmax, sorting,
            triangles, padding, inverses, linear systems, eigenvalues, singular values, convolutions, interpolation and
            others.
        max_inputs: Maximum number of inputs. Defaults to 3.
        max_steps: Maximum number of steps, not counting the steps that reduce the results to a scalar. Defaults to 8.
        max_size: Maximum number of elements in an array. Defaults to 40.
        limit: Maximum absolute value of an element. Defaults to 100.
        clear: Minimum distance from non-differentiable points, relative to the operands. Defaults to 0.01.

    Returns:
        A strategy for programs.

    Examples:
        >>> from hypothesis import find
        >>> find(tensor_programs(), lambda f: True)
        def f(a):
            return a + a
        <BLANKLINE>
        at = (np.array(0.0),)
    """
    check_program(ops, max_inputs, max_steps, limit, clear)
    known = (*_JOINS, *_MOVES, *MORE_JOINS, *MORE_MOVES, *MORE_CHAINS)
    if isinstance(moves, str) and moves == "all":
        moves = known
    check_choices("moves", moves, known)
    check_integer("max_size", max_size, least=1)
    usable = [op for op in (public_ops() if ops is None else ops) if not op.variadic]
    return _tensor_programs(usable, moves, max_inputs, max_steps, max_size, limit, clear)


@st.composite
def _tensor_programs(
    draw: st.DrawFn,
    usable: Sequence[Op],
    moves: Sequence[str],
    max_inputs: int,
    max_steps: int,
    max_size: int,
    limit: float,
    clear: float,
) -> RandomTensorProgram:
    draft = _TensorDraft(tuple(draw(arrays(shape)) for shape in draw(shapes(draw(st.integers(1, max_inputs))))))

    def fits(op: Op, operands: Operands) -> bool:
        return draft.try_to_append(op, operands, max_size, limit, clear)

    for _ in range(draw(st.integers(1, max_steps))):
        x, y = draft.pick(draw), draft.pick(draw)
        other: int | Number = y
        if draw(st.sampled_from([False, False, False, True])):
            other = draw(NUMBERS) if draw(st.booleans()) else draw(arrays(np.shape(draft.known[y]), layouts=["plain"]))
        candidates: Iterable[tuple[Op, Operands]]
        if len(moves) and draw(st.booleans()):
            move = draw(st.sampled_from(moves))
            if move in MORE_CHAINS:
                draft.try_chain(MORE_CHAINS[move], draw, x, max_size, limit, clear)
                continue
            candidates = _draw_move(draw, move, draft, x, y, clear)
        else:
            first = draw(st.integers(0, len(usable) - 1))  # position of the first op to try
            both = (x, other) if x % 2 or isinstance(other, int) else (other, x)
            drawn = itertools.chain(usable[first:], usable[:first])
            candidates = ((op, (x,) if op.arity == 1 else both) for op in drawn)
        any(fits(op, operands) for op, operands in candidates)
    if not draft.steps:
        fits(neg, (0,))
    draft.join(max_size)
    return RandomTensorProgram(draft.at, tuple(draft.steps))


Operands = tuple[int | Number, ...]


def _draw_move(
    draw: st.DrawFn, move: str, draft: _TensorDraft, x: int, y: int, clear: float
) -> Iterator[tuple[Op, Operands]]:
    """Draw an array op, and yield steps that apply it to `x`.

    If the op needs a second operand, yield one step for each candidate: index `y` down to 0, then the higher indices.
    """
    array = np.asarray(draft.known[x])
    if move in _MOVES:
        if (op := _MOVES[move](draw, array, clear)) is not None:
            yield op, (x,)
    elif move in MORE_MOVES:
        for k in range(len(draft.known)):  # the first array that fits
            j = (x - k) % len(draft.known)
            if (op := MORE_MOVES[move](draw, np.asarray(draft.known[j]), clear)) is not None:
                yield op, (j,)
    elif move in MORE_JOINS:
        if (joined := MORE_JOINS[move](draw, array)) is not None:
            for k in range(len(draft.known)):
                if joined[1](np.shape(draft.known[(y - k) % len(draft.known)])):
                    yield joined[0], (x, (y - k) % len(draft.known))
    elif (op := _JOINS[move](draw, array)) is not None:
        for k in range(len(draft.known)):
            yield op, (x, (y - k) % len(draft.known))


class _TensorDraft(Draft[Number]):
    """A program of Tensors that is being drawn."""

    def pick(self, draw: st.DrawFn) -> int:
        """Draw the index of an input or a result. Failing examples shrink toward the newest result."""
        return len(self.known) - 1 - draw(st.integers(0, 15)) % len(self.known)

    def try_to_append(self, op: Op, operands: Operands, max_size: int, limit: float, clear: float) -> bool:
        """Append a step if the shapes match and the result is small and smooth. Return whether the step was added."""
        numbers = self.numbers(operands)
        try:
            result = np.asarray(op(*numbers))
        except ValueError:  # the shapes do not match
            return False
        if result.size > max_size or not np.all(np.abs(result) <= limit):
            return False
        if op.elementwise and not _is_tame_everywhere(op, operands, numbers, limit, clear):
            return False
        self.append(op, operands, result)
        return True

    def try_chain(self, chain: Chain, draw: st.DrawFn, x: int, max_size: int, limit: float, clear: float) -> None:
        """Append several steps that begin with the first array that fits."""

        def append(op: Op, *operands: int | Number) -> int | None:
            fits = self.try_to_append(op, operands, max_size, limit, clear)
            return len(self.known) - 1 if fits else None

        count = len(self.known)
        for k in range(count):
            arrays = [np.asarray(y) for y in self.known]
            if chain(draw, append, arrays, (x - k) % count, clear) is not None:
                return

    def join(self, max_size: int) -> None:
        """Append steps that reduce all results to one scalar."""
        for x in self.results():
            array = np.asarray(self.known[x])
            if array.ndim:
                op = mean_over(None) if array.size else sum_over(None)
                self.try_to_append(op, (x,), max_size, math.inf, 0.0)
        while len(results := self.results()) > 1:
            self.try_to_append(add, (results[0], results[1]), max_size, math.inf, 0.0)


def _is_tame_everywhere(op: Op, operands: Operands, numbers: Sequence[Number], limit: float, clear: float) -> bool:
    """Return whether `is_tame` is true for every element."""
    elements = np.broadcast_arrays(*numbers)
    return all(
        is_tame(
            op,
            [x if isinstance(x, int) else element for x, element in zip(operands, point, strict=True)],
            {x: element for x, element in zip(operands, point, strict=True) if isinstance(x, int)},
            limit,
            clear,
        )
        for point in zip(*[array.ravel().tolist() for array in elements], strict=True)
    )
