"""The operator % of text, such as `"cost: %f" % J`, which asks a node for a float in order to show it."""

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
