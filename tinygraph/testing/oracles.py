"""Reference values for the assertions: derivatives that are computed without backpropagation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import copysign, inf, isfinite, isnan, nan, ulp

from tinygraph.checking.comparison import agree
from tinygraph.checking.flat import FlatFunction
from tinygraph.checking.kinks import kink_near
from tinygraph.checking.numeric import digits, evaluate, exact_partial, numeric_grad, step_of
from tinygraph.engine.autodiff import grad
from tinygraph.engine.graph import order
from tinygraph.engine.value import Value


class Oracle:
    """Reference derivatives of a function, computed by the most accurate method that its ops allow.

    Args:
        function: Function to differentiate.
        root: Root of the function's graph.
        leaves: Leaves of the graph, one per input.

    Attributes:
        name: Name of the method: "exact arithmetic" if all ops are linear, "mpmath" if all ops are analytic, and
            otherwise "six-point difference".
    """

    def __init__(self, function: FlatFunction, root: Value, leaves: list[Value]) -> None:
        self.function, self.root, self.leaves = function, root, leaves
        self.nodes = order(root)
        ops = [node.op for node in self.nodes if node.op is not None]
        self.name = "six-point difference"
        if all(op.linear for op in ops):
            self.name = "exact arithmetic"
        elif all(op.analytic is not None for op in ops):
            self.name = "mpmath"

    def derivative(self, i: int) -> tuple[float, float]:
        """Return the derivative with respect to one input.

        Args:
            i: Index of the input.

        Returns:
            The derivative and its estimated error.
        """
        if self.name == "exact arithmetic":
            # All ops are linear, so every path contributes 1 or -1, and small integers are exact in floats.
            return self._paths(i), 0.0
        if self.name == "mpmath":
            try:
                return self._exact(i), 0.0
            except (ArithmeticError, ValueError):  # the complex function has a pole here
                pass
        return self._difference(i, self.function)

    def _exact(self, i: int) -> float:
        """Return the derivative by mpmath, or an infinity at the end of a domain, such as 0 for sqrt."""
        from mpmath import mp

        if isnan(self.root.data):
            return nan
        few = digits(self.function.numbers)
        with mp.workdps(few):
            exact = float(exact_partial(self.root, self.leaves, i))
        if abs(exact) > 1e50:
            with mp.workdps(2 * few):  # with a smaller step, an infinite derivative grows
                again = float(exact_partial(self.root, self.leaves, i))
            return exact if again == exact or abs(again - exact) < 1e-6 * abs(exact) else copysign(inf, exact)
        return exact

    def _paths(self, i: int) -> float:
        points = [{leaf: Fraction(int(k == i) * by) for k, leaf in enumerate(self.leaves)} for by in (0, 1)]
        constants = {node: Fraction(0) for node in self.nodes if node.op is None}
        low, high = (evaluate(self.root, constants | point, None) for point in points)
        return float(high - low)

    def _difference(self, i: int, f: Callable[[list[float]], float]) -> tuple[float, float]:
        numbers = self.function.numbers
        step = step_of("six-point", numbers[i])

        def moved(x: float) -> float:
            return f([x if k == i else y for k, y in enumerate(numbers)])

        fine, coarse = (numeric_grad(moved, numbers[i], method="six-point", step=s) for s in (step / 2, step))
        size = max(abs(moved(numbers[i] + by)) for by in (-3 * step, 0.0, 3 * step))
        blur = abs(fine - coarse) + (1e-14 * size + 4 * ulp(0.0)) / step  # subnormal numbers have few bits
        return (fine, blur) if isfinite(blur) else (nan, blur)  # after an overflow, there is no reference

    def second(self, i: int, j: int) -> tuple[float, float]:
        """Return the second derivative with respect to two inputs.

        Args:
            i: Index of the first input.
            j: Index of the second input.

        Returns:
            The derivative and its estimated error.
        """
        exact = self._stencil(i, j, (-0.5, 0.0, 0.5), 1)
        if exact is not None:
            return exact, 0.0

        def first(at: list[float]) -> float:
            root, leaves = self.function.record(at)
            return float(grad(root, leaves[i]))

        return self._difference(j, first)

    def third(self, i: int) -> float | None:
        """Return the third derivative with respect to one input.

        Args:
            i: Index of the input.

        Returns:
            The derivative, or None if mpmath cannot compute it.
        """
        return self._stencil(i, i, (1.0, -2.0, 1.0), 2)

    def _stencil(self, i: int, j: int, weights: Sequence[float], order: int) -> float | None:
        """Return a difference quotient of mpmath derivatives, or None if mpmath cannot compute the derivatives.

        The step is so small that the difference quotient needs hundreds of digits.
        """
        if self.name != "mpmath":
            return None
        from mpmath import mp

        with mp.workdps(digits(self.function.numbers, order=order + 1)):
            points = [mp.mpf(x) for x in self.function.numbers]
            step = mp.mpf(10) ** -200 * (abs(points[j]) or 1)  # its square is below the smallest float
            try:
                partials = [
                    exact_partial(self.root, self.leaves, i, [x + k * step * (n == j) for n, x in enumerate(points)])
                    for k in (-1, 0, 1)
                ]
            except (ArithmeticError, ValueError):  # the complex function has a pole here
                return None
            return float(sum(weight * local for weight, local in zip(weights, partials, strict=True)) / step**order)

    def compare(self, what: str, i: int, ours: float, exact: float, allowed: float, blur: float) -> None:
        """Raise an error unless two derivatives agree.

        Args:
            what: Description of the derivative, for the message.
            i: Index of the input for the last differentiation.
            ours: Derivative by backpropagation.
            exact: Reference derivative.
            allowed: Maximum allowed absolute difference.
            blur: Error of the reference.

        Raises:
            AssertionError: If the derivatives differ by more than `allowed`.
        """
        __tracebackhide__ = True
        if agree(ours, exact, allowed) or exact != exact:  # NaN means that there is no reference
            return
        step = 3 * step_of("six-point", self.function.numbers[i])
        kink = kink_near(self.function, self.nodes, i, step) if self.name == "six-point difference" else ""
        error = abs(ours - exact) / abs(exact) if exact else inf
        raise AssertionError(
            f"{what}\n  backpropagation      {ours!r}\n  {self.name:<20} {exact!r}   (its own error: {blur:.1e})\n"
            f"  relative error {error:.1e}, difference {abs(ours - exact):.1e}, allowed {allowed:.1e}"
            + (f"\n  note: {kink}" if kink else "")
        )
