"""Strategies for Hypothesis: points of ops, arrays and their shapes, and programs that print as code to paste."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from tinygraph.engine import ops
from tinygraph.engine.op import Op
from tinygraph.engine.value import Value
from tinygraph.explaining.code import call_code
from tinygraph.kernels.arrays import quietly
from tinygraph.tensor.array_ops import ArrayOp
from tinygraph.tensor.indexing import concatenate, index, stack
from tinygraph.tensor.linalg import matmul
from tinygraph.tensor.reductions import extremum, mean_over, sum_over
from tinygraph.tensor.shapes import reshape, transpose
from tinygraph.tensor.tensor import Tensor

LANDMARKS = (1.0, 0.0, -1.0, 0.5, 20.5, -20.5)
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def public_rows() -> list[Op]:
    """The rows that a program can use, the simplest first: failing examples shrink towards them."""
    return [row for row in ops.TABLE.values() if row.public]


def points(op: Op, *, limit: float = 1000.0, clear: float = 0.01, sizes: tuple[int, int] = (1, 4)) -> Any:
    """Operands for an op, as tuples of floats: inside its domain, and `clear` of its kinks.

    `limit` bounds them (math.inf for the extremes of floats); an op of any number of operands
    gets between `sizes` of them.

    >>> from hypothesis import find
    >>> find(points(ops.log), lambda point: True)
    (1.0,)
    """
    boxes = op.domain.boxes
    if op.variadic:
        return st.integers(*sizes).flatmap(lambda n: st.tuples(*[_inside(boxes[0][0], limit)] * n * op.arity))
    tuples = [st.tuples(*[_inside(bounds, limit) for bounds in (box * op.arity)[: op.arity]]) for box in boxes]
    return st.one_of(tuples).filter(lambda point: _clear(op, point, clear))


def _inside(bounds: tuple[Any, ...], limit: float) -> Any:
    low, high = max(bounds[0], -limit), min(bounds[1], limit)
    if len(bounds) == 3:
        return st.integers(int(max(low, -50.0)), int(min(high, 50.0))).map(float)
    landmarks = [x for x in LANDMARKS if low <= x <= high]
    return st.sampled_from(landmarks) | st.floats(low, high) if landmarks else st.floats(low, high)


def _clear(op: Op, point: Sequence[float], clear: float) -> bool:
    return op.domain.kink is None or abs(op.domain.kink(*point)) > clear * max(1.0, *map(abs, point))


class Program:
    """A function of numbers, made of steps; it prints as code to paste.

    `steps` holds (row, operands); an operand is an int, the index of an input or, from
    `len(at)` on, of an earlier step, or a float, a constant. `at` is the point it was drawn at.

    >>> f = Program((3.0, 2.0), ((ops.mul, (0, 1)), (ops.add, (2, 0))))
    >>> f
    def f(a, b):
        t1 = a * b
        return t1 + a
    <BLANKLINE>
    at = (3.0, 2.0)
    >>> f(3.0, 2.0)
    9.0
    """

    def __init__(self, at: tuple[Any, ...], steps: tuple[tuple[Op, tuple[Any, ...]], ...]) -> None:
        self.at, self.steps = at, steps

    def __call__(self, *inputs: Any) -> Any:
        """Run the program on plain numbers or on nodes."""
        return self.run(inputs)[-1]

    def run(self, inputs: Sequence[Any], call: Callable[..., Any] | None = None) -> list[Any]:
        """The inputs and the results of all steps; `call(row, *operands)` stands in for the rows."""
        known = list(inputs)
        for op, operands in self.steps:
            args = [known[x] if isinstance(x, int) else x for x in operands]
            known.append(call(op, *args) if call else op.on(args))
        return known

    def record(self) -> tuple[Value, list[Value]]:
        """The program's graph at its point: the root and the inputs, by name."""
        leaves = [Value(x, name=name) for x, name in zip(self.at, LETTERS, strict=False)]
        return self(*leaves), leaves

    def __repr__(self) -> str:
        names = list(LETTERS[: len(self.at)])
        lines = [f"def f({', '.join(names)}):"]
        for i, (op, operands) in enumerate(self.steps, start=1):
            text = _code(op, [names[x] if isinstance(x, int) else self._text(x) for x in operands])
            names.append(f"t{i}")
            lines.append(f"    return {text}" if i == len(self.steps) else f"    t{i} = {text}")
        return "\n".join([*lines, "", f"at = {self._point()}"])

    def _text(self, operand: Any) -> str:
        return repr(operand)

    def _point(self) -> str:
        return repr(self.at)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002
        printer.text(f"...\n{self!r}\n")  # so that Hypothesis prints the code of a failing example


def _code(op: Op, operands: Sequence[str]) -> str:
    return _wiring_code(op, operands) if isinstance(op, ArrayOp) else call_code(op, *operands)


@st.composite
def graphs(
    draw: Any,
    *,
    rows: Sequence[Op] | None = None,
    max_inputs: int = 4,
    max_steps: int = 10,
    limit: float = 100.0,
    clear: float = 0.01,
    shared: bool = True,
) -> Program:
    """Random programs with shared nodes, repeated operands, constants, unused inputs and n-ary ops.

    Every step is inside the domain of its row and `clear` of its kinks at the program's point, and
    no number exceeds `limit`, so that a numeric derivative means something. With shared=False every
    result is used at most once. A failing program shrinks, and prints as code.
    """
    usable = list(rows) if rows is not None else public_rows()
    at = tuple(draw(st.lists(st.floats(-3.0, 3.0, width=16), min_size=1, max_size=max_inputs)))
    numbers: list[float] = list(at)
    unused = list(range(len(at)))
    steps: list[tuple[Op, tuple[int | float, ...]]] = []

    def append(op: Op, operands: tuple[int | float, ...]) -> None:
        steps.append((op, operands))
        unused[:] = [x for x in unused if x not in operands] + [len(numbers)]
        numbers.append(op.floats(*[numbers[x] if isinstance(x, int) else x for x in operands]))

    for _ in range(draw(st.integers(1, max_steps))):
        pool = list(range(len(numbers))) if shared else unused
        drawn: list[int | float] = []
        for constant in draw(st.lists(st.sampled_from([False, False, False, True]), min_size=2, max_size=6)):
            free = [x for x in pool if shared or x not in drawn]
            if constant or not free:
                drawn.append(draw(st.floats(-3.0, 3.0, width=16)))
            else:  # the newest first, and one draw whatever the size, so that a failing example shrinks well
                drawn.append(free[-1 - draw(st.integers(0, 15)) % len(free)])
        fitting = [
            (op, tuple(drawn[:n]))
            for op in usable
            for n in [len(drawn) // op.arity * op.arity if op.variadic else op.arity]
            if _fits(op, drawn[:n], numbers, limit, clear)
        ]
        if fitting:
            append(*draw(st.sampled_from(fitting)))
    results = [x for x in unused if x >= len(at)]
    if len(results) > 1:
        append(ops.total, tuple(results))
    if not steps:
        append(ops.neg, (0,))
    return Program(at, tuple(steps))


def expressions(**options: Any) -> Any:
    """Random programs in which every result is used at most once: `graphs` without sharing."""
    return graphs(shared=False, **options)


def _fits(op: Op, operands: Sequence[int | float], numbers: Any, limit: float, clear: float) -> bool:
    """Whether the row is smooth and tame at these operands, and a little around those that are nodes."""
    if not any(isinstance(x, int) for x in operands):
        return False
    around = [
        [numbers[x] + by * max(1.0, abs(numbers[x])) if isinstance(x, int) else x for x in operands]
        for by in (0.0, -clear, clear)
    ]
    return (
        op.domain.holds(*around)
        and _clear(op, around[0], clear)
        and all(abs(op.floats(*point)) <= limit for point in around)
    )


# --- arrays -----------------------------------------------------------------------------------------

_NUMBERS = st.floats(-3.0, 3.0, width=16)
_LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "plain": lambda x: x,
    "read-only": lambda x: _read_only(x),
    "Fortran": lambda x: np.asfortranarray(x) if x.ndim else x,  # NumPy makes (1,) of ()
    "reversed": lambda x: np.ascontiguousarray(x[::-1])[::-1] if x.ndim else x,
    "every other": lambda x: np.repeat(x, 2, axis=-1)[..., ::2] if x.ndim else x,
}


def _read_only(x: Any) -> Any:
    x.flags.writeable = False
    return x


@st.composite
def shapes(draw: Any, n: int = 2, *, max_dims: int = 3, max_side: int = 3, min_side: int = 0) -> Any:
    """A tuple of `n` shapes that broadcast with each other, () and zero lengths included.

    >>> from hypothesis import find
    >>> find(shapes(2), lambda pair: len(pair[0]) == 2 and pair[1] == (2,))
    ((0, 2), (2,))
    """
    whole = draw(st.lists(st.integers(min_side, max_side), max_size=max_dims))
    found = []
    for _ in range(n):
        kept = whole[draw(st.sampled_from([0, 0, *range(len(whole) + 1)])) :]
        found.append(tuple(1 if draw(st.sampled_from([False, False, True])) else side for side in kept))
    return tuple(found)


@st.composite
def arrays(draw: Any, shape: Any = None, *, elements: Any = _NUMBERS, layouts: Sequence[str] = tuple(_LAYOUTS)) -> Any:
    """Float64 arrays, of a shape that is given or drawn, in every layout that users bring along.

    `layouts` is some of "plain", "read-only", "Fortran", "reversed" (a negative stride) and "every other"
    (a view with gaps). `shape` may be a strategy, `elements` is one, for the entries.

    >>> from hypothesis import find
    >>> find(arrays((2, 2)), lambda array: not array.flags.writeable)
    array([[0., 0.],
           [0., 0.]])
    """
    if shape is None:
        (shape,) = draw(shapes(1))
    elif not isinstance(shape, tuple):
        shape = draw(shape)
    size = math.prod(shape)
    entries = draw(st.lists(elements, min_size=size, max_size=size))
    return _LAYOUTS[draw(st.sampled_from(layouts))](np.array(entries, dtype=np.float64).reshape(shape))


def tensors(shape: Any = None, **options: Any) -> Any:
    """Leaf Tensors of what `arrays` draws.

    >>> from random import Random
    >>> from hypothesis import find
    >>> find(tensors(), lambda x: x.size > 1, random=Random(0))
    Tensor([0.0, 0.0])
    """
    return arrays(shape, **options).map(Tensor)


# --- programs over tensors --------------------------------------------------------------------------


class TensorProgram(Program):
    """A function of Tensors: rows entry by entry, with broadcasting, and wiring; it prints as code to paste.

    `at` holds arrays, and an operand may be one too, a constant; else it is a `Program`. Its last step is one number.

    >>> f = TensorProgram((np.array([1.0, 2.0]),), ((ops.exp, (0,)), (sum_over(0), (1,))))
    >>> f
    def f(a):
        t1 = tinygraph.exp(a)
        return t1.sum(axis=0)
    <BLANKLINE>
    at = (np.array([1.0, 2.0]),)
    >>> root, leaves = f.record()
    >>> root
    Tensor(10.107337927389695, op='sum')
    """

    def record(self) -> tuple[Any, list[Any]]:
        """The program's graph at its point: the root and the inputs, by name."""
        leaves = [Tensor(x, name) for x, name in zip(self.at, LETTERS, strict=False)]
        return self(*leaves), leaves

    def _text(self, operand: Any) -> str:
        if not isinstance(operand, np.ndarray):
            return repr(operand)
        return f"np.array({operand.tolist()})" if operand.size else f"np.zeros({operand.shape})"

    def _point(self) -> str:
        return "(" + "".join(f"{self._text(x)}, " for x in self.at).rstrip(" " if len(self.at) == 1 else ", ") + ")"


def _wiring_code(op: ArrayOp, names: Sequence[str]) -> str:
    """The method, or NumPy's function, that records this wiring."""
    maker, parts = op.maker, op.parameters
    x = names[0]
    if op is matmul:
        return f"{x} @ {names[1]}"
    if maker in (concatenate, stack):
        return f"np.{op.name}([{', '.join(names)}], axis={parts[0]})"
    if maker in (sum_over, mean_over, extremum):
        axis, keepdims = parts[-2:]
        return f"{x}.{op.name}(axis={axis}{', keepdims=True' if keepdims else ''})"
    if maker is index:
        return f"{x}[{_key_code(parts[0])}]"
    if maker is transpose and parts[0] == tuple(range(len(parts[0])))[::-1]:
        return f"{x}.T"
    return f"{x}.{op.name}({parts[0]})"


def _key_code(key: Any) -> str:
    if isinstance(key, tuple) and key:
        return ", ".join(map(_key_code, key)) + ("," if len(key) == 1 else "")
    if isinstance(key, slice):
        start, stop, step = ("" if end is None else end for end in (key.start, key.stop, key.step))
        return f"{start}:{stop}" + (f":{step}" if step else "")
    return "..." if key is ... else str(key)


def _axes(ndim: int) -> Any:
    """None, one axis from either end, or several."""
    several = [axes for k in range(2, ndim + 1) for axes in itertools.combinations(range(ndim), k)]
    return st.sampled_from([None, *range(-ndim, ndim), *several])


@st.composite
def _keys(draw: Any, shape: tuple[int, ...]) -> Any:
    """An index for an array of this shape: numbers, slices, an ellipsis, a new axis, a list, a mask."""
    if shape and draw(st.sampled_from([False, False, True])):
        if shape[0] and draw(st.booleans()):
            return draw(st.lists(st.integers(-shape[0], shape[0] - 1), min_size=1, max_size=3))
        return draw(st.lists(st.booleans(), min_size=shape[0], max_size=shape[0])) if shape[0] else slice(None)
    key: list[Any] = []
    for side in shape[: draw(st.integers(0, len(shape)))]:
        ends = st.none() | st.integers(-side, side)
        slices = st.builds(slice, ends, ends, st.sampled_from([None, 1, 2, -1]))
        key.append(draw(slices | st.integers(-side, side - 1) if side else slices))
    if draw(st.booleans()):
        covered = len(key) == len(shape)  # else an ellipsis before the end would move the others to other axes
        place = draw(st.integers(0, len(key)))
        key.insert(place, draw(st.sampled_from([None, ...] if covered or place == len(key) else [None])))
    return key[0] if len(key) == 1 else tuple(key)


def _reshapes(x: Any) -> Any:
    return st.sampled_from([(x.size,), (1, x.size), (x.size, 1), x.shape[::-1], (*x.shape, 1)])


def _extreme(draw: Any, name: str, x: Any, clear: float) -> Any:
    """One that stands alone."""
    axis, keepdims = draw(_axes(x.ndim)), draw(st.booleans())
    op = extremum(name, axis, keepdims)
    if not x.size:
        return None
    near = np.abs(x - extremum(name, axis, True).compute(x)) <= clear * max(1.0, np.max(np.abs(x)))
    return op if np.all(np.sum(near, axis=axis) == 1) else None


# What may be done with an array x: draw -> wiring, or None where it does not fit.
_MOVES: dict[str, Callable[[Any, Any, float], Any]] = {
    "sum": lambda draw, x, clear: sum_over(draw(_axes(x.ndim)), draw(st.booleans())),
    "mean": lambda draw, x, clear: mean_over(draw(_axes(x.ndim)), draw(st.booleans())) if x.size else None,
    "transpose": lambda draw, x, clear: transpose(tuple(draw(st.permutations(range(x.ndim))))[::-1]),
    "reshape": lambda draw, x, clear: reshape(draw(_reshapes(x))),
    "index": lambda draw, x, clear: index(draw(_keys(x.shape))),
    "max": lambda draw, x, clear: _extreme(draw, "max", x, clear),
    "min": lambda draw, x, clear: _extreme(draw, "min", x, clear),
}
# And with x and a second one, the first that has the shape for it.
_JOINS: dict[str, Callable[[Any, Any], Any]] = {
    "matmul": lambda draw, x: matmul if x.ndim else None,
    "concatenate": lambda draw, x: concatenate(draw(st.integers(-x.ndim, x.ndim - 1))) if x.ndim else None,
    "stack": lambda draw, x: stack(draw(st.integers(-x.ndim - 1, x.ndim))),
}


@st.composite
def tensor_programs(
    draw: Any,
    *,
    rows: Sequence[Op] | None = None,
    moves: Sequence[str] = (*_JOINS, *_MOVES),
    max_inputs: int = 3,
    max_steps: int = 8,
    max_size: int = 40,
    limit: float = 100.0,
    clear: float = 0.01,
) -> TensorProgram:
    """Random programs over Tensors: rows with broadcasting, and wiring, with shared nodes and array constants.

    `moves` says which wiring may occur. Like those of `graphs` they are smooth and tame at their point, where an
    array has at most `max_size` entries; the root is one number. A failing program shrinks, and prints as code.

    >>> from hypothesis import find
    >>> find(tensor_programs(), lambda f: True)
    def f(a):
        return a + a
    <BLANKLINE>
    at = (np.array(0.0),)
    """
    usable: list[Any] = [row for row in (public_rows() if rows is None else rows) if not row.variadic]
    at = tuple(draw(arrays(shape)) for shape in draw(shapes(draw(st.integers(1, max_inputs)))))
    known: list[Any] = list(at)
    steps: list[tuple[Op, tuple[Any, ...]]] = []
    unused = list(range(len(at)))

    def append(op: Op, operands: tuple[Any, ...], limit: float = limit) -> bool:
        numbers = [known[x] if isinstance(x, int) else x for x in operands]
        function = op.compute if isinstance(op, ArrayOp) else op.arrays
        try:
            result = np.asarray(quietly(function, *numbers))
        except ValueError:  # the shapes do not fit
            return False
        if result.size > max_size or not np.all(np.abs(result) <= limit):
            return False
        if not isinstance(op, ArrayOp) and not _fits_everywhere(op, operands, numbers, limit, clear):
            return False
        known.append(result)
        steps.append((op, operands))
        unused[:] = [x for x in unused if not any(x is y or (type(y) is int and x == y) for y in operands)]
        unused.append(len(known) - 1)
        return True

    def pick() -> int:  # the newest first
        return len(known) - 1 - int(draw(st.integers(0, 15))) % len(known)

    for _ in range(draw(st.integers(1, max_steps))):
        x, y = pick(), pick()
        other: Any = y
        if draw(st.sampled_from([False, False, False, True])):
            other = draw(_NUMBERS) if draw(st.booleans()) else draw(arrays(known[y].shape, layouts=["plain"]))
        if moves and draw(st.booleans()):
            if (move := draw(st.sampled_from(moves))) in _MOVES:
                op = _MOVES[move](draw, known[x], clear)
                if op is not None:
                    append(op, (x,))
            else:
                op = _JOINS[move](draw, known[x])
                any(append(op, (x, (y - k) % len(known))) for k in range(len(known)) if op is not None)
            continue
        first = draw(st.integers(0, len(usable) - 1))
        for row in itertools.chain(usable[first:], usable[:first]):  # the drawn one, or the next that fits
            both = (x, other) if x % 2 or type(other) is int else (other, x)
            if append(row, (x,) if row.arity == 1 else both):
                break
    if not steps:
        append(ops.neg, (0,))
    for x in [x for x in unused if x >= len(at)]:
        if known[x].ndim:
            append(mean_over(None) if known[x].size else sum_over(None), (x,), math.inf)
    while len(results := [x for x in unused if x >= len(at)]) > 1:
        append(ops.add, (results[0], results[1]), math.inf)
    return TensorProgram(at, tuple(steps))


def _fits_everywhere(op: Op, operands: Sequence[Any], numbers: Sequence[Any], limit: float, clear: float) -> bool:
    """Whether `_fits` holds at every entry."""
    entries = np.broadcast_arrays(*numbers)
    return all(
        _fits(
            op,
            [x if isinstance(x, int) else entry for x, entry in zip(operands, point, strict=True)],
            {x: entry for x, entry in zip(operands, point, strict=True) if isinstance(x, int)},
            limit,
            clear,
        )
        for point in zip(*[array.ravel().tolist() for array in entries], strict=True)
    )
