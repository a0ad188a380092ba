"""Members for pages: a class lists its inherited properties, and a signature shows only what a caller can pass."""

from __future__ import annotations

from typing import Any

from griffe import Attribute, Class, Extension, Function


class Members(Extension):
    """Removes what the code needs and a reader does not."""

    def on_class_members(self, *, cls: Class, **_: Any) -> None:
        """Remove undocumented attributes of a class, which would hide an inherited property of the same name."""
        for name, member in list(cls.members.items()):
            bare = isinstance(member, Attribute) and member.annotation is None and not member.has_docstring
            if bare and "instance-attribute" in member.labels:
                cls.del_member(name)

    def on_function(self, *, func: Function, **_: Any) -> None:
        """Remove private parameters from a signature."""
        for name in [parameter.name for parameter in func.parameters if parameter.name.startswith("_")]:
            del func.parameters[name]
