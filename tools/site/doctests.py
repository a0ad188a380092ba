"""Docstrings as pages show them: examples become code, without the flags that doctest reads."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

EXAMPLE = re.compile(r"^>>>.*(?:\n(?!\s*$).*)*", re.MULTILINE)


class Doctests(Extension):
    """Put each block of `>>>` lines that is in no section into a fence; sections of examples need none."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Rewrite the docstring of one object."""
        if obj.docstring:
            value = re.sub(r" *# doctest: \+.*$", "", obj.docstring.value, flags=re.MULTILINE)
            obj.docstring.value = EXAMPLE.sub(lambda block: f"```pycon\n{block[0]}\n```", value)
