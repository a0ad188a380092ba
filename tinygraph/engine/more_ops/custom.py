"""Ops of your own: `op` registers one by its name, and checks what your functions return."""

from __future__ import annotations

from functools import wraps

from tinygraph.engine.domain import ANY, Domain
from tinygraph.engine.more_ops.table import TABLE
from tinygraph.engine.op import REGISTERED, Op, Traced
from tinygraph.kernels.numbers import plain_number
from tinygraph.support.arguments import check_function, check_kind
from tinygraph.support.messages import described

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any


def op(
    name: str,
    floats: Callable[..., float],
    *,
    partials: tuple[Callable[..., Any], ...],
    symbol: str = "",
    arrays: Callable[..., Any] | None = None,
    domain: Domain = ANY,
    analytic: Callable[..., Any] | None = None,
    linear: bool = False,
) -> Op:
    """Register your own op. The op computes on floats, records nodes, and can be differentiated.

    Test the op with `tinygraph.testing.op_test`.

    Args:
        name: Name of the op: a Python identifier that is not the name of a built-in op.
        floats: Function of one or two floats. As in IEEE 754, the function returns NaN or infinity instead of raising
            an error.
        partials: Local derivatives, one per operand: functions of (out, x) or (out, x, y) that use only `+ - * /` and
            ops, so that derivatives of every order exist.
        symbol: Notation of the op: an infix operator, or a template with `{}`. Defaults to the name.
        arrays: Function of (m, x) or (m, x, y) on arrays, where m is `tinygraph.kernels.arrays`. Without this
            function, arrays are computed float by float.
        domain: Domain where the op is differentiable. Defaults to all real numbers.
        analytic: Function of (m, x) or (m, x, y) on complex numbers, where m is `cmath` or `mpmath`.
        linear: If true, the op is linear in its operands. Defaults to false.

    Returns:
        The op.

    Raises:
        ValueError: If a built-in op has this name, or if the name is not a Python identifier.
        TypeError: If `floats` is not a function, or if `partials` is not a tuple of one or two functions.

    Examples:
        >>> from tinygraph import Value, grad
        >>> cube = op("cube", lambda x: x * x * x, partials=(lambda out, x: 3.0 * x * x,), analytic=lambda m, x: x**3)
        >>> cube(2.0)
        8.0
        >>> x = Value(2.0)
        >>> grad(grad(cube(x), x, create_graph=True), x)
        12.0
    """
    check_kind("an op's name", name, str, "a str")
    if not name.isidentifier():
        raise ValueError(f"an op's name must be a Python identifier, not {name!r}")
    if name in TABLE:
        raise ValueError(f"there is already an op named {name!r}: choose another name")
    if not isinstance(partials, tuple) or len(partials) not in (1, 2):
        raise TypeError(f"partials of op {name!r} must be a tuple of one or two functions, not {partials!r}")
    optional = [(what, f) for what, f in (("arrays", arrays), ("analytic", analytic)) if f is not None]
    for what, function in (("floats", floats), *[("each of the partials", f) for f in partials], *optional):
        check_function(f"{what} of op {name!r}", function)
    check_kind(f"the symbol of op {name!r}", symbol, str, "a str")
    check_kind(f"the domain of op {name!r}", domain, Domain, "a Domain")
    made = Op(
        name,
        _checked(f"floats of op {name!r}", floats),
        partials=tuple([_checked(f"a partial of op {name!r}", partial) for partial in partials]),
        symbol=symbol,
        arrays=None if arrays is None else _checked(f"arrays of op {name!r}", arrays, whole=True),
        domain=domain,
        analytic=None if analytic is None else _checked_analytic(name, analytic),
        linear=bool(linear),
    )
    REGISTERED[name] = made  # unpickling a graph looks up the op by this name
    return made


def _checked(what: str, function: Callable[..., Any], whole: bool = False) -> Callable[..., Any]:
    """Return a user's function with a check of its results.

    The result must be a real number, or an array with the operands' shape. If `whole` is true, it must be an array
    where an operand is one. The result for nodes can also be a node of the same class.
    """

    @wraps(function)
    def call(*args: Any) -> Any:
        result = function(*args)
        if type(result) is float and not whole:
            return result
        shapes = [arg.shape for arg in args if hasattr(arg, "dtype")]
        if isinstance(result, Traced):
            _check_class(what, result, args)
        shape = getattr(result, "shape", ())
        if shape or whole:
            _check_shape(what, result, shape, list(filter(None, shapes)))
        if isinstance(result, Traced):
            return result
        if shape:
            from tinygraph.kernels.arrays import as_array

            return as_array(result, f"the result of {what}")
        if shapes and isinstance(result, float):  # NumPy's float, from arrays without axes
            return result
        return plain_number(result, f"the result of {what}")

    return call


def _checked_analytic(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a user's function of complex numbers with a check that its result is a number of Python or mpmath."""

    @wraps(function)
    def call(*args: Any) -> Any:
        result = function(*args)
        if not hasattr(result, "imag") or getattr(result, "shape", None):
            raise TypeError(f"analytic of op {name!r} must return a number, but returned {described(result)}")
        return result

    return call


def _check_class(what: str, result: Traced, args: Sequence[Any]) -> None:
    """Raise TypeError if a result is a node, but no operand is a node of the same class."""
    if not any(isinstance(arg, Traced) and _family(arg) is _family(result) for arg in args):
        raise TypeError(f"{what} must return a number for operands of this type, but returned {described(result)}")


def _family(node: Traced) -> object:
    """Return Value or Tensor for a node, also if its class is a subclass."""
    return getattr(type(node), "family", None)


def _check_shape(what: str, result: object, shape: tuple[int, ...], shapes: list[tuple[int, ...]]) -> None:
    """Raise TypeError if a result does not have the shape that the shapes of the arguments broadcast to."""
    if (shapes and shape == shapes[0]) or not (shape or shapes):
        return
    from numpy import broadcast_shapes

    wanted = broadcast_shapes(*shapes)
    if not shapes or shape != wanted:
        expected = f"an array of shape {wanted}" if shapes else "a float"
        returned = f"an array of shape {shape}" if shape else described(result)
        raise TypeError(f"{what} must return {expected}, but returned {returned}")
