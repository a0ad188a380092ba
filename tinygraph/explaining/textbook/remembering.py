"""The texts of nodes, remembered while a diagram, a tree or a step is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from tinygraph.explaining.textbook.forms import Text

MOST_TEXTS = 100_000  # maximum number of texts that are remembered, which take about 20 MB
_texts: ContextVar[dict[Any, Text] | None] = ContextVar("_texts", default=None)


@contextmanager
def remembered_texts() -> Iterator[None]:
    """Remember the expressions of nodes, so that each expression is written once. Use it where no node changes.

    Otherwise, every text that contains an unnamed node would write the node's expression again.

    Yields:
        None. Afterwards, the texts are forgotten.
    """
    token = _texts.set({}) if _texts.get() is None else None
    try:
        yield
    finally:
        if token is not None:
            _texts.reset(token)


def remembered(write: Callable[..., Text], *args: Any) -> Text:
    """Return `write(*args)`, from the remembered texts if possible.

    Args:
        write: Function that writes a text.
        *args: Arguments of the function.

    Returns:
        The text.
    """
    texts = _texts.get()
    if texts is None:
        return write(*args)
    key = write, *args
    found = texts.get(key)
    if found is None:
        found = write(*args)
        if len(texts) > MOST_TEXTS:
            texts.clear()
        texts[key] = found
    return found
