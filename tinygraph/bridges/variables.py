"""Names of intermediate results: the local variables of the functions that an imported program runs."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from inspect import CO_VARARGS, CO_VARKEYWORDS
from pathlib import Path
from sysconfig import get_path
from types import CodeType, FrameType
from typing import Any

from tinygraph.tensor.tensor import Tensor

_INSTALLED = ("<frozen", "<string>", str(Path(__file__).parent), *map(get_path, ("stdlib", "purelib", "platlib")))


class Variables:
    """A context that notes which values the local variables of functions have when the functions return.

    Functions of installed packages are left out. A parameter of a function is not noted: the caller has a better name
    for its value, or none. Of several variables with the same value, the last one counts, because the outer function
    returns last. While another profiler is active, such as `cProfile`, nothing is noted.

    Args:
        is_wanted: Function that returns whether a value is noted.

    Examples:
        >>> def f(x):
        ...     y = x + 0.5
        ...     return 2 * y
        >>> with Variables(lambda x: isinstance(x, float)) as variables:
        ...     _ = f(1)
        >>> variables.found()
        [('y', 1.5)]
    """

    def __init__(self, is_wanted: Callable[[Any], bool]) -> None:
        self._is_wanted = is_wanted
        self._locals: dict[CodeType, frozenset[str]] = {}  # the names of local variables, without parameters
        self._found: dict[int, tuple[str, object]] = {}  # the values are kept, so that each id belongs to one of them
        self._active = False

    def __enter__(self) -> Variables:
        if sys.getprofile() is None:
            self._active = True
            sys.setprofile(self._note)
        return self

    def __exit__(self, *_: object) -> None:
        if self._active:
            sys.setprofile(None)

    def found(self) -> list[tuple[str, Any]]:
        """Return the values with the names of their variables.

        Returns:
            Pairs of a name and a value.
        """
        return list(self._found.values())

    def _note(self, frame: FrameType, event: str, _: object) -> None:
        if event != "return":
            return
        code = frame.f_code
        names = self._locals.get(code)
        if names is None:
            names = self._locals[code] = frozenset() if code.co_filename.startswith(_INSTALLED) else _assigned(code)
        if names:
            for name, value in frame.f_locals.items():
                if name in names and self._is_wanted(value):
                    self._found[id(value)] = name, value


def _assigned(code: CodeType) -> frozenset[str]:
    """Return the names of the variables that a function assigns, without private ones."""
    flags = bool(code.co_flags & CO_VARARGS) + bool(code.co_flags & CO_VARKEYWORDS)
    first = code.co_argcount + code.co_kwonlyargcount + flags
    parameters = code.co_varnames[:first]
    names = (*code.co_varnames[first:], *[name for name in code.co_cellvars if name not in parameters])
    return frozenset([name for name in names if not name.startswith(("_", "."))])


def give_names(names: Mapping[Tensor, str], leaves: Iterable[Tensor]) -> None:
    """Give computed nodes the names of variables. A name that would not be unique is not given.

    Args:
        names: Nodes with the names of their variables.
        leaves: The leaves of the graph, whose names are taken.
    """
    counts = Counter(names.values())
    taken = {leaf.name for leaf in leaves}
    for node, name in names.items():
        if node.op is not None and not node.name and counts[name] == 1 and name not in taken:
            node.name = name
