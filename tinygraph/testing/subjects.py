"""A function whose gradient is tested: who computes the gradient, how the function is called, and what is wrong."""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tinygraph.checking.comparison import check_grad, same
from tinygraph.checking.flat import FlatFunction, elements_of
from tinygraph.engine.autodiff import grad as derivatives
from tinygraph.functional import named_numbers, numbers_of, refilled
from tinygraph.support.messages import described
from tinygraph.testing.examining.differentiated import Differentiated, title_of
from tinygraph.testing.examining.examination import Examination
from tinygraph.testing.examining.structure import in_order

if TYPE_CHECKING:
    from tinygraph.functional import Function, Tree

    Inputs = Mapping[str, Tree]


_MANY = 64


@dataclass(frozen=True)
class Findings:
    """What an examination of a function at one point found.

    Attributes:
        problems: One text for each problem.
        has_state: True if the function keeps something between calls or changes its inputs, so that later calls give
            other results.
        patterns: Pattern of the errors of each wrong gradient, or "", by the name of the input.
        finite: True if the value is finite.
        compared: For the name of each input that has elements, whether the gradient of one of them was compared with a
            difference. It was not if the function is not finite, or raises an error, on both sides of each element.
        note: Description of the weights that turn the result into a scalar, or "" if it is a scalar.
    """

    problems: list[str]
    has_state: bool
    patterns: dict[str, str]
    finite: bool
    compared: dict[str, bool]
    note: str = ""


class Subject:
    """A function whose gradient is tested.

    Args:
        f: Function of Values or Tensors, or a function of numbers and arrays that returns (value, gradients).
        names: Names of the inputs.
        wrt: Names of the inputs with respect to which the gradient is tested.
        tolerance: Allowed error, as in `assert_value_and_grad`.
        reference: Function of the same inputs that returns the right value, or None.

    Raises:
        ValueError: If the parameters of `f` have other names.
    """

    def __init__(
        self, f: Function, names: Sequence[str], wrt: Sequence[str], tolerance: float, reference: Function | None
    ) -> None:
        self.f, self.wrt, self.tolerance, self.reference = f, list(wrt), tolerance, reference
        self.title = title_of(f).rpartition("<locals>.")[2]
        identifier = self.title.replace(".", "_")
        self.identifier = identifier if identifier.isidentifier() else "function"
        self.order = _order_of(f, self.title, names)
        self.returns_pair = True if isinstance(f, Differentiated) else None  # None until the first call
        self.noticed: dict[str, None] = {}  # problems that are only visible within a call of f

    def call(self, inputs: Inputs, f: Function | None = None) -> object:
        """Call a function with the inputs in the order of the parameters of `f`.

        Args:
            inputs: The inputs by name.
            f: Function to call. Defaults to the function whose gradient is tested.

        Returns:
            The result.
        """
        return (f or self.f)(*[inputs[name] for name in self.order])

    def examine(self, inputs: Inputs, is_random: bool) -> Findings:
        """Find the problems of the function at one point.

        Args:
            inputs: The inputs by name.
            is_random: If true, the point has no special numbers: each element is checked, the problems contain the
                patterns of the errors, and the gradient is also checked at a second point.

        Returns:
            The problems.
        """
        with _without_warnings():
            return self._examined(inputs, is_random)

    def _examined(self, inputs: Inputs, is_random: bool) -> Findings:
        self.noticed.clear()
        is_pair, at = self._is_pair(inputs), [inputs[name] for name in self.wrt]
        flat = None if is_pair else self._flat(inputs, at)

        def of(*chosen: Tree) -> object:
            return self._pair(inputs, chosen) if is_pair else self._recorded(inputs, chosen)

        of.__signature__ = _signature(self.wrt)  # type: ignore[attr-defined]
        of.__qualname__ = self.title
        examination = Examination(of, at, self.tolerance, flat)
        examination.show_patterns = is_random
        examination.needs_reference = False  # a drawn point can be outside the domain
        if is_random and isinstance(self.f, Differentiated):
            examination.pullback = self.f.pullback
        examination.many = _MANY if is_random else 1
        others = {name: tree for name, tree in inputs.items() if name not in self.wrt}
        examination.other_shapes = {
            code: np.shape(x) for name, tree in others.items() for code, x in named_numbers(name, tree)
        }
        try:
            problems = examination.problems(second_point=is_random)
        except Exception:
            if not self.noticed:
                raise
            return Findings(list(self.noticed), True, {}, True, {})
        if problems and not is_pair:
            problems = self._cuts(inputs) or problems
        problems = [*self.noticed, *problems]
        y = examination.function(examination.function.numbers)
        if self.reference is not None:
            problems += self._wrong_value(inputs, y)
        note = examination.function.projection or (self.f.projection if isinstance(self.f, Differentiated) else "")
        has_state = bool(self.noticed or examination.state_problems)
        shapes = zip(examination.names, examination.function.shapes, strict=True)
        compared = {name: name in examination.compared for name, shape in shapes if math.prod(shape)}
        return Findings(problems, has_state, examination.patterns, math.isfinite(y), compared, note)

    def _is_pair(self, inputs: Inputs) -> bool:
        """Return whether the function returns (value, gradients), after a call with plain inputs."""
        if self.returns_pair is None:
            try:
                result = self.call(_copies(inputs))
                self.returns_pair = isinstance(result, (tuple, list)) and len(result) == 2
            except FloatingPointError:  # the user asked NumPy for errors
                raise
            except Exception as error_of_arrays:  # arrays do not have the methods of Tensors
                try:
                    self._recorded(inputs, [inputs[name] for name in self.wrt])
                except Exception as error:
                    raise error from error_of_arrays
                self.returns_pair = False
        return self.returns_pair

    def _pair(self, inputs: Inputs, chosen: Sequence[Tree]) -> object:
        """Call a function that returns (value, gradients)."""
        copies = _copies(inputs)
        result = self.call(copies | dict(zip(self.wrt, chosen, strict=True)))
        for name in inputs:
            if name not in self.wrt and elements_of(copies[name]) != elements_of(inputs[name]):
                self.noticed[f"f changes its input {name}"] = None
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            return result
        return result[0], in_order(result[1], self.wrt)

    def _flat(self, inputs: Inputs, chosen: Sequence[Tree]) -> FlatFunction:
        others = _copies(inputs)
        return FlatFunction(
            lambda *nodes: self.call(others | dict(zip(self.wrt, nodes, strict=True))), chosen, values=True, seed=0
        )

    def _recorded(self, inputs: Inputs, chosen: Sequence[Tree]) -> object:
        """Return the value and the gradients of a function of nodes, by backpropagation."""
        function = self._flat(inputs, chosen)
        root, leaves = function.record(function.numbers)
        changed = elements_of([leaf.raw for leaf in leaves])
        names = function.element_names([name for name in self.wrt for _ in numbers_of(inputs[name])])
        for name, old, new in zip(names, function.numbers, changed, strict=True):
            if not same(old, new):
                self.noticed[f"f changes its input: {name} from {old:.6g} to {new:.6g}"] = None
        gradients = derivatives(root, leaves)
        if root.op is not None:
            self._check_passes(root, leaves, gradients)
        return root.item(), refilled(list(chosen), gradients)

    def _check_passes(self, root: Tree, leaves: list[Tree], gradients: list[Tree]) -> None:
        """Notice a second backward pass that gives other gradients."""
        for _ in range(2):
            root.backward()
        for leaf, gradient in zip(leaves, gradients, strict=True):
            if leaf.grad is not None and not np.array_equal(leaf.grad, gradient, equal_nan=True):
                self.noticed[f"backward() gives {described(leaf.grad)}, but grad() gives {described(gradient)}"] = None

    def _cuts(self, inputs: Inputs) -> list[str]:
        """Describe the places where the graph of a function of nodes is cut."""
        chosen = [inputs[name] for name in self.wrt]
        f = self._flat(inputs, chosen).f
        f.__signature__ = _signature(self.wrt)  # type: ignore[attr-defined]
        checks = check_grad(f, *chosen).inputs
        return [str(check) for check in checks if check.fault.startswith("the graph is cut")]

    def _wrong_value(self, inputs: Inputs, y: float) -> list[str]:
        """Describe a value that differs from that of the reference."""
        wanted = np.asarray(self.call(_copies(inputs), self.reference))
        if wanted.shape:
            raise TypeError(f"reference must return a scalar, but its result has shape {wanted.shape}")
        right = float(wanted)
        if same(y, right) or abs(y - right) <= self.tolerance * max(abs(right), 1e-3):
            return []
        return [f"the value is {y:.10g}, but reference gives {right:.10g}"]


def _order_of(f: Function, title: str, names: Sequence[str]) -> list[str]:
    """Return the names of the inputs in the order of the parameters of a function."""
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):  # a function of C
        return list(names)
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if any(p.kind is p.VAR_POSITIONAL for p in parameters) and not positional:
        return list(names)
    known = [p.name for p in positional]
    required = [p.name for p in positional if p.default is p.empty]
    if set(names) != set(known[: len(names)]) or len(required) > len(names):
        raise ValueError(
            f"shapes must contain the parameters of {title}, which are {', '.join(known)}, not {', '.join(names)}"
        )
    return known[: len(names)]


def _signature(names: Sequence[str]) -> inspect.Signature:
    return inspect.Signature([inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY) for name in names])


def _without_warnings() -> np.errstate:
    """Return a context without NumPy's warnings, for points outside the domain. An error that was asked for remains."""
    return np.errstate(**{kind: "ignore" for kind, how in np.geterr().items() if how == "warn"})  # type: ignore[arg-type]


def _copies(inputs: Inputs) -> dict[str, Tree]:
    """Return the inputs with copies of the arrays."""
    return {
        name: refilled(tree, [np.array(x) if isinstance(x, np.ndarray) else x for x in numbers_of(tree)])
        for name, tree in inputs.items()
    }
