"""Hypothesis strategies for operands of ops, and for random programs of Values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from hypothesis import strategies as st

from tinygraph.engine.graph import Node
from tinygraph.engine.more_ops.table import TABLE
from tinygraph.engine.op import Op
from tinygraph.engine.ops import neg, total
from tinygraph.engine.value import Value
from tinygraph.explaining.code import call_code
from tinygraph.support.arguments import check_integer, check_kind, check_positive
from tinygraph.support.messages import described
from tinygraph.testing.loops import LoopDrawer

LANDMARKS = (1.0, 0.0, -1.0, 0.5, 20.5, -20.5)
LETTERS = "abcdefghijklmnopqrstuvwxyz"
NUMBERS = st.floats(-3.0, 3.0, width=16)
_INTEGERS = st.integers(-3, 3).map(float)

Point = tuple[float, ...]
NodeT = TypeVar("NodeT", bound=Node)
OperandT = TypeVar("OperandT")  # the type of an input or a constant


def public_ops() -> list[Op]:
    """Return a list of the ops that a program can use, simplest first. Failing examples shrink toward the first ops."""
    return [op for op in TABLE.values() if op.public]


def points(
    op: Op, *, limit: float = 1000.0, clear: float = 0.01, sizes: tuple[int, int] = (1, 4)
) -> st.SearchStrategy[Point]:
    """Return a strategy for operands from the domain of an op.

    Args:
        op: Op that takes the operands.
        limit: Maximum absolute value of an operand. Defaults to 1000. With `math.inf`, there is no maximum.
        clear: Minimum distance from non-differentiable points, relative to the operands. Defaults to 0.01.
        sizes: Minimum and maximum length of each operand list, for a variadic op. Defaults to (1, 4).

    Returns:
        A strategy for tuples of floats.

    Examples:
        >>> from hypothesis import find
        >>> from tinygraph.engine.ops import log
        >>> find(points(log), lambda point: True)
        (1.0,)
    """
    check_kind("op", op, Op, "an op")
    check_positive("limit", limit)
    check_positive("clear", clear, zero=True)
    if not isinstance(sizes, (tuple, list)) or len(sizes) != 2:
        raise TypeError(f"sizes must be a tuple of two integers, not {described(sizes)}")
    sizes = check_integer("sizes", sizes[0], least=1), check_integer("sizes", sizes[1], least=1)
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
    """Return whether the operands are far enough from the op's non-differentiable points.

    Args:
        op: Op that takes the operands.
        point: Operands.
        clear: Minimum distance, relative to the operands.

    Returns:
        True if the distance is greater than `clear`.
    """
    return op.domain.kink is None or abs(op.domain.kink(*point)) > clear * max(1.0, *map(abs, point))


def check_program(ops: object, max_inputs: int, max_steps: int, limit: float, clear: float) -> None:
    """Check the arguments that the strategies for programs share.

    Args:
        ops: Ops that can occur, or None for all.
        max_inputs: Maximum number of inputs.
        max_steps: Maximum number of steps.
        limit: Maximum absolute value of a result.
        clear: Minimum distance from non-differentiable points.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If a number is too small.
    """
    if ops is not None:
        check_kind("ops", ops, (list, tuple), "a list of ops")
        for op in ops:  # type: ignore[attr-defined]
            check_kind("each of the ops", op, Op, "an op")
    check_integer("max_inputs", max_inputs, least=1)
    check_integer("max_steps", max_steps, least=1)
    check_positive("limit", limit)
    check_positive("clear", clear, zero=True)


# --- programs ---------------------------------------------------------------------------------------


class OpSequence(Generic[NodeT, OperandT]):
    """A function that applies ops in sequence. Its repr is Python code.

    Args:
        at: Point at which the program was drawn: one operand per input.
        steps: Pairs (op, operands), one per step. An operand is either a constant or an int. An int is an index into
            the list of the inputs and, after them, the results of the earlier steps.
    """

    def __init__(self, at: tuple[OperandT, ...], steps: tuple[tuple[Op, tuple[int | OperandT, ...]], ...]) -> None:
        self.at, self.steps = at, steps

    def leaf(self, x: OperandT, name: str) -> NodeT:
        """Return a node for an input.

        Args:
            x: Value of the input.
            name: Name of the node.

        Returns:
            The node.
        """
        raise NotImplementedError

    def operand_code(self, x: OperandT) -> str:
        """Return a constant as code.

        Args:
            x: Constant.

        Returns:
            The code.
        """
        raise NotImplementedError

    def __call__(self, *inputs: Any) -> Any:
        """Run the program on plain numbers or on nodes.

        Args:
            *inputs: One operand per input.

        Returns:
            The result of the last step.
        """
        return self.run(inputs)[-1]

    def run(self, inputs: Sequence[Any], call: Callable[..., Any] | None = None) -> list[Any]:
        """Return the inputs, followed by the results of all steps.

        Args:
            inputs: One operand per input.
            call: Function that is called as `call(op, *operands)` in place of each op. By default, the op is called.

        Returns:
            A list of the inputs and the results.
        """
        known = list(inputs)
        for op, operands in self.steps:
            args = [known[x] if isinstance(x, int) else x for x in operands]
            known.append(call(op, *args) if call else op.on(args))
        return known

    def record(self) -> tuple[NodeT, list[NodeT]]:
        """Return the program's graph at the point `at`: the root and the named inputs."""
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
        printer.text(f"...\n{self!r}\n")  # Hypothesis prints this for a failing example


class RandomProgram(OpSequence[Value, float]):
    """A function of numbers that applies ops in sequence. Its repr is Python code.

    Args:
        at: Point at which the program is tested: one number per input.
        steps: Pairs (op, operands), one per step. An operand is either a constant (a float) or an int, which is the
            index of an input or of an earlier result.

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
        """Return a Value for an input.

        Args:
            x: Value of the input.
            name: Name of the node.

        Returns:
            The node.
        """
        return Value(x, name=name)

    def operand_code(self, x: float) -> str:
        """Return a constant as code.

        Args:
            x: Constant.

        Returns:
            The code.
        """
        return repr(x)


class Draft(Generic[OperandT]):
    """A program that is being drawn: its steps, all results so far, and the results that no step uses yet.

    Args:
        at: Point at which the program is drawn: one operand per input.
    """

    def __init__(self, at: tuple[OperandT, ...]) -> None:
        self.at = at
        self.known: list[OperandT] = list(at)
        self.steps: list[tuple[Op, tuple[int | OperandT, ...]]] = []
        self.unused = list(range(len(at)))

    def numbers(self, operands: Sequence[int | OperandT]) -> list[OperandT]:
        """Return the values of the given operands at the program's point.

        Args:
            operands: Operands of a step.

        Returns:
            The values, in the order of the operands.
        """
        return [self.known[x] if isinstance(x, int) else x for x in operands]

    def append(self, op: Op, operands: tuple[int | OperandT, ...], result: OperandT) -> None:
        """Append a step.

        Args:
            op: Op of the step.
            operands: Operands of the op.
            result: Value of the step at the program's point.
        """
        used = {x for x in operands if isinstance(x, int)}
        self.steps.append((op, operands))
        self.unused = [x for x in self.unused if x not in used] + [len(self.known)]
        self.known.append(result)

    def results(self) -> list[int]:
        """Return the indices of the steps whose results no other step uses."""
        return [x for x in self.unused if x >= len(self.at)]


def graphs(
    *,
    ops: Sequence[Op] | None = None,
    max_inputs: int = 4,
    max_steps: int = 10,
    limit: float = 100.0,
    clear: float = 0.01,
    shared: bool = True,
    integers: bool = False,
) -> st.SearchStrategy[RandomProgram]:
    """Return a strategy for random programs of Values.

    The programs can contain shared nodes, repeated operands, constants, unused inputs, variadic ops, and the steps of
    loops: recurrences such as h = tanh(h * w), sums over the inputs, and nested sums. Hypothesis shrinks a failing
    program and prints it as code. At the program's point, every step is inside its op's domain and away from the op's
    non-differentiable points. Therefore, numerical derivatives are meaningful.

    Args:
        ops: Ops that can occur. Defaults to all public ops.
        max_inputs: Maximum number of inputs. Defaults to 4.
        max_steps: Maximum number of steps, not counting a final sum of several results. Defaults to 10.
        limit: Maximum absolute value of a result. Defaults to 100.
        clear: Minimum distance from non-differentiable points, relative to the operands. Defaults to 0.01.
        shared: If false, every result is used at most once, and there are no loops. Defaults to true.
        integers: If true, all inputs, constants, results and local derivatives are integers, so that you can check the
            gradients by hand. Defaults to false.

    Returns:
        A strategy for programs.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If a number is too small.

    Examples:
        >>> from hypothesis import find
        >>> find(graphs(integers=True), lambda f: f.at == (3.0,))
        def f(a):
            return a + a
        <BLANKLINE>
        at = (3.0,)
    """
    check_program(ops, max_inputs, max_steps, limit, clear)
    usable = list(ops) if ops is not None else public_ops()
    return _graphs(usable, max_inputs, max_steps, limit, clear, shared, integers)


@st.composite
def _graphs(
    draw: st.DrawFn,
    usable: Sequence[Op],
    max_inputs: int,
    max_steps: int,
    limit: float,
    clear: float,
    shared: bool,
    integers: bool,
) -> RandomProgram:
    constants = _INTEGERS if integers else NUMBERS
    draft = Draft(tuple(draw(st.lists(constants, min_size=1, max_size=max_inputs))))
    steps = draw(st.integers(1, max_steps))

    def fits(op: Op, operands: tuple[int | float, ...]) -> bool:
        is_exact = not integers or _gives_integers(op, draft.numbers(operands))
        return is_exact and is_tame(op, operands, dict(enumerate(draft.known)), limit, clear)

    def append(op: Op, operands: tuple[int | float, ...]) -> int:
        draft.append(op, operands, op.floats(*draft.numbers(operands)))
        return len(draft.known) - 1

    def try_to_append(op: Op, operands: tuple[int | float, ...]) -> int | None:
        return append(op, operands) if len(draft.steps) < steps and fits(op, operands) else None

    loops = LoopDrawer(draw, usable, len(draft.at), try_to_append, constants)
    for _ in range(steps):
        if len(draft.steps) == steps:
            break
        if shared and loops.kinds and draw(st.sampled_from([False] * 7 + [True])):
            loops.loop(len(draft.known) - 1)
            continue
        drawn = _draw_operands(draw, draft, shared, constants)
        counts = [len(drawn) // op.arity * op.arity if op.variadic else op.arity for op in usable]
        candidates = [(op, tuple(drawn[:n])) for op, n in zip(usable, counts, strict=True)]
        if fitting := [step for step in candidates if fits(*step)]:
            append(*draw(st.sampled_from(fitting)))
    if len(results := draft.results()) > 1:
        append(total, tuple(results))
    if not draft.steps:
        append(neg, (0,))
    return RandomProgram(draft.at, tuple(draft.steps))


def _gives_integers(op: Op, point: Sequence[float]) -> bool:
    """Return whether the result and the local derivatives of an op are integers at a point."""
    y = op.on([Value(x) for x in point])
    return all(float(x).is_integer() for x in (y.data, *[local for local in y.partials if local is not None]))


def _draw_operands(
    draw: st.DrawFn, draft: Draft[float], shared: bool, constants: st.SearchStrategy[float]
) -> list[int | float]:
    """Draw two to six operands: constants, inputs and earlier results."""
    pool = list(range(len(draft.known))) if shared else draft.unused
    drawn: list[int | float] = []
    for constant in draw(st.lists(st.sampled_from([False, False, False, True]), min_size=2, max_size=6)):
        free = [x for x in pool if shared or x not in drawn]
        if constant or not free:
            drawn.append(draw(constants))
        else:  # the range of the draw never changes and 0 is the newest, so failing examples shrink well
            drawn.append(free[-1 - draw(st.integers(0, 15)) % len(free)])
    return drawn


def expressions(**options: Any) -> st.SearchStrategy[RandomProgram]:
    """Return a strategy for random programs in which every result is used at most once.

    Args:
        **options: Keyword arguments of `graphs`, except `shared`.

    Returns:
        A strategy for programs.
    """
    return graphs(shared=False, **options)


def is_tame(op: Op, operands: Sequence[int | float], numbers: Mapping[int, float], limit: float, clear: float) -> bool:
    """Return whether an op is smooth and bounded at the given operands and near them.

    Only operands that are nodes can change. The result is false if all operands are constants.

    Args:
        op: Op to check.
        operands: Operands of the op. An int is the index of a node.
        numbers: Values of the nodes, by index.
        limit: Maximum absolute value of a result.
        clear: Minimum distance from non-differentiable points, relative to the operands.

    Returns:
        True if an operand is a node, and if the op is smooth and bounded at and near the operands.
    """
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
