"""The live player: a widget of a notebook, whose position and selected node Python code reads and sets."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING, Any

from tinygraph.drawing.options import DrawOptions
from tinygraph.stepping.player import page_of
from tinygraph.support.messages import install_command

if TYPE_CHECKING:
    from tinygraph.stepping.cursor import Cursor


def live_player(cursor: Cursor, options: DrawOptions, height: int, *, hide: bool = False, by_hand: bool = False) -> Any:
    """Return a widget that shows the interactive player, and stays connected to Python.

    The widget has the attribute `index`, the number of steps that have happened. If you set it, the player moves; if a
    reader moves the player, `index` and the position of the cursor follow. The attribute `node` is the node that the
    reader has clicked last, or None. `widget.observe(function, "node")` calls a function at each change.

    Args:
        cursor: Cursor that follows the player.
        options: Options of the drawing.
        height: Height in pixels.
        hide: If true, the player hides later steps completely until the reader shows them.
        by_hand: If true, the player asks for each gradient before it shows it. Defaults to false.

    Returns:
        The widget.

    Raises:
        ModuleNotFoundError: If the package anywidget is not installed.
    """
    try:
        import anywidget
        import traitlets
    except ImportError:
        raise ModuleNotFoundError(
            f"live=True needs the package anywidget: {install_command('notebook')}, or leave out live=True"
        ) from None
    text, shown = page_of(cursor, options, hide=hide, by_hand=by_hand)
    nodes = {key: node for node, key in shown.ids.items()}

    class LivePlayer(anywidget.AnyWidget):  # type: ignore[misc]
        """The widget. Its class is defined here because anywidget is an optional package."""

        _esm = files("tinygraph.stepping").joinpath("assets", "live.js").read_text(encoding="utf-8")
        _page = traitlets.Unicode(text).tag(sync=True)
        _title = traitlets.Unicode(repr(cursor)).tag(sync=True)
        _height = traitlets.Int(height).tag(sync=True)
        _box = traitlets.Unicode("").tag(sync=True)  # id of the box that was clicked last
        index = traitlets.Int(cursor.index, min=0, max=len(cursor)).tag(sync=True)
        node = traitlets.Any(None)

        @traitlets.observe("index")  # type: ignore[untyped-decorator]
        def _follow(self, change: Any) -> None:
            cursor.goto(change["new"])

        @traitlets.observe("_box")  # type: ignore[untyped-decorator]
        def _select(self, change: Any) -> None:
            self.node = nodes.get(change["new"])

        def __repr__(self) -> str:
            return f"<live player of {repr(cursor)[1:-1]}>"

    return LivePlayer()
