"""A function together with its gradients: what the assertions need to know about it."""

from __future__ import annotations

from functools import partial, update_wrapper
from inspect import unwrap
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tinygraph.checking.flat import projection_text
from tinygraph.support.messages import described

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from inspect import Signature
    from typing import Any

    from tinygraph.functional import Function, Tree

    Pair = tuple[object, Any]  # the value and the gradients


class Differentiated:
    """A function that returns its value and its gradients. It can also be called for the value alone.

    Args:
        f: Function that gives the name and the parameters.
        both: Function of nested numbers and arrays that returns the value and the gradients.
        value: Function of the same arguments that returns the value alone. Defaults to the value of `both`.
        second: Function of (direction, *args) that returns the derivative of `f` along a direction and the gradients of
            this derivative. The direction has one number or array per input. Defaults to None, if there are no second
            derivatives.

    Attributes:
        __signature__: The parameters, if they are not those of `f`.
        pullback: Function of the same arguments. It returns a function of a factor of the cotangent (the upstream
            gradient), whose result is the gradients. It is None if there is no cotangent.
        faster: Function of the same arguments that returns a faster function for the value at moved points, or None if
            there is none. It is None itself if there never is.
        projection: Description of the weights that turn the last result into a scalar, or "" if it was a scalar.
    """

    __signature__: Signature

    def __init__(
        self,
        f: Function,
        both: Callable[..., Pair],
        value: Callable[..., object] | None = None,
        second: Callable[..., Pair] | None = None,
    ) -> None:
        update_wrapper(self, f, updated=())  # not the attributes of f, which could hide those below
        self.both, self.second = both, second
        self.value = value or (lambda *args: both(*args)[0])
        self.projection = ""
        self.pullback: Callable[..., Callable[[float], Any]] | None = None
        self.faster: Callable[..., Callable[..., object] | None] | None = None

    def __call__(self, *args: Tree) -> Pair:
        """Return the value and the gradients.

        Args:
            *args: Arguments of the function: nested numbers and arrays.

        Returns:
            The value, and one gradient per argument.
        """
        return self.both(*args)

    def note_shape(self, shape: Sequence[int]) -> tuple[int, ...]:
        """Remember the shape of a result that is projected to a scalar, for messages.

        Args:
            shape: Shape of the result.

        Returns:
            The shape as a tuple.
        """
        self.projection = projection_text(tuple(shape), 0)
        return tuple(shape)


def of_pairs(f: Function) -> Differentiated:
    """Return a function that returns (value, gradients) as a `Differentiated`.

    Args:
        f: Function that returns a pair of a scalar and gradients, or a `Differentiated`.

    Returns:
        The function. It raises `TypeError` if `f` returns something else.
    """
    return f if isinstance(f, Differentiated) else Differentiated(f, lambda *args: _pair(f, f(*args)))


def with_gradient(f: Function, grad: Function) -> Differentiated:
    """Return a function that returns the value of one function and the gradients of another one.

    Args:
        f: Function that returns the value.
        grad: Function of the same arguments that returns the gradients.

    Returns:
        The function, with the name and the parameters of `f`.
    """

    def value(*args: Tree) -> object:
        return _scalar(f, f(*args))

    def both(*args: Tree) -> Pair:
        return value(*args), grad(*args)

    return Differentiated(f, both, value)


def title_of(f: Function) -> str:
    """Return the name of a function for messages.

    Args:
        f: Function.

    Returns:
        The name.
    """
    inner = unwrap(f)
    if isinstance(inner, partial):
        return title_of(inner.func)
    owner = getattr(inner, "__self__", None)
    if isinstance(owner, type):  # such as a torch.autograd.Function, whose apply is inherited
        return f"{owner.__name__}.{inner.__name__}"
    return str(getattr(inner, "__qualname__", None) or getattr(inner, "__name__", None) or type(inner).__qualname__)


def place_of(f: Function) -> str:
    """Return the file and the line of a function for messages.

    Args:
        f: Function.

    Returns:
        The place, or "" if it is unknown or in a framework that calls the code of the user.
    """
    inner = unwrap(f)
    if isinstance(inner, partial):
        return place_of(inner.func)
    owner = getattr(inner, "__self__", None)
    if isinstance(owner, type):
        inner = getattr(owner, "forward", inner)  # a torch.autograd.Function inherits apply
    elif not hasattr(inner, "__code__"):
        inner = getattr(type(inner), "forward", type(inner).__call__)
    code = getattr(inner, "__code__", None)
    if code is None or str(getattr(inner, "__module__", "")).partition(".")[0] == "torch":
        return ""
    return f"{Path(code.co_filename).name}:{code.co_firstlineno}"


def _pair(f: Function, result: object) -> Pair:
    """Return the value and the gradients that a function returned."""
    if not isinstance(result, (tuple, list)) or len(result) != 2:
        raise TypeError(f"{title_of(f)} must return (value, gradients), not {described(result)}")
    return _scalar(f, result[0]), result[1]


def _scalar(f: Function, value: Any) -> object:
    if shape := np.shape(value):
        advice = "sum it, or use assert_vjp"
        raise TypeError(f"{title_of(f)} must return a scalar value, but it has shape {shape}: {advice}")
    return value
