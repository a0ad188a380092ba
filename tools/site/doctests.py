"""Docstrings for pages: examples become code blocks, without the flags of doctest."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

EXAMPLE = re.compile(r"^>>>.*(?:\n(?!\s*$).*)*", re.MULTILINE)


class Doctests(Extension):
    """Puts each block of `>>>` lines outside an Examples section into a fence."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Rewrite the docstring of one object."""
        if obj.docstring:
            value = re.sub(r" *# doctest: \+.*$", "", obj.docstring.value, flags=re.MULTILINE)
            obj.docstring.value = EXAMPLE.sub(lambda block: f"```pycon\n{block[0]}\n```", value)
