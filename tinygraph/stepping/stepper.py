"""Stepper: a cursor on the backward pass, and what can be done with it: explain, debug, save, show."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from tinygraph.engine.graph import Node
from tinygraph.explaining.breakdown import Explanation, breakdown
from tinygraph.stepping.cursor import Cursor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tinygraph.stepping.player import Player

PAGES = (".html", ".htm")


class Stepper(Cursor):
    """Step through the backward pass of a graph, one contribution at a time, forwards and back.

    The steps are those of `propagate`, in its order, but the graph is left as it was until `apply()`. `index` is the
    number of steps that have happened, `steps` is the sequence of all.

    Args:
        root: Node that the pass starts from.
        seed: Gradient to start with, of the shape of the root. Defaults to 1.
        phase: "both" puts the steps of the forward pass before those of the backward pass; "forward" has only these.
        granularity: "node" moves on by all contributions of a node at once.

    Raises:
        StaleGraphError: If a leaf was edited after the graph was recorded, or while you step through it.

    Examples:
        >>> from tinygraph import Value
        >>> a, b, c = Value(5, "a"), Value(3, "b"), Value(2, "c")
        >>> u = b * c; v = a + u; J = 3 * v
        >>> u.name, v.name, J.name = "u", "v", "J"
        >>> stepper = Stepper(J)
        >>> print(stepper.step(5))
        step 5/6  u = b × c
          dJ/db += dJ/du · du/db = 3 × 2 = 6   (du/db = c = 2)
          b.grad 0 → 6
        >>> stepper.back(2).symbol, stepper.grad(b), stepper.grad(a)
        ('dJ/da += dJ/dv · dv/da', None, 3.0)
        >>> b.grad is None
        True
        >>> stepper.steps[4]
        <step 5/6: dJ/db += dJ/du · du/db = 3 × 2 = 6>
    """

    # What draws and what talks to a terminal is loaded when it is first used: most walks need neither.

    def explain(self, node: Node | str) -> Explanation:
        """Return the breakdown of a gradient as it is at this step: see `tinygraph.explain`."""
        return breakdown(self.steps, self.index, node)

    def repl(self) -> None:
        """Step by commands in the terminal, in the words of pdb and rr: s, rs, b, c, rc, u NODE, h for help."""
        from tinygraph.stepping.debugger import Debugger

        Debugger(self).cmdloop()

    def save(self, path: str | os.PathLike[str], *, theme: Literal["auto", "light", "dark"] = "auto") -> Path:
        """Write the HTML page that plays the steps: one file, which needs no network and nothing else.

        The file is written whole or not at all.

        Args:
            path: File to write; it must end in .html.
            theme: Colors of the page. By default those that the reader's browser prefers.

        Returns:
            The path.

        Raises:
            EngineNotFoundError: If Graphviz is not installed.
            ValueError: If the file has another suffix, or the graph more than 600 nodes.
        """
        from tinygraph.stepping.player import page
        from tinygraph.support.files import write_whole

        path = Path(path)
        if path.suffix.lower() not in PAGES:
            raise ValueError(f"{path.name!r} is not the name of a page: it must end in .html")
        write_whole(path, page(self, theme=theme))
        return path

    def player(self, height: int = 640) -> Player:
        """Return an interactive player for a notebook cell, `height` pixels high."""
        from tinygraph.stepping.player import Player

        return Player(self, height)

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:  # noqa: ARG002
        """What a notebook shows: the diagram at this step, with the step in words below."""
        from tinygraph.stepping.player import shown_in_a_cell

        return shown_in_a_cell(self)
