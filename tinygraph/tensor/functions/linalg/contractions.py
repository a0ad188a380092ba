"""NumPy's einsum: sums of products over axes that have letters."""

from __future__ import annotations

import string
from collections.abc import Sequence

import numpy as np

from tinygraph.support.messages import counted, described
from tinygraph.tensor.array_ops import Operand, Shape
from tinygraph.tensor.functions.table import numpy_function
from tinygraph.tensor.more_ops import contractions
from tinygraph.tensor.operands import operand


@numpy_function()
def einsum(*operands: object, optimize: object = False) -> Operand:
    """Return a sum of products over axes that have letters, by the rules of `np.einsum`.

    Args:
        *operands: Subscripts such as "ij,jk->ik", and then the operands. Or each operand, followed by a list of
            integers, which stand for letters.
        optimize: Accepted, but not needed: the order of the products is planned for large operands.

    Returns:
        A Tensor, or an array if no operand is a Tensor.

    Raises:
        ValueError: If the subscripts do not fit the shapes of the operands.

    Examples:
        >>> from tinygraph import Tensor
        >>> A = Tensor([[1.0, 2.0], [3.0, 4.0]], "A")
        >>> einsum("ii->", A)
        Tensor(5.0, op='einsum')
    """
    if not operands:
        raise TypeError("einsum needs subscripts such as 'ij,jk->ik', and then the operands")
    subscripts, given = (operands[0], operands[1:]) if isinstance(operands[0], str) else _from_lists(operands)
    xs = [operand(x, "einsum") for x in given]
    return contractions.einsum(_explicit(str(subscripts), [np.shape(getattr(x, "raw", x)) for x in xs]))(*xs)


def _from_lists(operands: Sequence[object]) -> tuple[str, Sequence[object]]:
    """Return the subscripts and the operands of a call with lists of integers."""
    lists = [*operands[1::2], *(operands[-1:] if len(operands) % 2 else ())]
    symbols = string.ascii_uppercase + string.ascii_lowercase
    terms = []
    for found in lists:
        if not isinstance(found, (list, tuple)):
            raise TypeError(f"einsum: {described(found)} must be a list of integers, or pass subscripts first")
        known = all(x is ... or (isinstance(x, (int, np.integer)) and 0 <= x < len(symbols)) for x in found)
        if not known:
            raise ValueError(f"einsum: {described(found)} must contain integers from 0 to 51, or ...")
        terms.append("".join(["..." if x is ... else symbols[x] for x in found]))
    if len(operands) % 2:
        return f"{','.join(terms[:-1])}->{terms[-1]}", operands[:-1:2]
    return ",".join(terms), operands[::2]


def _explicit(subscripts: str, shapes: Sequence[Shape]) -> str:
    """Return the subscripts without spaces and ellipses, and with the letters of the result."""
    text = subscripts.replace(" ", "")
    inputs, arrow, output = text.partition("->")
    terms = inputs.split(",")
    for term in (*terms, output):
        rest = term.replace("...", "", 1)
        if rest and not (rest.isascii() and rest.isalpha()):
            raise ValueError(f"einsum: {subscripts!r} must contain letters, commas, '...' and one '->'")
    if len(terms) != len(shapes):
        raise ValueError(
            f"einsum: {subscripts!r} has subscripts for {counted(len(terms), 'operand')}, got {len(shapes)}"
        )
    unnamed = [_unnamed(term, shape) for term, shape in zip(terms, shapes, strict=True)]
    most = max(unnamed)
    unused = [letter for letter in string.ascii_letters if letter not in text]
    extra = "".join(unused[len(unused) - most :])
    terms = [term.replace("...", extra[most - n :]) for term, n in zip(terms, unnamed, strict=True)]
    if not arrow:
        letters = inputs.replace("...", "").replace(",", "")
        output = extra + "".join(sorted([letter for letter in set(letters) if letters.count(letter) == 1]))
    elif most and "..." not in output:
        raise ValueError(f"einsum: {subscripts!r} must contain '...' in its output, because '...' has {most} axes")
    else:
        output = output.replace("...", extra)
    explicit = f"{','.join(terms)}->{output}"
    _check(subscripts, terms, output, shapes)
    return explicit


def _unnamed(term: str, shape: Shape) -> int:
    """Return the number of axes that an ellipsis stands for."""
    named = len(term.replace("...", ""))
    if named > len(shape) or ("..." not in term and named < len(shape)):
        raise ValueError(f"einsum: the subscripts {term!r} do not fit the axes of an operand of shape {shape}")
    return len(shape) - named


def _check(subscripts: str, terms: Sequence[str], output: str, shapes: Sequence[Shape]) -> None:
    """Check that the output names known axes once, and that axes with the same letter have the same length."""
    for letter in output:
        if output.count(letter) > 1:
            raise ValueError(f"einsum: the output of {subscripts!r} must contain {letter} only once")
        if not any(letter in term for term in terms):
            raise ValueError(f"einsum: the output of {subscripts!r} contains {letter}, which no operand has")
    for letter in set("".join(terms)):
        each = [
            {n for x, n in zip(term, shape, strict=True) if x == letter}
            for term, shape in zip(terms, shapes, strict=True)
        ]
        lengths = set().union(*each)
        if any(len(one) > 1 for one in each) or len(lengths - {1}) > 1:
            found = " and ".join(map(str, sorted(lengths)))
            raise ValueError(
                f"einsum: the letter {letter} in {subscripts!r} has the lengths {found}: they must be equal"
                f"{'' if any(len(one) > 1 for one in each) else ' unless one is 1'}"
            )
