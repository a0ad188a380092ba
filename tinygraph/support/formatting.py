"""Instructions that ask a node for a float: the operator % of text, as in `"cost: %f" % J`, and `array[0] = J`."""

from __future__ import annotations

import dis

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

_REMAINDER = {
    (i.opcode, i.arg)
    for code in ("x % y", "x %= y")
    for i in dis.get_instructions(compile(code, "", "exec"))
    if i.opname.startswith(("BINARY", "INPLACE"))
}

_STORES = {dis.opmap[name] for name in ("STORE_SUBSCR", "STORE_SLICE") if name in dis.opmap}


def is_at_remainder(frame: FrameType | None) -> bool:
    """Return whether a frame is executing the operator %.

    Of all operands of %, only text asks a node for a float: a number or an array leaves the operator to the node.

    Args:
        frame: Frame of the caller.

    Returns:
        True if its current instruction is `x % y` or `x %= y`.

    Examples:
        >>> import sys
        >>> class Shown:
        ...     def __float__(self):
        ...         return float(is_at_remainder(sys._getframe(1)))
        >>> "%.1f" % Shown(), float(Shown())
        ('1.0', 0.0)
    """
    if frame is None or frame.f_lasti < 0:
        return False
    code = frame.f_code.co_code
    return (code[frame.f_lasti], code[frame.f_lasti + 1]) in _REMAINDER


def is_at_assignment(frame: FrameType | None) -> bool:
    """Return whether a frame is executing an assignment to an element, such as `array[0] = x`.

    Args:
        frame: Frame of the caller.

    Returns:
        True if its current instruction is the assignment.

    Examples:
        >>> import sys, array
        >>> class Shown:
        ...     def __float__(self):
        ...         return float(is_at_assignment(sys._getframe(1)))
        >>> numbers = array.array("d", [5.0])
        >>> numbers[0] = Shown()
        >>> numbers[0], float(Shown())
        (1.0, 0.0)
    """
    return frame is not None and frame.f_lasti >= 0 and frame.f_code.co_code[frame.f_lasti] in _STORES
