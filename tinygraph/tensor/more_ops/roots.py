"""Powers of a sum of nonnegative numbers, whose derivative at 0 is defined as 0: the last step of a norm."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from tinygraph.engine.registry import is_flag, is_number, parametrized
from tinygraph.kernels.arrays import Array
from tinygraph.tensor.array_ops import ArrayOp, Operand


@parametrized(is_number, is_flag)
@lru_cache(maxsize=64)
def root(exponent: float, is_partial: bool = False) -> ArrayOp:
    """Return the op that computes a power with derivative 0 at 0.

    So the gradient of a norm at the zero vector is the zero vector, which is a subgradient, and not NaN.

    Args:
        exponent: Exponent.
        is_partial: If true, the power is a factor of a derivative, so that its value at 0 is also 0.

    Returns:
        The op.

    Examples:
        >>> root(0.5)(np.array([0.0, 4.0])), root(-0.5, True)(np.array([0.0, 4.0]))
        (array([0., 2.]), array([0. , 0.5]))
    """

    def compute(x: Array) -> Array:
        power = np.sqrt(x) if exponent == 0.5 else np.power(x, exponent)
        return np.where(x == 0, 0.0, power) if is_partial else power

    def change(up: Operand, out: Operand, x: Operand) -> Operand:
        return up * (root(exponent - 1.0, True)(x) * exponent)

    return ArrayOp(
        "root",
        compute,
        symbol=f"{{}}**{exponent:.12g}",
        form="sqrt(x)" if exponent == 0.5 else f"x**{exponent:.12g}",
        code="" if is_partial else "np.sqrt({})" if exponent == 0.5 else "np.power({}, {parameters[0]})",
        vjps=(change,),
        jvp=change,
        note=(f"{{up}} ⊙ {exponent:.12g}{{0}}^({exponent - 1.0:.12g}), or 0 where {{0}} = 0",),
        maker=root,
        parameters=(exponent, is_partial),
    )
