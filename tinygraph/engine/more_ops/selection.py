"""Selecting one of two operands by a condition."""

from __future__ import annotations

from tinygraph.engine.operators import Operators

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def where(condition: Any, x: Any, y: Any) -> Any:
    """Return x where the condition is true, and y elsewhere, like `np.where`.

    An element that is not selected gets the gradient 0, whatever its value and the upstream gradient are. But in an array,
    both operands are computed for all elements. So `where(t > 0, log(t), 0.0)` has the derivative NaN at -1, because 0
    times the local derivative of `log`, which is NaN there, is NaN. To prevent this, also select before you compute:
    `where(t > 0, log(where(t > 0, t, 1.0)), 0.0)`.

    Args:
        condition: A bool, an array of bools, or a comparison such as `x > 0`. It is not differentiated. After you edit a
            leaf, `forward()` checks whether a comparison has the same outcome.
        x: Node, number or array.
        y: Node, number or array.

    Returns:
        For Values, a new node with the value of the selected operand. For Tensors, a Tensor with the shape to which all arguments broadcast. If no
        argument is a node, a float or an array.

    Raises:
        TypeError: If the condition is a node, or an array of Values, or if an operand is not a real number.
        ValueError: If the shapes do not broadcast.

    Examples:
        >>> from tinygraph import Tensor, Value
        >>> a = Value(2.0, "a")
        >>> where(a > 0, a, -a)
        Value(2.0, op='positive')
        >>> t = Tensor([1.0, -2.0])
        >>> where(t > 0, t, 0.0)
        Tensor([1.0, 0.0], op='where')
    """
    for operand in (x, y, condition):
        if isinstance(operand, Operators):
            return operand._select(condition, x, y)
    from tinygraph.kernels.arrays import selected

    return selected(condition, x, y)
