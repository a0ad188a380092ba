"""`gradient_test`: a complete property-based test of a function's gradient in one line of code."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tinygraph.explaining.code import array_code
from tinygraph.functional import named_numbers, numbers_of, refilled
from tinygraph.support.arguments import check_function, check_integer, check_kind, check_mapping, check_positive
from tinygraph.support.messages import counted, one_of
from tinygraph.testing.examining.differentiated import place_of
from tinygraph.testing.input_strategies import MODERATE, Palette, lifted, like_form, names_of, palette_of, with_lengths
from tinygraph.testing.subjects import Findings, Subject

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

    from tinygraph.functional import Function, Tree

    Elements = st.SearchStrategy[float] | Mapping[str, st.SearchStrategy[float]]

_ONCE = settings(
    max_examples=20,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
_LEADING = ((3, 2), (2,), (3, 1), ())  # what `...` stands for at the random point, in turn


def gradient_test(
    f: Function,
    shapes: Mapping[str, Tree],
    *,
    wrt: Sequence[str] | None = None,
    elements: Elements | None = None,
    kinds: Sequence[str] = MODERATE,
    reference: Function | None = None,
    tolerance: float = 1e-7,
    max_examples: int | None = None,
) -> Callable[..., None]:
    """Return a complete test of a function's gradient, so that a test file needs only one line per function.

    The test draws shapes and numbers. At each point, it compares the gradient with differences between values of `f`.
    It also checks the shapes and dtypes of the gradients, and that `f` does not change its inputs, does not accumulate
    over calls, and returns the same result when it is called again. A failing example shrinks to a small one. The
    message also shows the pattern of the errors at a larger point.

    Args:
        f: Function of Values, or of Tensors if an input is an array, or a function of numbers and arrays that returns
            (value, gradients), as in `assert_value_and_grad`. The gradients may also be a dict whose keys are the names
            of the inputs, with or without the prefix "d" or "grad_".
        shapes: Shape of each input, by the name of the parameter, for example `{"w": ("n", 1), "X": ("n", "m")}`. Equal
            names stand for equal lengths. `...` at the beginning of shapes stands for axes that broadcast together. ()
            stands for a number. An input can also be a list or a dict of shapes.
        wrt: Names of the inputs with respect to which `f` is differentiated. Defaults to all inputs.
        elements: Strategy for the elements of all inputs, or a dict of strategies by the names of inputs, for example
            `{"y": st.sampled_from([0.0, 1.0])}`. Defaults to the numbers of `kinds`.
        kinds: Kinds of numbers to draw, as in `arrays_like`. Defaults to numbers between about -2 and 2, with ties,
            zeros and kinks. A formula such as log(1 - sigmoid(z)) has no digits for large z, so add "magnitudes" and
            "extremes" only if `f` is accurate in its tails.
        reference: Function of the same inputs that returns the right value. Defaults to none, for no check against
            another implementation.
        tolerance: Allowed error of the gradient, as in `assert_value_and_grad`. Defaults to 1e-7.
        max_examples: Maximum number of examples. Defaults to that of the Hypothesis profile.

    Returns:
        The test, for pytest, for a class of `unittest`, or to call without arguments.

    Raises:
        TypeError: If an argument has the wrong type.
        ValueError: If the names in `shapes` are not those of the parameters of `f`, or if a shape is not valid. The
            test itself raises ValueError if `f` is not finite at any example, or if the gradient of an input could not
            be compared at any point, because `f` is not finite or raises an error on both sides of each element.

    Examples:
        >>> def loss(w, X, y):
        ...     z = w.T @ X - y
        ...     return (z**2).sum(), [2.0 * X @ z.T, 2.0 * w @ z, -z]
        >>> test_my_loss = gradient_test(loss, shapes={"w": ("n", 1), "X": ("n", "m"), "y": (1, "m")})
        >>> test_my_loss()  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        AssertionError: loss with w (1, 1), X (1, 1), y (1, 1): 1 problem
          the gradient of y is wrong in 1 of 1 element
            y[0, 0] = ...: the gradient is ..., central difference ...
          with w (3, 1), X (3, 4), y (1, 4), the gradient of y is wrong too: every element is 0.5 times the right ...
    """
    plan = _plan(f, shapes, wrt, elements, kinds, reference, tolerance, max_examples)
    caller = sys._getframe(1)
    # The test has the file and the line of the caller, so that pytest and debuggers show that line for a failure.
    source = "\n" * (caller.f_lineno - 1) + "def test(*_): run()"
    namespace: dict[str, Any] = {"run": plan.run, "__name__": caller.f_globals.get("__name__", __name__)}
    exec(compile(source, caller.f_code.co_filename, "exec"), namespace)
    test: Callable[..., None] = namespace["test"]
    test.__name__ = test.__qualname__ = f"test_{plan.subject.identifier}"
    test.__doc__ = f"Test the gradient of {plan.subject.title}."
    return test


def _plan(
    f: Function,
    shapes: Mapping[str, Tree],
    wrt: Sequence[str] | None,
    elements: Elements | None,
    kinds: Sequence[str],
    reference: Function | None,
    tolerance: float,
    max_examples: int | None,
) -> _Plan:
    """Check the arguments of `gradient_test`, and return what the test does."""
    check_function("f", f)
    check_mapping("shapes", shapes, "a dict from the names of the inputs to their shapes")
    for name in shapes:
        check_kind("each key of shapes", name, str, "the name of a parameter")
    if not shapes:
        raise ValueError("shapes must contain at least one input")
    if wrt is not None:
        check_kind("wrt", wrt, (list, tuple), "a list of names")
        for name in wrt:
            one_of("each element of wrt", name, list(shapes))
        if not wrt:
            raise ValueError("wrt must contain at least one name")
    if reference is not None:
        check_function("reference", reference)
    check_positive("tolerance", tolerance, zero=True)
    if max_examples is not None:
        check_integer("max_examples", max_examples, least=1)
    palettes = {name: palette_of(kinds) for name in shapes}
    if isinstance(elements, st.SearchStrategy):
        palettes = dict.fromkeys(shapes, palette_of(kinds, elements))
    elif elements is not None:
        check_mapping("elements", elements, "a strategy, or a dict from names of inputs to strategies")
        for name, strategy in elements.items():
            one_of("each key of elements", name, list(shapes))
            palettes[name] = palette_of(kinds, strategy)
    subject = Subject(f, list(shapes), list(wrt) if wrt else list(shapes), tolerance, reference)
    return _Plan(subject, {name: lifted(tree) for name, tree in shapes.items()}, palettes, max_examples)


@dataclass
class _Plan:
    """A test of one function.

    Attributes:
        subject: The function.
        form: Shape of each input.
        palettes: Strategy for the elements of each input.
        max_examples: Maximum number of examples, or None.
    """

    subject: Subject
    form: dict[str, Tree]
    palettes: dict[str, Palette]
    max_examples: int | None

    def run(self) -> None:
        """Test the function."""
        __tracebackhide__ = True
        try:
            self._test()
        except Exception as error:
            # Show the frames of the user only, and keep the notes of Hypothesis, which show the example.
            error.__context__ = error.__cause__
            raise error.with_traceback(_without_ours(error.__traceback__))  # noqa: B904

    def _test(self) -> None:
        inputs = self._random_inputs()
        try:
            random = self.subject.examine(inputs, is_random=True)
        except Exception:
            self._search(inputs, None)  # finds a small example of the exception
            raise
        if random.has_state:  # a call changes the results of later calls, so other examples show nothing new
            raise AssertionError(self._message(inputs, random.problems, [random.note]))
        self._search(inputs, random)
        if random.problems:
            raise AssertionError(self._message(inputs, random.problems, [random.note]))

    def _search(self, larger: Mapping[str, Tree], random: Findings | None) -> None:
        """Draw examples, and raise an exception for a small one that fails. `random` was found at a larger point."""
        findings: list[Findings] = []

        def check(inputs: _Inputs) -> None:
            found = self.subject.examine(inputs.values, is_random=False)
            findings.append(found)
            if found.problems:
                more = _also_wrong(larger, random, found) if random else []
                raise AssertionError(self._message(inputs.values, found.problems, [*more, found.note]))

        check.__name__ = check.__qualname__ = f"test_{self.subject.identifier}"
        self._settings()(given(inputs=self._strategy())(check))()
        if not any(found.finite for found in findings):
            raise ValueError(
                f"{self.subject.title} was not finite at any of {counted(len(findings), 'example')}: "
                "pass elements= with a strategy for its domain, such as st.floats(0.5, 2.0)"
            )
        self._require_comparisons([*([random] if random else []), *findings])

    def _require_comparisons(self, findings: Sequence[Findings]) -> None:
        """Raise an error if the gradient of an input was not compared with a difference at any point."""
        known = {name for found in findings for name in found.compared}
        missing = known - {name for found in findings for name, compared in found.compared.items() if compared}
        if missing and not any(found.problems for found in findings):
            names = " and ".join(sorted(missing))
            raise ValueError(
                f"the gradient of {names} could not be checked at any of {counted(len(findings), 'point')}, because "
                f"{self.subject.title} is not finite, or raises an error, on both sides of each element: pass "
                f"elements= with a strategy for points inside its domain, or wrt= without {names}"
            )

    def _settings(self) -> settings:
        default = settings.default or settings()
        return settings(
            default,
            max_examples=self.max_examples or default.max_examples,
            phases=[phase for phase in default.phases if phase is not Phase.explain],  # it would list lines of the kit
            deadline=None,
            report_multiple_bugs=False,
        )

    def _strategy(self) -> st.SearchStrategy[_Inputs]:
        leaves = [(dims, self.palettes[name]) for name, tree in self.form.items() for dims in numbers_of(tree)]
        return like_form(self.form, [dims for dims, _ in leaves], [palette for _, palette in leaves], 3, 2).map(_Inputs)

    def _random_inputs(self) -> dict[str, Tree]:
        """Return inputs with different lengths and different numbers, where the pattern of errors is clear."""
        leaves = list(numbers_of(self.form))
        lengths = {name: 3 + i for i, name in enumerate(names_of(leaves))}
        leading = [_LEADING[i % len(_LEADING)] for i in range(len(leaves))]
        shapes = with_lengths(leaves, lengths, leading)
        random = np.random.default_rng(0)
        names = [name for name, tree in self.form.items() for _ in numbers_of(tree)]
        arrays = [_numbers(self.palettes[name], shape, random) for name, shape in zip(names, shapes, strict=True)]
        inputs: dict[str, Tree] = refilled(self.form, arrays)
        return inputs

    def _message(self, inputs: Mapping[str, Tree], problems: Sequence[str], patterns: Sequence[str] = ()) -> str:
        title = f"{self.subject.title} with {_shapes_text(inputs)}: {counted(len(problems), 'problem')}"
        lines = [title, *problems, *filter(None, patterns)]
        if any(text.startswith(("f returns", "the dict of gradients has no key")) for text in problems):
            lines.append("if f differentiates with respect to some inputs only, pass their names as wrt=")
        if any("difference from the " in text for text in problems):
            lines.append("f is finite on one side only: to leave out such points, pass elements= for its domain")
        if place := place_of(self.subject.f):
            lines.append(f"{self.subject.title} is at {place}")
        return "\n  ".join(lines)


def _without_ours(trace: TracebackType | None) -> TracebackType | None:
    """Return a traceback from its first frame that is neither in this package nor in Hypothesis, or None."""
    ours = str(Path(__file__).parents[1]), str(Path(hypothesis.__file__).parent)
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(ours):
        trace = trace.tb_next
    return trace


def _also_wrong(larger: Mapping[str, Tree], random: Findings, found: Findings) -> list[str]:
    """Describe what is wrong at a larger point, and not already described: a pattern, or the gradients of more inputs.

    A small example often has one wrong gradient, because Hypothesis sets all other inputs to 0 or 1.
    """
    where = _shapes_text(larger)
    texts = [
        f"with {where}, the gradient of {name} is wrong too: {pattern}"
        for name, pattern in random.patterns.items()
        if pattern
    ]
    others = [name for name, pattern in random.patterns.items() if not pattern and name not in found.patterns]
    if others:
        gradients = f"the gradient{'s' * (len(others) > 1)} of {' and '.join(others)}"
        texts.append(f"with {where}, {gradients} {'are' if len(others) > 1 else 'is'} wrong too")
    return texts


class _Inputs:
    """Inputs that Hypothesis prints as code."""

    def __init__(self, values: Mapping[str, Tree]) -> None:
        self.values = values

    def __repr__(self) -> str:
        texts = {name: refilled(tree, [_Code(x) for x in numbers_of(tree)]) for name, tree in self.values.items()}
        return "\n".join([f"{name} = {text!r}" for name, text in texts.items()])

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002
        printer.text(f"...\n{self!r}\n")


class _Code:
    """A number or an array whose repr is code."""

    def __init__(self, x: object) -> None:
        self.text = array_code(x) if isinstance(x, np.ndarray) else repr(x)

    def __repr__(self) -> str:
        return self.text


def _shapes_text(inputs: Mapping[str, Tree]) -> str:
    named = [pair for name, tree in inputs.items() for pair in named_numbers(name, tree)]
    return ", ".join([f"{name} {np.shape(x)}" for name, x in named])


def _numbers(palette: Palette, shape: tuple[int, ...], random: np.random.Generator) -> Tree:
    """Return different numbers of a palette."""
    if palette.ordinary:
        array = random.uniform(-2.0, 2.0, shape)
        return array if shape else float(array)
    size = math.prod(shape)
    drawn: list[list[float]] = []

    @settings(_ONCE)
    @given(numbers=st.one_of(*[st.lists(x, min_size=1, max_size=min(size, 64)) for x in palette.strategies]))
    def collect(numbers: list[float]) -> None:
        drawn.append(numbers)

    collect()
    best = max(drawn, key=lambda numbers: len(set(numbers)))
    return random.choice(best, shape) if shape else float(best[0])
