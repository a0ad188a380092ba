"""Derivatives without calculus, to check backpropagation against: nudge an input and look."""

from __future__ import annotations

import cmath
import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from tinygraph.engine.autodiff import grad
from tinygraph.engine.graph import Node, order
from tinygraph.engine.value import Value
from tinygraph.functional import map_numbers

Method = Literal["two-point", "central", "six-point", "complex", "mpmath"]

NUDGE = 0.001  # the lecture's step
_ROUNDING = 2.0**-52


def numeric_grad(f: Callable[..., Any], at: Any, *, method: Method = "central", step: float | None = None) -> Any:
    """The derivative of f by nudging its input, or a list of them if `at` is a list of arguments.

    "two-point" is the lecture's (f(x + 0.001) - f(x)) / 0.001, with an error of order step;
    "central" is (f(x + h) - f(x - h)) / 2h, with an error of order step²; "six-point" has one of
    order step⁶. For programs of analytic ops only (ValueError names the first that is not) are
    "complex", Im f(x + ih) / h in floats, exact to rounding, and "mpmath", the same with 400 digits.
    f is called with plain numbers; with Values where `at` holds Values.

    >>> f = lambda a, b, c: 3 * (a + b * c)
    >>> [round(slope, 6) for slope in numeric_grad(f, [5, 3, 2])]
    [3.0, 6.0, 9.0]
    >>> round(numeric_grad(lambda a: a**2, 2, method="two-point"), 6)
    4.001
    >>> import tinygraph
    >>> numeric_grad(tinygraph.sigmoid, 0, method="complex")
    0.25
    """
    if method not in _METHODS:
        raise ValueError(f"method is one of {', '.join(map(repr, _METHODS))}, not {method!r}")
    several = isinstance(at, (list, tuple))
    program = Program(f, at if several else [at], values=_holds_values(at))
    partials = [_METHODS[method](program, i, step or step_of(method, x)) for i, x in enumerate(program.numbers)]
    tree = program.restore(partials)
    return tree if several else tree[0]


class Program:
    """A function of nested arguments, seen as a function of one flat list of numbers."""

    def __init__(self, f: Callable[..., Any], args: Sequence[Any], values: bool) -> None:
        self.f, self.args, self.values = f, list(args), values
        self.numbers: list[float] = []
        map_numbers(lambda x: self.numbers.append(x.data if isinstance(x, Value) else Value(x).data), self.args)

    def restore(self, numbers: Sequence[Any]) -> list[Any]:
        """Give a flat list the form of the arguments."""
        entries = iter(numbers)
        return [map_numbers(lambda _: next(entries), arg) for arg in self.args]

    def __call__(self, numbers: Sequence[Any]) -> float:
        """The number f gives."""
        y = self.f(*self.restore([Value(x, constant=True) for x in numbers] if self.values else numbers))
        return y.data if isinstance(y, Value) else Value(y).data

    def record(self, numbers: Sequence[float]) -> tuple[Value, list[Value]]:
        """The graph f records, and its leaves."""
        leaves = [Value(x) for x in numbers]
        y = self.f(*self.restore(leaves))
        return (y if isinstance(y, Value) else Value(y, constant=True)), leaves

    def moved(self, i: int, by: float) -> list[float]:
        """The point with its entry i moved."""
        return [x + by if j == i else x for j, x in enumerate(self.numbers)]


def _holds_values(tree: Any) -> bool:
    found: list[bool] = []
    map_numbers(lambda x: found.append(isinstance(x, Value)), tree)
    return any(found)


def step_of(method: str, x: float) -> float:
    """The step a method takes at x."""
    if method == "two-point":
        return NUDGE
    if method == "complex":
        return max(1e-20 * abs(x), 1e-300) if x else 1e-20
    if method == "six-point":
        return float(2.0**-9 * max(1.0, abs(x)))
    return float(2.0**-17 * max(1.0, abs(x)))  # about the cube root of the rounding error


def _two_point(program: Program, i: int, step: float) -> float:
    return (program(program.moved(i, step)) - program(program.numbers)) / step


def _central(program: Program, i: int, step: float) -> float:
    right, left = program.moved(i, step), program.moved(i, -step)
    return (program(right) - program(left)) / (right[i] - left[i])  # the step that was really taken


def _six_point(program: Program, i: int, step: float) -> float:
    x = program.numbers[i]
    h = (x + step) - x
    near, middle, far = (program(program.moved(i, k * h)) - program(program.moved(i, -k * h)) for k in (1, 2, 3))
    return (45.0 * near - 9.0 * middle + far) / (60.0 * h)


def _complex_step(program: Program, i: int, step: float) -> float:
    root, leaves = program.record(program.numbers)
    moved = {leaf: complex(leaf.data, step if j == i else 0.0) for j, leaf in enumerate(leaves)}
    return float(evaluate(root, moved, cmath).imag / step)


def _mpmath_step(program: Program, i: int, step: float) -> float:
    del step  # it hardly matters with so many digits
    from mpmath import mp

    with mp.workdps(digits(program.numbers)):
        root, leaves = program.record(program.numbers)
        return float(exact_partial(root, leaves, i))


def digits(numbers: Sequence[float], order: int = 1) -> int:
    """How many decimals mpmath needs there: 1 + exp(-700) must not be 1, nor asin(x + ih) lose its h."""
    smallest = min((abs(x) for x in numbers if x), default=1.0)
    return (400, 1200, 2400)[order - 1] + (4 * order - 2) * max(0, -int(math.log10(smallest)))


def exact_partial(root: Value, leaves: Sequence[Value], i: int, at: Sequence[Any] | None = None) -> Any:
    """The derivative of the root by a leaf, as an mpmath number; `at` moves the leaves to another point."""
    from mpmath import mp

    points = [mp.mpf(leaf.data) for leaf in leaves] if at is None else at
    step = mp.mpf(10) ** (-mp.dps // 2) * (abs(points[i]) or 1)
    moved = {leaf: mp.mpc(x, step if j == i else 0) for j, (leaf, x) in enumerate(zip(leaves, points, strict=True))}
    return mp.mpc(evaluate(root, moved, mp)).imag / step


def evaluate(root: Value, leaves: Mapping[Any, Any], module: Any) -> Any:
    """The number of the root at other leaves, with the functions of `cmath` or `mpmath`."""
    known = dict(leaves)
    for node in reversed(order(root)):
        if node.op is None:
            known.setdefault(node, node.raw)
            continue
        if node.op.analytic is None:
            raise ValueError(f"{node.op.name} is not analytic, so the complex step would be wrong: use 'central'")
        known[node] = node.op.analytic(module, *[known[x] if isinstance(x, Node) else x for x in node.args])
    return known[root]


_METHODS: dict[str, Callable[[Program, int, float], float]] = {
    "two-point": _two_point,
    "central": _central,
    "six-point": _six_point,
    "complex": _complex_step,
    "mpmath": _mpmath_step,
}


@dataclass(frozen=True)
class InputCheck:
    """One input of a checked function: both derivatives, and how they compare."""

    name: str
    at: float
    backward: float
    numeric: float
    method: str
    step: float
    allowed: float
    note: str

    @property
    def error(self) -> float:
        """The absolute difference; 0 if both are the same infinity or nan."""
        same = self.backward == self.numeric or (self.backward != self.backward and self.numeric != self.numeric)
        return 0.0 if same else abs(self.backward - self.numeric)

    @property
    def ok(self) -> bool:
        """Whether they agree, or cannot: at a kink no derivative is the right one."""
        return bool(self.note) or self.error <= self.allowed

    def __str__(self) -> str:
        verdict = self.note or ("agrees" if self.ok else "DIFFERS")
        return (
            f"{self.name} = {self.at:g}: backpropagation {self.backward:.10g}, {self.method} {self.numeric:.10g} "
            f"(step {self.step:.1e}), error {self.error:.1e} of {self.allowed:.1e} allowed: {verdict}"
        )


@dataclass(frozen=True)
class GradientCheck:
    """The result of `check_grad`: true if every input agrees, and readable when printed."""

    inputs: tuple[InputCheck, ...]

    @property
    def ok(self) -> bool:
        """Whether no input differs."""
        return all(check.ok for check in self.inputs)

    def __bool__(self) -> bool:
        return self.ok

    def __str__(self) -> str:
        return "\n".join(str(check) for check in self.inputs)


def check_grad(f: Callable[..., Any], *at: Any, tolerance: float = 1e-9) -> GradientCheck:
    """Compare backpropagation through f, at these arguments, with derivatives found by nudging.

    The complex step serves where all ops are analytic, the central difference (extrapolated from
    two steps, whose disagreement tells its own error) elsewhere. They agree within `tolerance`
    relative to the absolute terms that backpropagation sums, plus what the difference can't see.
    Where a kink stands within the step it is named, and nothing fails.

    >>> print(check_grad(lambda a, b, c: 3 * (a + b * c), 5, 3, 2))  # doctest: +ELLIPSIS
    a = 5: backpropagation 3, complex step 3 (step 5.0e-20), error 0.0e+00 of 3.0e-09 allowed: agrees
    b = 3: ...
    c = 2: ...
    >>> print(check_grad(lambda x: x.relu(), 0.0))  # doctest: +ELLIPSIS
    x = 0: ... kink: relu(x) stands on its kink, at 0
    """
    program = Program(f, at, values=True)
    root, leaves = program.record(program.numbers)
    partials, terms = grad(root, leaves), masses(root)
    analytic = all(node.op is None or node.op.analytic is not None for node in order(root))
    names = list(input_names(f, program.args))
    for leaf, name in zip(leaves, names, strict=True):
        leaf.name = name
    checks = []
    for i, (leaf, x, local) in enumerate(zip(leaves, program.numbers, partials, strict=True)):
        numeric, step, blur, note = float("nan"), 0.0, 0.0, ""
        if analytic:
            method, step = "complex step", step_of("complex", x)
            blur = step
            try:
                numeric = _complex_step(program, i, step)
            except ArithmeticError:  # past the range of complex functions
                numeric = float("nan")
        if not math.isfinite(numeric):
            method, step = "central difference", 2.0**-10 * max(1.0, abs(x))
            near, far = _central(program, i, step / 2), _central(program, i, step)
            numeric = near + (near - far) / 3.0
            size = max(abs(root.data), abs(x * numeric), 1e-300)
            blur = abs(near - far) + 8 * _ROUNDING * size / step
            if not math.isfinite(numeric):
                note = "not checked, because f is not finite within the step"
            elif kink := kink_near(program, root, i, step):
                note = f"kink: {kink}"
        allowed = tolerance * max(terms.get(leaf, 0.0), abs(local)) + blur
        checks.append(InputCheck(names[i], x, local, numeric, method, step, allowed, note))
    return GradientCheck(tuple(checks))


def masses(root: Value) -> dict[Node, float]:
    """For each node the sum over all paths of |product of slopes|: what its gradient was summed from."""
    terms: dict[Node, float] = {root: 1.0}
    for node in order(root):
        for operand, local in zip(node.args, node.partials, strict=True):
            if local is not None and node in terms:
                terms[operand] = terms.get(operand, 0.0) + terms[node] * abs(local)
    return terms


def input_names(f: Callable[..., Any], args: Sequence[Any]) -> Iterator[str]:
    """What to call the inputs: by the function's parameters, with an index into lists."""
    try:
        parameters = list(inspect.signature(f).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    for i, arg in enumerate(args):
        known = i < len(parameters) and parameters[i].kind is not inspect.Parameter.VAR_POSITIONAL
        yield from _entry_names(parameters[i].name if known else f"argument {i + 1}", arg)


def _entry_names(name: str, arg: Any) -> Iterator[str]:
    if isinstance(arg, dict):
        for key, entry in arg.items():
            yield from _entry_names(f"{name}[{key!r}]", entry)
    elif isinstance(arg, (list, tuple)):
        for i, entry in enumerate(arg):
            yield from _entry_names(f"{name}[{i}]", entry)
    else:
        yield (arg.name if isinstance(arg, Value) else "") or name


def kink_near(program: Program, root: Value, i: int, step: float) -> str:
    """Where a kink stands between the points a difference looks at, or ""."""
    here = order(root)
    for by in (-step, step):
        there = order(program.record(program.moved(i, by))[0])
        if [node.op for node in here] != [node.op for node in there]:
            return "the program takes another branch within the step"
        for node, other in zip(here, there, strict=True):
            if node.op is None:
                continue
            domain, points = node.op.domain, [x.numbers for x in (node, other)]
            text = node.op.text(*[x.name if isinstance(x, Node) and x.name else f"{x:g}" for x in node.args])
            if domain.holds(points[0]) and not domain.holds(*points):
                return f"{text} leaves its domain, {domain.text}, within the step"
            if domain.kink is not None:
                at, after = (domain.kink(*point) for point in points)
                if at == 0 and after != 0:  # 0 at both: no move, as in relu(0 * x)
                    return f"{text} stands on its kink, at {', '.join(f'{x:g}' for x in points[0])}"
                if at * after < 0:
                    return f"{text} has a kink or a pole within the step"
    return ""
