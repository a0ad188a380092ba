"""`Stepper`: a cursor with methods to explain, debug, save and show a backward pass."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from tinygraph.engine.graph import Node
from tinygraph.explaining.breakdown import Explanation, breakdown
from tinygraph.stepping.cursor import Cursor
from tinygraph.support.arguments import as_path, check_integer
from tinygraph.support.naming import own_methods

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tinygraph.stepping.player import Player

PAGES = (".html", ".htm")


class Stepper(Cursor):
    """Step through the backward pass of a graph, one contribution at a time, forward and back.

    A Stepper shows the same steps as `backward()`, in the same order. It does not change the graph until you call
    `apply()`.

    Args:
        root: Node that the pass starts from.
        seed: Upstream gradient, with the shape of the root. Defaults to 1.
        phase: Steps to include: "backward", "forward", or "both" for the forward steps followed by the backward steps.
            Defaults to "backward".
        granularity: Size of a move: "edge" for one contribution, or "node" for all contributions that come from the
            same node. Defaults to "edge".

    Attributes:
        index: Number of steps that have happened.
        steps: Sequence of all steps.
        breakpoints: Kind and target of each breakpoint, by number.

    Raises:
        TypeError: If `root` is not a node.
        ValueError: If an option has an invalid value, or if `root` is not a scalar and `seed` is missing.
        StaleGraphError: If a leaf was edited after the graph was recorded, or is edited while you step through the
            graph.

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

    # The drawing modules and the debugger are imported when you first use them, because most programs need neither.

    def explain(self, node: Node | str) -> Explanation:
        """Return the breakdown of a gradient at the current step.

        Args:
            node: Node whose gradient is explained, or the node's name.

        Returns:
            The explanation that `tinygraph.explain` returns, with marks at contributions that have not happened yet.

        Raises:
            ValueError: If `node` is not in the graph.
            KeyError: If no node has this name.
        """
        return breakdown(self.steps, self.index, node)

    def repl(self) -> None:
        """Start the debugger in the terminal.

        The commands are like those of pdb and rr. The command `h` lists all commands.
        """
        from tinygraph.stepping.debugger import Debugger

        Debugger(self).cmdloop()

    def save(self, path: str | os.PathLike[str], *, theme: Literal["auto", "light", "dark"] = "auto") -> Path:
        """Write the interactive player to one HTML file, which needs no network access.

        An existing file is replaced only when the new content is complete.

        Args:
            path: File to write. Its suffix must be .html or .htm.
            theme: Colors: "light", "dark", or "auto", which follows the reader's browser. Defaults to "auto".

        Returns:
            The path.

        Raises:
            ValueError: If the suffix is not .html or .htm, or if the diagram has more than 600 boxes.
            EngineNotFoundError: If no Graphviz executable is installed.
            LayoutError: If the layout fails or exceeds the time limit.
        """
        from tinygraph.stepping.player import page
        from tinygraph.support.files import write_whole

        path = as_path("path", path)
        if path.suffix.lower() not in PAGES:
            raise ValueError(f"the path of an HTML page must end in {' or '.join(PAGES)}, not {path.name!r}")
        write_whole(path, page(self, theme=theme))
        return path

    def player(self, height: int = 640) -> Player:
        """Return an interactive player for a notebook cell.

        Args:
            height: Height in pixels. Defaults to 640.

        Returns:
            The player.
        """
        from tinygraph.stepping.player import Player

        return Player(self, check_integer("height", height, least=1))

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:  # noqa: ARG002
        """Return the output of a notebook cell: the diagram at the current step, and the text of the step."""
        from tinygraph.stepping.player import shown_in_a_cell

        return shown_in_a_cell(self)


own_methods(Stepper)
