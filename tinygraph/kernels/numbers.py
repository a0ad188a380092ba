"""Conversion of plain numbers to floats, with errors that show what to do instead."""

from __future__ import annotations

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
        return plain_number(value.item(), op)
    # Fraction and Decimal can be converted to float; strings, containers and complex numbers cannot.
    if hasattr(kind, "__float__") and hasattr(kind, "as_integer_ratio"):
        return float(value)
    raise TypeError(f"{op}: {_short(value)} is not a real number; {_remedy(value)}")


def _short(value: object) -> str:
    from tinygraph.support.messages import short  # imported here because only an error needs it

    return f"{short(repr(value))} ({type(value).__name__})"


def _remedy(value: object) -> str:
    if isinstance(value, (str, bytes)):
        return "convert text with float(...) first"
    if isinstance(value, complex):
        return "take its .real or .imag part"
    if hasattr(value, "__len__") or hasattr(value, "shape"):
        return "make one Value per element: [Value(x) for x in elements]"
    return "pass an int or a float"


def is_plain(value: object, op: str) -> bool:
    """Return whether a value is a plain number. If it is not, an operator lets the other operand decide.

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
        if isinstance(value, (str, bytes, complex, list, tuple, dict, set, type(None))):
            raise
        return False
    return True
