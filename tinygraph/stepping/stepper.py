"""`Stepper`: a cursor with methods to explain, debug, save and show a backward pass."""

from __future__ import annotations

import os
from dataclasses import fields
from pathlib import Path
from typing import Literal

from tinygraph.engine.graph import Node
from tinygraph.explaining.breakdown import Explanation, breakdown
from tinygraph.explaining.notation import Quantity
from tinygraph.explaining.step import Phase
from tinygraph.stepping.cursor import Cursor
from tinygraph.support.arguments import as_path, check_integer, check_positive
from tinygraph.support.messages import one_of
from tinygraph.support.naming import own_methods

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tinygraph.drawing.options import DrawOptions


SECONDS = 1.2  # default time per step of an animation


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
        options: Options of `draw` for all diagrams of this Stepper, such as `title`, `parameters`, `direction`,
            `notation`, `number` and `theme`.

    Attributes:
        index: Number of steps that have happened.
        steps: Sequence of all steps.
        breakpoints: Kind and target of each breakpoint, by number.

    Raises:
        TypeError: If `root` is not a node, or if an option is unknown or has a wrong type.
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
          dJ/db += dJ/du · ∂u/∂b = 3 × 2 = 6   (∂u/∂b = c = 2)
          b.grad 0 → 6
        >>> stepper.back(2).symbol, stepper.grad(b), stepper.grad(a)
        ('dJ/da += dJ/dv · ∂v/∂a', None, 3.0)
        >>> b.grad is None
        True
        >>> stepper.steps[4]
        <step 5/6: dJ/db += dJ/du · ∂u/∂b = 3 × 2 = 6>
    """

    def __init__(
        self,
        root: Node,
        *,
        seed: Quantity | None = None,
        phase: Phase = "backward",
        granularity: Literal["edge", "node"] = "edge",
        **options: object,
    ) -> None:
        super().__init__(root, seed=seed, phase=phase, granularity=granularity)
        self._options = options
        if options:
            self.steps = self.steps.formatted(self._drawn({}).number)

    def _drawn(self, options: dict[str, object], theme: str = "light") -> DrawOptions:
        """Return the options of a drawing: those of the Stepper, changed by those of a method."""
        from tinygraph.drawing.options import TRANSPARENT, DrawOptions

        chosen = self._options | options
        known = [field.name for field in fields(DrawOptions)]
        for name in chosen:
            one_of("each option of the drawing", name, known)
        if chosen.get("background") in (None, TRANSPARENT):
            chosen.setdefault("theme", theme)  # a theme for both schemes cannot have one background
        return DrawOptions(**chosen)  # type: ignore[arg-type]  # it checks the types

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

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        caption: bool = True,
        hide: bool = False,
        by_hand: bool = False,
        seconds: float = SECONDS,
        **options: object,
    ) -> Path:
        """Write all steps to a file: an interactive player, an animation, or one page or image per step.

        The graph is laid out once. All frames have one canvas, and nothing moves but what a step changes. An existing
        file is replaced only when the new content is complete. Missing folders are created.

        Args:
            path: File to write. The suffix selects the format: .html or .htm for the interactive player, which needs no
                network access; .svg for an animation without scripts, which an `<img>` plays; .gif for an animation;
                .pdf for one page per step. If the name contains a field, such as "step-{:02}.svg" or "step-{:02}.png",
                each position from 0 to the number of steps gets one file. The formats .gif, .pdf and .png need the
                extra `film`.
            caption: If true, each frame shows the sentences of its step. Defaults to true.
            hide: If true, what happens later is invisible. By default, it is faint.
            by_hand: If true, the HTML page asks for each gradient before it shows it, and has backward passes with a
                mistake to find. Only an .html file has exercises. Defaults to false.
            seconds: Time per step of an animation; from 0.01 to 200 for .gif. Defaults to 1.2.
            options: Options of `draw`, which replace those of the Stepper. The theme defaults to "auto", which follows
                the reader's browser; the formats .gif, .pdf and .png then use light colors. An HTML page fits its
                window, so it ignores the size.

        Returns:
            The path, as given.

        Raises:
            TypeError: If an option has a wrong type.
            ValueError: If the name of `path` does not select a format, if an option is unknown or invalid, if the
                diagram has more than 600 boxes, if a .gif or .png file would be too large, or if `by_hand` is true
                and there is nothing to ask.
            ModuleNotFoundError: If the format needs a package that is not installed.
            EngineNotFoundError: If no Graphviz executable is installed.
            LayoutError: If the layout fails or exceeds the time limit.
        """
        from tinygraph.stepping.film import Film
        from tinygraph.stepping.formats import check_name, write
        from tinygraph.stepping.player import page
        from tinygraph.support.files import PAGES, write_whole

        path = as_path("path", path)
        check_name(path)
        check_positive("seconds", seconds, infinite=False)
        look = self._drawn(options, "auto")
        if path.suffix.lower() in PAGES:
            write_whole(path, page(self, look, hide=bool(hide), by_hand=bool(by_hand)))
        elif by_hand:
            raise ValueError(f"by_hand=True needs an .html file, not {path.name!r}")
        else:
            write(Film(self, look, caption=bool(caption), hide=bool(hide)), path, seconds=seconds)
        return path

    def player(
        self, height: int = 640, *, live: bool = False, hide: bool = False, by_hand: bool = False, **options: object
    ) -> Any:
        """Return an interactive player for a notebook cell.

        The player is an HTML page, which also works in an exported notebook. A live player stays connected to Python:
        set `player.index` to move it; if a reader moves it, `player.index` and the position of this Stepper follow.
        `player.node` is the node that the reader has clicked last, or None.

        Args:
            height: Height in pixels. Defaults to 640.
            live: If true, return a widget that stays connected to Python. It needs the extra `notebook`, and works
                where widgets do, such as in JupyterLab, VS Code, Colab and marimo. Defaults to false.
            hide: If true, the player hides later steps completely until the reader shows them.
            by_hand: If true, the player asks for each gradient before it shows it. Defaults to false.
            options: Options of `draw`, which replace those of the Stepper. The theme defaults to "auto".

        Returns:
            The player.

        Raises:
            ModuleNotFoundError: If `live` is true and the package anywidget is not installed.
        """
        from tinygraph.stepping.live import live_player
        from tinygraph.stepping.player import Player

        height = check_integer("height", height, least=1)
        make = live_player if live else Player
        return make(self, self._drawn(options, "auto"), height, hide=bool(hide), by_hand=bool(by_hand))

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:  # noqa: ARG002
        """Return the output of a notebook cell: the diagram at the current step, and the text of the step."""
        from tinygraph.stepping.player import shown_in_a_cell

        return shown_in_a_cell(self, self._drawn({"legend": self._options.get("legend", False)}))


own_methods(Stepper)
