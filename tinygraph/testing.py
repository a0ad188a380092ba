"""Property-based gradient tests: Hypothesis strategies for points and programs, for your tests and ours.

This is the only module that imports Hypothesis: `pip install tinygraph-autodiff[test]`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tinygraph import ops
from tinygraph.ops import Op
from tinygraph.value import Value

_INFIX = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**"}
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def public_rows() -> list[Op]:
    """The rows that a program can use, the simplest first: failing examples shrink towards them."""
    import tinygraph

    return [row for row in ops.TABLE.values() if getattr(tinygraph, row.name, None) is row]


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
    return st.floats(low, high)


def _clear(op: Op, point: Sequence[float], clear: float) -> bool:
    return op.domain.kink is None or abs(op.domain.kink(*point)) > clear * max(1.0, *map(abs, point))


@dataclass(frozen=True, repr=False)
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

    at: tuple[float, ...]
    steps: tuple[tuple[Op, tuple[int | float, ...]], ...]

    def __call__(self, *inputs: Any) -> Any:
        """Run the program on plain numbers or on nodes."""
        return self.run(inputs)[-1]

    def run(self, inputs: Sequence[Any], apply: Callable[..., Any] | None = None) -> list[Any]:
        """The inputs and the results of all steps; `apply(row, *operands)` stands in for the rows."""
        known = list(inputs)
        for op, operands in self.steps:
            args = [known[x] if isinstance(x, int) else x for x in operands]
            known.append(apply(op, *args) if apply else _apply(op, args))
        return known

    def record(self) -> tuple[Value, list[Value]]:
        """The program's graph at its point: the root and the inputs, by name."""
        leaves = [Value(x, name=name) for x, name in zip(self.at, _LETTERS, strict=False)]
        return self(*leaves), leaves

    def __repr__(self) -> str:
        names = list(_LETTERS[: len(self.at)])
        lines = [f"def f({', '.join(names)}):"]
        for i, (op, operands) in enumerate(self.steps, start=1):
            text = _code(op, [names[x] if isinstance(x, int) else repr(x) for x in operands])
            names.append(f"t{i}")
            lines.append(f"    return {text}" if i == len(self.steps) else f"    t{i} = {text}")
        return "\n".join([*lines, "", f"at = {self.at!r}"])


def _apply(op: Op, args: Sequence[Any]) -> Any:
    if not op.variadic:
        return op(*args)
    size = len(args) // op.arity
    lists: list[Any] = [args[i * size : (i + 1) * size] for i in range(op.arity)]
    return op(*lists)


def _code(op: Op, operands: Sequence[str]) -> str:
    if op.name in _INFIX:
        return f"{operands[0]} {_INFIX[op.name]} {operands[1]}"
    if op.variadic:
        size = len(operands) // op.arity
        lists = ["[" + ", ".join(operands[i * size : (i + 1) * size]) + "]" for i in range(op.arity)]
        return f"tinygraph.{op.name}({', '.join(lists)})"
    return f"tinygraph.{op.name}({', '.join(operands)})"


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
        numbers.append(op.number(*[numbers[x] if isinstance(x, int) else x for x in operands]))

    for _ in range(draw(st.integers(1, max_steps))):
        pool = list(range(len(numbers))) if shared else unused
        drawn: list[int | float] = []
        for constant in draw(st.lists(st.sampled_from([False, False, False, True]), min_size=2, max_size=6)):
            # The newest first, so that a failing example shrinks to a chain.
            free = [x for x in pool[::-1] if shared or x not in drawn]
            drawn.append(draw(st.floats(-3.0, 3.0, width=16) if constant or not free else st.sampled_from(free)))
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


def _fits(op: Op, operands: Sequence[int | float], numbers: Sequence[float], limit: float, clear: float) -> bool:
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
        and all(abs(op.number(*point)) <= limit for point in around)
    )
