"""Conversion of plain numbers to floats, with errors that show what to do instead."""

from __future__ import annotations

from math import inf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def plain_number(value: Any, op: str = "Value") -> float:
    """Return a plain number as a float.

    Args:
        value: A float, int, bool, NumPy scalar, 0-d array, Fraction or Decimal.
        op: Name of the op, for messages. Defaults to "Value".

    Returns:
        The float.

    Raises:
        TypeError: If `value` is not a real number. The message shows what to do.
        OverflowError: If an int is too large for a float.

    Examples:
        >>> plain_number(True)
        1.0
    """
    if isinstance(value, (float, int)):
        try:
            return float(value)
        except OverflowError:
            size = int(value).bit_length()
            raise OverflowError(f"{op}: an int of {size} bits is too large for a float") from None
    kind = type(value)
    refusal = getattr(kind, "not_a_number", "")  # a node has its own message, because kernels do not import the graph
    if refusal:
        raise TypeError(f"{op}: {refusal}")
    if getattr(value, "shape", None) == () and kind.__module__.partition(".")[0] == "numpy":
        return _numpy_number(value, op)
    # Fraction and Decimal can be converted to float; strings, containers and complex numbers cannot.
    if hasattr(kind, "__float__") and hasattr(kind, "as_integer_ratio"):
        return float(value)
    raise TypeError(f"{op}: {_short(value)} is not a real number; {_remedy(value)}")


def _numpy_number(value: Any, op: str) -> float:
    """Return a NumPy scalar or a 0-d array as a float."""
    kind = "masked" if hasattr(value, "mask") else value.dtype.kind
    if kind == "O":
        return plain_number(value.item(), op)
    if kind not in "biuf":  # for example a datetime64, which float() can convert
        raise TypeError(f"{op}: {_short(value)} is not a real number; {REMEDIES.get(kind, 'pass an int or a float')}")
    number = float(value)
    if number in (inf, -inf) and value not in (inf, -inf):
        raise OverflowError(f"{op}: {_short(value)} is too large for a float")
    return number


REMEDIES = {
    "c": "take its .real or .imag part",
    "masked": "fill it first with .filled(...)",
    "U": "convert text with float(...) first",
    "S": "convert text with float(...) first",
}


def _short(value: object) -> str:
    from tinygraph.support.messages import described  # imported here because only an error needs it

    return described(value)


def _remedy(value: object) -> str:
    if isinstance(value, (str, bytes)):
        return REMEDIES["U"]
    if isinstance(value, complex):
        return REMEDIES["c"]
    if isinstance(value, (list, tuple)) and any(hasattr(type(x), "not_a_number") for x in value):
        return "compute with each element, as in [f(x) for x in elements]"
    if hasattr(value, "__len__") or hasattr(value, "shape"):
        return "make one Value per element: [Value(x) for x in elements]"
    return "pass an int or a float"


def is_plain(value: object, op: str) -> bool:
    """Return whether a value is a plain number. If the result is false, an operator returns NotImplemented.

    Args:
        value: Value to check.
        op: Name of the op, for messages.

    Returns:
        True if the value is a plain number.

    Raises:
        TypeError: If `value` has a built-in type that is never an operand, such as str or list.

    Examples:
        >>> is_plain(2, "add")
        True
    """
    try:
        plain_number(value, op)
    except TypeError:
        # With a larger masked array, NumPy calls the operator for each element.
        masked = hasattr(value, "mask") and getattr(value, "shape", None) == ()
        if masked or isinstance(value, (str, bytes, complex, list, tuple, dict, set, type(None))):
            raise
        return False
    return True
