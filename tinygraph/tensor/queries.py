"""Queries: questions about elements whose answers are plain, such as `argmax` and `isnan`.

A program can branch on an answer, or index with it. So a query is remembered like a comparison: `forward` asks it again
and raises `FrozenBranchError` if the answer has changed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np

from tinygraph.engine import replay
from tinygraph.engine.registry import is_flag, is_number
from tinygraph.tensor.array_ops import is_axes
from tinygraph.tensor.more_ops.orders import order_of
from tinygraph.tensor.operands import sides

QUERIES: dict[str, Callable[..., Any]] = {
    "argmax": lambda x, _, axis, keepdims: np.argmax(x, axis=axis, keepdims=keepdims),
    "argmin": lambda x, _, axis, keepdims: np.argmin(x, axis=axis, keepdims=keepdims),
    "argsort": lambda x, _, axis: order_of(x, axis),
    "any": lambda x, _, axis, keepdims: np.any(x, axis=axis, keepdims=keepdims),
    "all": lambda x, _, axis, keepdims: np.all(x, axis=axis, keepdims=keepdims),
    "not_zero": lambda x, _: x != 0,
    "isnan": lambda x, _: np.isnan(x),
    "isfinite": lambda x, _: np.isfinite(x),
    "isinf": lambda x, _: np.isinf(x),
    "signbit": lambda x, _: np.signbit(x),
    "isclose": lambda x, y, rtol, atol, equal_nan: np.isclose(x, y, rtol, atol, equal_nan),
}  # functions of both sides, of which all but the last ignore the second one, and of the parameters

OF_ALL = {"argmax", "argmin", "argsort", "any", "all"}  # queries whose answer depends on all elements along an axis


class Query:
    """A question about elements, which is called like a comparison of two sides.

    Args:
        name: Key of `QUERIES`.
        parameters: Parameters of the question, for example an axis.
    """

    __slots__ = ("name", "parameters")

    def __init__(self, name: str, parameters: tuple[Any, ...]) -> None:
        self.name, self.parameters = name, parameters

    def __call__(self, x: Any, y: Any) -> Any:
        """Return the answer.

        Args:
            x: Array.
            y: Second array of `isclose`, and 0 for the other questions.
        """
        return QUERIES[self.name](x, y, *self.parameters)

    def __reduce__(self) -> tuple[Any, ...]:
        return query, (self.name, *self.parameters)


@lru_cache(maxsize=None, typed=True)  # 1 and True are different parameters
def query(name: str, *parameters: Any) -> Query:
    """Return the query with this name and these parameters. Equal arguments give the same object.

    Args:
        name: Key of `QUERIES`.
        *parameters: Parameters of the question.

    Returns:
        The query.

    Raises:
        ValueError: If there is no such query, or if it does not have such parameters.

    Examples:
        >>> query("argmax", 1, False)(np.array([[1.0, 3.0], [4.0, 2.0]]), 0.0)
        array([1, 0])
    """
    kinds = _KINDS.get(name, ())
    if name not in QUERIES or len(kinds) != len(parameters) or not all(map(_fits, kinds, parameters)):
        raise ValueError(f"there is no query {name!r} with the parameters {parameters}")
    return Query(name, parameters)


_KINDS: dict[str, tuple[Callable[[object], bool], ...]] = {
    **dict.fromkeys(["argmax", "argmin", "any", "all"], (is_axes, is_flag)),
    "argsort": (is_axes,),
    "isclose": (is_number, is_number, is_flag),
}


def _fits(kind: Callable[[object], bool], parameter: object) -> bool:
    return kind(parameter)


def ask(question: Query, x: object, y: object = 0.0) -> Any:
    """Ask a question about Tensors, and remember it, so that `forward()` can ask it again.

    Args:
        question: Query.
        x: Tensor or array.
        y: Second Tensor or array of `isclose`.

    Returns:
        The answer: an array, or a number of NumPy.
    """
    pair = sides("a comparison", x, y)
    text = f"{question.name}({{}}, {{}})" if question.name == "isclose" else f"{question.name}({{}})"
    try:
        answer = replay.ask(question, text, pair)
    except np.exceptions.AxisError as error:
        raise np.exceptions.AxisError(
            f"{question.name} of an array of shape {getattr(x, 'shape', ())}: {error}"
        ) from None
    return answer.copy() if isinstance(answer, np.ndarray) else answer
