"""Sums of products over named axes: the op `einsum`, whose pullback is another `einsum`."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from tinygraph.engine.registry import parametrized
from tinygraph.kernels.arrays import Array
from tinygraph.tensor.array_ops import JoinOp, Operand, Shape
from tinygraph.tensor.indexing import scatter_add
from tinygraph.tensor.shapes import expand, reshape

Indices = np.ndarray[Any, np.dtype[np.intp]]

_FORM = re.compile(r"[A-Za-z]*(,[A-Za-z]*)*->[A-Za-z]*")
_LARGE = 2**12  # from this many products on, planning the order of the products pays off


def is_subscripts(x: object) -> bool:
    """Return whether a parameter specifies a sum of products.

    Args:
        x: Parameter to check.

    Returns:
        True for a string such as "ij,jk->ik", without spaces and ellipses, whose output is written out.
    """
    if not isinstance(x, str) or not _FORM.fullmatch(x):
        return False
    inputs, output = x.split("->")
    return len(set(output)) == len(output) and set(output) <= set(inputs)


@parametrized(is_subscripts)
@lru_cache(maxsize=256)
def einsum(subscripts: str) -> JoinOp:
    """Return the op that sums products of elements over named axes.

    The gradient of an operand is the same kind of sum. The upstream gradient takes the operand's place, and the
    operand's letters become the output.

    Args:
        subscripts: A letter per axis of each operand, "->", and the letters of the result, as in "ij,jk->ik".

    Returns:
        An op with any number of operands.

    References:
        S. Laue, M. Mitterreiter and J. Giesen, "A simple and efficient tensor calculus", AAAI 2020.

    Examples:
        >>> einsum("ij,j->i")(np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([1.0, 1.0]))
        array([3., 7.])
    """
    inputs, output = subscripts.split("->")
    terms = tuple(inputs.split(","))

    def compute(*xs: Array) -> Array:
        products = math.prod(_lengths(terms, [np.shape(x) for x in xs]).values())
        plan = len(xs) > 1 and products >= _LARGE
        return np.einsum(subscripts, *xs, optimize=plan)  # type: ignore[no-any-return]

    def pull(up: Operand, slot: int, operands: Sequence[Operand]) -> Operand:
        return _pull(terms, output, up, slot, operands)

    def push(tangent: Operand, slot: int, operands: Sequence[Operand]) -> Operand:
        return einsum(subscripts)(*[tangent if k == slot else x for k, x in enumerate(operands)])

    def shape(*shapes: Shape) -> Shape:
        lengths = _lengths(terms, shapes)
        return tuple([lengths[letter] for letter in output])

    return JoinOp(
        "einsum",
        compute,
        symbol=f"einsum({subscripts}, {{}})",
        code=f"np.einsum('{subscripts}', {{}})",
        vjps=(pull,),
        jvp=push,
        note=("einsum with {up}",),
        shape=shape,
        adds_terms=True,
        maker=einsum,
        parameters=(subscripts,),
    )


def _lengths(terms: Sequence[str], shapes: Sequence[Shape]) -> dict[str, int]:
    """Return the length of each letter. An axis of length 1 is repeated."""
    if len(terms) != len(shapes) or any(len(t) != len(shape) for t, shape in zip(terms, shapes, strict=True)):
        raise ValueError(f"einsum of {','.join(terms)} does not accept the shapes {', '.join(map(str, shapes))}")
    lengths: dict[str, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        for letter, n in zip(term, shape, strict=True):
            known = lengths.get(letter, 1)
            if known != n and 1 not in (known, n):
                raise ValueError(f"einsum: the letter {letter} has the lengths {known} and {n}")
            lengths[letter] = n if known == 1 else known
    return lengths


def _pull(terms: tuple[str, ...], output: str, up: Operand, slot: int, operands: Sequence[Operand]) -> Operand:
    """Return the gradient of one operand: the sum of the products of the upstream gradient and the other operands."""
    own, shape = terms[slot], operands[slot].shape
    used = [output if k == slot else term for k, term in enumerate(terms)]
    factors = [up if k == slot else x for k, x in enumerate(operands)]
    lengths = _lengths(used, [np.shape(getattr(x, "raw", x)) for x in factors])
    sizes = dict(zip(own, shape, strict=True))
    kept = "".join([letter for letter in sizes if letter in lengths and sizes[letter] != 1])
    wanted = f"{','.join(used)}->{kept}"
    part = up if wanted == f"{kept}->{kept}" else einsum(wanted)(*factors)
    # The other operands are constant along the axes that are not in `kept`, or have length 1 there.
    column = tuple([lengths[letter] if letter in kept else 1 for letter in sizes])
    full = tuple(sizes.values())
    part = part if part.shape == column else reshape(column)(part)
    part = part if column == full else expand(full)(part)
    return part if len(own) == len(sizes) else scatter_add(_diagonal(own, sizes), shape)(part)


def _diagonal(term: str, sizes: dict[str, int]) -> tuple[Indices, ...]:
    """Return the index of the elements at which axes with the same letter have the same position."""
    letters = list(sizes)
    grid = {
        letter: np.arange(n).reshape([n if other == letter else 1 for other in letters]) for letter, n in sizes.items()
    }
    return tuple([grid[letter] for letter in term])
