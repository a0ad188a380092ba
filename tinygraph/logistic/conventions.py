"""scikit-learn's warnings and errors, without importing scikit-learn.

Programs catch `sklearn.exceptions.ConvergenceWarning`, or the class of this file. If scikit-learn is loaded, `shared`
returns a class that is both.
"""

from __future__ import annotations

import sys
from functools import cache
from typing import TypeVar

E = TypeVar("E", bound=Exception)


class NotFittedError(ValueError, AttributeError):
    """The model cannot predict before you call `fit`."""


class ConvergenceWarning(UserWarning):
    """Gradient descent stopped before it reached the tolerance."""


class DataConversionWarning(UserWarning):
    """The labels have the shape (m, 1) instead of (m,)."""


def shared(kind: type[E]) -> type[E]:
    """Return a class that is also a subclass of scikit-learn's class of the same name, if scikit-learn is loaded.

    Args:
        kind: Class of this file.

    Returns:
        The class to raise or to warn with.

    Examples:
        >>> issubclass(shared(ConvergenceWarning), ConvergenceWarning)
        True
    """
    theirs = getattr(sys.modules.get("sklearn.exceptions"), kind.__name__, None)
    return kind if theirs is None else _both(kind, theirs)  # type: ignore[arg-type]


@cache
def _both(kind: type[E], theirs: type[Exception]) -> type[E]:
    members = {"__module__": kind.__module__, "__doc__": kind.__doc__, "__reduce__": _reduce}
    return type(kind.__name__, (kind, theirs), members)


def _reduce(self: Exception) -> object:
    """Pickle by the name of the class in this file: a worker process may raise the error."""
    return _again, (globals()[type(self).__name__], self.args)


def _again(kind: type[E], args: tuple[object, ...]) -> E:
    return shared(kind)(*args)
