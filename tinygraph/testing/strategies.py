"""Strategies for Hypothesis: points of ops, and programs of Values that print as code to paste."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from hypothesis import strategies as st

from tinygraph.engine.graph import Node
from tinygraph.engine.op import Op
from tinygraph.engine.ops import TABLE, neg, total
from tinygraph.engine.value import Value
from tinygraph.explaining.code import call_code

LANDMARKS = (1.0, 0.0, -1.0, 0.5, 20.5, -20.5)
LETTERS = "abcdefghijklmnopqrstuvwxyz"
NUMBERS = st.floats(-3.0, 3.0, width=16)

Point = tuple[float, ...]
NodeT = TypeVar("NodeT", bound=Node)
OperandT = TypeVar("OperandT")  # what an input or a constant is


def public_ops() -> list[Op]:
    """Return the ops that a program can use, the simplest first: failing examples shrink towards them."""
    return [op for op in TABLE.values() if op.public]


def points(
    op: Op, *, limit: float = 1000.0, clear: float = 0.01, sizes: tuple[int, int] = (1, 4)
) -> st.SearchStrategy[Point]:
    """Draw operands for an op, inside its domain.

    Args:
        op: The op.
        limit: Bound of the operands; math.inf for the extremes of floats.
        clear: Distance from non-differentiable points.
        sizes: Least and greatest length of the lists, for an op of any number of operands.

    Returns:
        A strategy for tuples of floats.

    Examples:
        >>> from hypothesis import find
        >>> from tinygraph.engine.ops import log
        >>> find(points(log), lambda point: True)
        (1.0,)
    """
    boxes = op.domain.boxes
    if op.variadic:
        return st.integers(*sizes).flatmap(lambda n: st.tuples(*[_inside(boxes[0][0], limit)] * n * op.arity))
    tuples = [st.tuples(*[_inside(bounds, limit) for bounds in (box * op.arity)[: op.arity]]) for box in boxes]
    return st.one_of(tuples).filter(lambda point: is_clear(op, point, clear))


def _inside(bounds: Sequence[float], limit: float) -> st.SearchStrategy[float]:
    low, high = max(bounds[0], -limit), min(bounds[1], limit)
    if len(bounds) == 3:
        return st.integers(int(max(low, -50.0)), int(min(high, 50.0))).map(float)
    landmarks = [x for x in LANDMARKS if low <= x <= high]
    return st.sampled_from(landmarks) | st.floats(low, high) if landmarks else st.floats(low, high)


def is_clear(op: Op, point: Sequence[float], clear: float) -> bool:
    """Return whether the operands are away from the non-differentiable points of the op."""
    return op.domain.kink is None or abs(op.domain.kink(*point)) > clear * max(1.0, *map(abs, point))


# --- programs ---------------------------------------------------------------------------------------


class OpSequence(Generic[NodeT, OperandT]):
    """A function made of ops, one after the other; it prints as code to paste.

    Args:
        at: The point that it was drawn at, one operand per input.
        steps: Pairs of an op and its operands. An operand is an int, the index of an input or, from `len(at)` on, of
            an earlier step, or else a constant.
    """

    def __init__(self, at: tuple[OperandT, ...], steps: tuple[tuple[Op, tuple[int | OperandT, ...]], ...]) -> None:
        self.at, self.steps = at, steps

    def leaf(self, x: OperandT, name: str) -> NodeT:
        """Return a node for an input."""
        raise NotImplementedError

    def operand_code(self, x: OperandT) -> str:
        """Return a constant as code."""
        raise NotImplementedError

    def __call__(self, *inputs: Any) -> Any:
        """Run the program on plain numbers or on nodes."""
        return self.run(inputs)[-1]

    def run(self, inputs: Sequence[Any], call: Callable[..., Any] | None = None) -> list[Any]:
        """Return the inputs and the results of all steps; `call(op, *operands)` replaces the call of the ops."""
        known = list(inputs)
        for op, operands in self.steps:
            args = [known[x] if isinstance(x, int) else x for x in operands]
            known.append(call(op, *args) if call else op.on(args))
        return known

    def record(self) -> tuple[NodeT, list[NodeT]]:
        """Return the graph of the program at its point: the root, and the inputs, which have names."""
        leaves = [self.leaf(x, name) for x, name in zip(self.at, LETTERS, strict=False)]
        return self(*leaves), leaves

    def __repr__(self) -> str:
        names = list(LETTERS[: len(self.at)])
        lines = [f"def f({', '.join(names)}):"]
        for i, (op, operands) in enumerate(self.steps, start=1):
            text = call_code(op, *[names[x] if isinstance(x, int) else self.operand_code(x) for x in operands])
            names.append(f"t{i}")
            lines.append(f"    return {text}" if i == len(self.steps) else f"    t{i} = {text}")
        point = ", ".join([self.operand_code(x) for x in self.at])
        return "\n".join([*lines, "", f"at = ({point}{',' if len(self.at) == 1 else ''})"])

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002
        printer.text(f"...\n{self!r}\n")  # so that Hypothesis prints the code of a failing example


class RandomProgram(OpSequence[Value, float]):
    """A function of numbers, made of ops; it prints as code to paste.

    Examples:
        >>> from tinygraph.engine.ops import add, mul
        >>> f = RandomProgram((3.0, 2.0), ((mul, (0, 1)), (add, (2, 0))))
        >>> f
        def f(a, b):
            t1 = a * b
            return t1 + a
        <BLANKLINE>
        at = (3.0, 2.0)
        >>> f(3.0, 2.0)
        9.0
    """

    def leaf(self, x: float, name: str) -> Value:
        """Return a Value for an input."""
        return Value(x, name=name)

    def operand_code(self, x: float) -> str:
        """Return a constant as code."""
        return repr(x)


class Draft(Generic[OperandT]):
    """A program while it is drawn: its steps, all results so far, and those that nothing uses yet."""

    def __init__(self, at: tuple[OperandT, ...]) -> None:
        self.at = at
        self.known: list[OperandT] = list(at)
        self.steps: list[tuple[Op, tuple[int | OperandT, ...]]] = []
        self.unused = list(range(len(at)))

    def numbers(self, operands: Sequence[int | OperandT]) -> list[OperandT]:
        """Return what the operands of a step are at the program's point."""
        return [self.known[x] if isinstance(x, int) else x for x in operands]

    def append(self, op: Op, operands: tuple[int | OperandT, ...], result: OperandT) -> None:
        """Append a step."""
        used = {x for x in operands if isinstance(x, int)}
        self.steps.append((op, operands))
        self.unused = [x for x in self.unused if x not in used] + [len(self.known)]
        self.known.append(result)

    def results(self) -> list[int]:
        """Return the steps whose result nothing uses."""
        return [x for x in self.unused if x >= len(self.at)]


@st.composite
def graphs(
    draw: st.DrawFn,
    *,
    ops: Sequence[Op] | None = None,
    max_inputs: int = 4,
    max_steps: int = 10,
    limit: float = 100.0,
    clear: float = 0.01,
    shared: bool = True,
) -> RandomProgram:
    """Draw random programs with shared nodes, repeated operands, constants, unused inputs and n-ary ops.

    A failing program shrinks, and prints as code. At the program's point every step is inside the domain of its op,
    and away from its non-differentiable points, so that a numeric derivative means something.

    Args:
        draw: Given by Hypothesis.
        ops: The ops that may occur. Defaults to all public ops.
        max_inputs: Greatest number of inputs.
        max_steps: Greatest number of steps.
        limit: Bound of all values.
        clear: Distance from non-differentiable points.
        shared: If false, every result is used at most once.

    Returns:
        A strategy for programs.
    """
    usable = list(ops) if ops is not None else public_ops()
    draft = Draft(tuple(draw(st.lists(NUMBERS, min_size=1, max_size=max_inputs))))

    def append(op: Op, operands: tuple[int | float, ...]) -> None:
        draft.append(op, operands, op.floats(*draft.numbers(operands)))

    for _ in range(draw(st.integers(1, max_steps))):
        drawn = _draw_operands(draw, draft, shared)
        fitting = []
        for op in usable:
            n = len(drawn) // op.arity * op.arity if op.variadic else op.arity
            if is_tame(op, drawn[:n], dict(enumerate(draft.known)), limit, clear):
                fitting.append((op, tuple(drawn[:n])))
        if fitting:
            append(*draw(st.sampled_from(fitting)))
    if len(results := draft.results()) > 1:
        append(total, tuple(results))
    if not draft.steps:
        append(neg, (0,))
    return RandomProgram(draft.at, tuple(draft.steps))


def _draw_operands(draw: st.DrawFn, draft: Draft[float], shared: bool) -> list[int | float]:
    """Two to six operands: constants, and results so far."""
    pool = list(range(len(draft.known))) if shared else draft.unused
    drawn: list[int | float] = []
    for constant in draw(st.lists(st.sampled_from([False, False, False, True]), min_size=2, max_size=6)):
        free = [x for x in pool if shared or x not in drawn]
        if constant or not free:
            drawn.append(draw(NUMBERS))
        else:  # the newest first, and one draw whatever the size, so that a failing example shrinks well
            drawn.append(free[-1 - draw(st.integers(0, 15)) % len(free)])
    return drawn


def expressions(**options: Any) -> st.SearchStrategy[RandomProgram]:
    """Draw random programs in which every result is used at most once.

    Args:
        **options: Those of `graphs`, except `shared`.

    Returns:
        A strategy for programs.
    """
    return graphs(shared=False, **options)


def is_tame(op: Op, operands: Sequence[int | float], numbers: Mapping[int, float], limit: float, clear: float) -> bool:
    """Return whether the op is smooth and bounded at these operands, and a little around those that are nodes."""
    if not any(isinstance(x, int) for x in operands):
        return False
    around = [
        [numbers[x] + by * max(1.0, abs(numbers[x])) if isinstance(x, int) else x for x in operands]
        for by in (0.0, -clear, clear)
    ]
    return (
        op.domain.holds(*around)
        and is_clear(op, around[0], clear)
        and all(abs(op.floats(*point)) <= limit for point in around)
    )
