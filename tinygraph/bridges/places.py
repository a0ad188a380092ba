"""Where the nodes of an imported graph come from: the module or function, and the source line of the user's program."""

from __future__ import annotations

from tinygraph.engine.contexts import Watcher
from tinygraph.engine.graph import Node
from tinygraph.engine.metadata import Metadata


class Places(Watcher):
    """A context that gives each new node the current scope and source line of the program that is imported.

    Scopes that you entered yourself stay outside of those of the program.

    Examples:
        >>> from tinygraph import Tensor
        >>> places = Places()
        >>> with places:
        ...     places.move(("encoder", "norm"), "model.py:7")
        ...     x = Tensor([1.0])
        >>> x.scope, x.line
        (('encoder', 'norm'), 'model.py:7')
    """

    def __init__(self) -> None:
        self._shared = Metadata()
        self.move((), "")

    def move(self, scope: tuple[str, ...], line: str) -> None:
        """Set the place of the nodes that are recorded from now on.

        Args:
            scope: Names of the scopes, outermost first.
            line: Source line, as "file:line", or "" if it is unknown.
        """
        if (scope, line) != (self._shared.scope, self._shared.line) or not self._shared.shared:
            self._shared = Metadata()
            self._shared.scope, self._shared.line, self._shared.shared = scope, line, True

    def watch(self, node: Node) -> None:
        """Give a node its place.

        Args:
            node: Node that was just recorded.
        """
        if node.metadata is None:
            node.metadata = self._shared  # all nodes of one place share it
        else:
            own = node.annotate()
            own.scope, own.line = (*own.scope, *self._shared.scope), self._shared.line


def place_text(scope: tuple[str, ...], line: str) -> str:
    """Return where an op was called, for a message.

    Args:
        scope: Names of the scopes, outermost first.
        line: Source line, as "file:line", or "" if it is unknown.

    Returns:
        The text, or "" if nothing is known.

    Examples:
        >>> place_text(("fc", "act"), "model.py:12")
        ' at model.py:12 in fc.act'
    """
    at = f" at {line}" if line else ""
    return f"{at} in {'.'.join(scope)}" if scope else at
