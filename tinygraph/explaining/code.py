"""Ops and nodes as Python code to paste."""

from __future__ import annotations

from tinygraph.engine.op import TABLE, Op
from tinygraph.engine.variadic import VariadicOp


def call_code(op: Op, *operands: str) -> str:
    """Return the call of an op as code, for operands that are written out, one after the other as a node holds them.

    Examples:
        >>> from tinygraph.engine.ops import dot, log, log_partial, mul, power
        >>> call_code(mul, "b", "c"), call_code(log, "a"), call_code(power(3), "x"), call_code(dot, "w", "x")
        ('b * c', 'tinygraph.log(a)', 'x ** 3.0', 'tinygraph.dot([w], [x])')
        >>> call_code(log_partial, "a")
        'tinygraph.engine.ops.log_partial(a)'
    """
    if op.code:
        return op.code.format(*operands)
    if isinstance(op, VariadicOp):
        operands = tuple(f"[{', '.join(elements)}]" for elements in op.lists(operands))
    arguments = ", ".join(operands)
    if op.maker:
        return f"tinygraph.engine.ops.{op.maker.__name__}({', '.join(map(repr, op.parameters))})({arguments})"
    folder = "engine.ops." if op.name in TABLE and not op.public else ""
    return f"tinygraph.{folder}{op.name}({arguments})"
