"""Public functions with options, which are made of ops: activations, losses, clipping, and the replacement of NaN."""

from __future__ import annotations

from math import isfinite

from tinygraph.engine import ops
from tinygraph.engine.more_ops.activations import elu_of, huber_of, leaky_relu_of, nan_to_num_of
from tinygraph.engine.op import Traced
from tinygraph.kernels.numbers import plain_number
from tinygraph.support.arguments import check_positive

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["clip", "elu", "hinge", "huber", "leaky_relu", "nan_to_num"]

_LARGEST = 1.7976931348623157e308


def leaky_relu(x: Any, negative_slope: float = 0.01) -> Any:
    """Return x for positive x, and `negative_slope * x` otherwise.

    Args:
        x: Node, number or array.
        negative_slope: Factor for negative numbers. As for `relu`, it is also the derivative at 0. Defaults to 0.01.

    Returns:
        A node, or a float or an array if `x` is not a node.

    Raises:
        TypeError: If an argument is not a real number.
        ValueError: If the factor is not finite.

    References:
        A. L. Maas, A. Y. Hannun and A. Y. Ng, "Rectifier nonlinearities improve neural network acoustic models",
        ICML 2013.

    Examples:
        >>> leaky_relu(-2.0), leaky_relu(2.0)
        (-0.02, 2.0)
    """
    return leaky_relu_of(_finite("negative_slope", negative_slope))(_operand(x, "leaky_relu"))


def elu(x: Any, alpha: float = 1.0) -> Any:
    """Return x for positive x, and `alpha * (exp(x) - 1)` otherwise.

    Args:
        x: Node, number or array.
        alpha: Distance of the lower limit from 0. As for `relu`, the derivative at 0 is that for negative numbers,
            which is `alpha`. Defaults to 1.

    Returns:
        A node, or a float or an array if `x` is not a node.

    Raises:
        TypeError: If an argument is not a real number.
        ValueError: If `alpha` is not finite.

    References:
        D.-A. Clevert, T. Unterthiner and S. Hochreiter, "Fast and accurate deep network learning by exponential
        linear units (ELUs)", ICLR 2016.

    Examples:
        >>> elu(-1000.0), elu(2.0)
        (-1.0, 2.0)
    """
    return elu_of(_finite("alpha", alpha))(_operand(x, "elu"))


def hinge(x: Any, y: Any) -> Any:
    """Return the hinge loss, max(0, 1 - y x).

    Args:
        x: Score of an example: node, number or array.
        y: Label, which is -1 or 1.

    Returns:
        A node, or a float or an array if no operand is a node. Where y x is 1, the derivative is 0.

    Raises:
        TypeError: If an operand is not a real number.

    References:
        C. Cortes and V. Vapnik, "Support-vector networks", Machine Learning 20, 273-297, 1995.

    Examples:
        >>> hinge(0.25, 1), hinge(0.25, -1), hinge(3.0, 1)
        (0.75, 1.25, 0.0)
    """
    x, y = _operand(x, "hinge"), _operand(y, "hinge")
    return ops.relu(1.0 - y * x)


def huber(x: Any, y: Any, delta: float = 1.0) -> Any:
    """Return the Huber loss: half the square of x - y if |x - y| is at most delta, and beyond that a linear function.

    Args:
        x: Prediction: node, number or array.
        y: Label.
        delta: Size of x - y from which the loss is `delta * (abs(x - y) - delta / 2)`. Defaults to 1.

    Returns:
        A node, or a float or an array if no operand is a node.

    Raises:
        TypeError: If an operand is not a real number.
        ValueError: If `delta` is not a positive number.

    References:
        P. J. Huber, "Robust estimation of a location parameter", Annals of Mathematical Statistics 35(1), 73-101, 1964.

    Examples:
        >>> huber(1.5, 1.0), huber(5.0, 1.0), huber(5.0, 1.0, delta=2.0)
        (0.125, 3.5, 6.0)
    """
    check_positive("delta", delta, infinite=False)
    return huber_of(float(delta))(_operand(x, "huber") - _operand(y, "huber"))


def nan_to_num(x: Any, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Any:
    """Return x with numbers in place of NaN and the infinities. Where an element is replaced, its derivative is 0.

    The derivative of what x was computed from can still be NaN, because 0 times NaN is NaN. To prevent this, select
    the numbers with `where` before you compute.

    Args:
        x: Node, number or array.
        nan: Number that replaces NaN. Defaults to 0.
        posinf: Number that replaces infinity, or None for the largest float.
        neginf: Number that replaces -infinity, or None for the smallest float.

    Returns:
        A node, or a float or an array if `x` is not a node.

    Raises:
        TypeError: If an argument is not a real number.

    Examples:
        >>> nan_to_num(float("nan")), nan_to_num(float("-inf"), neginf=-1.0), nan_to_num(2.0)
        (0.0, -1.0, 2.0)
    """
    new = (nan, _LARGEST if posinf is None else posinf, -_LARGEST if neginf is None else neginf)
    numbers = [plain_number(given, name) for name, given in zip(("nan", "posinf", "neginf"), new, strict=True)]
    return nan_to_num_of(*numbers)(_operand(x, "nan_to_num"))


def clip(x: Any, min: Any = None, max: Any = None) -> Any:
    """Return `minimum(maximum(x, min), max)`, like `np.clip`. Nothing is compared with a bound that is None.

    Args:
        x: Node, number or array.
        min: Lower bound: node, number, array or None. Defaults to None.
        max: Upper bound, which wins if it is smaller than the lower bound. Defaults to None.

    Returns:
        A node, or a float or an array if no operand is a node. The result is NaN where an operand is NaN. An operand
        that is equal to a bound shares the derivative with it.

    Raises:
        TypeError: If an operand is not a real number.

    Examples:
        >>> clip(1.5, 0.0, 1.0), clip(1.5, max=1.0), clip(-0.5, 0.0)
        (1.0, 1.0, 0.0)
        >>> from tinygraph import Value
        >>> clip(Value(1.5), 0.0, 2.0).op
        <op minimum(x, y): x ≠ y>
    """
    out = _operand(x, "clip")
    if min is not None:
        out = ops.maximum(out, _operand(min, "clip: min"))
    return out if max is None else ops.minimum(out, _operand(max, "clip: max"))


def numpy_nan_to_num(
    x: Any, copy: bool = True, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None
) -> Any:
    """Return x with numbers in place of NaN and the infinities, with the arguments of `np.nan_to_num`.

    Args:
        x: Node, number or array.
        copy: Must be true, because a node does not change.
        nan: Number that replaces NaN. Defaults to 0.
        posinf: Number that replaces infinity, or None for the largest float.
        neginf: Number that replaces -infinity, or None for the smallest float.

    Raises:
        TypeError: If `copy` is false.
    """
    if not copy:
        raise TypeError("np.nan_to_num cannot change a node in place: leave out copy=False")
    return nan_to_num(x, nan, posinf, neginf)


def numpy_bound(name: str, old: Any, new: Any) -> Any:
    """Return a bound of `np.clip`, which has two names.

    Args:
        name: The new name: "min" or "max".
        old: Argument with the old name, or None.
        new: Argument with the new name, or None.

    Raises:
        ValueError: If both arguments are given.
    """
    if old is not None and new is not None:
        raise ValueError(f"clip: a_{name} and {name} are two names of one argument: pass only one of them")
    return new if old is None else old


def _finite(name: str, given: Any) -> float:
    """Return an option as a float, or raise an error that names it."""
    number = plain_number(given, name)
    if not isfinite(number):
        raise ValueError(f"{name} must be a finite number, not {number!r}")
    return number


def _operand(x: Any, name: str) -> Any:
    """Return a node unchanged, and other data as a float or an array. Name the function in an error."""
    if isinstance(x, Traced) or type(x) is float:
        return x
    if getattr(x, "shape", ()) or isinstance(x, (list, tuple)):
        from tinygraph.kernels.arrays import as_array

        return as_array(x, name)
    return plain_number(x, name)
