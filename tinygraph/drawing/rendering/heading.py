"""The title and the legend above a diagram."""

from __future__ import annotations

from tinygraph.drawing.diagram import Diagram
from tinygraph.drawing.rendering.appearance import Appearance
from tinygraph.drawing.rendering.markup import markup, table

LEGEND = {
    "input": 'BORDER="1" STYLE="ROUNDED"',
    "parameter": 'BORDER="3"',
    "constant": 'BORDER="1" STYLE="DASHED"',
    "operation": 'BORDER="1" STYLE="ROUNDED"',
    "output": 'BORDER="3" STYLE="ROUNDED"',
}


_ARROWS = {
    "full": ("→ forward: value", "← backward: upstream × local = contribution"),
    "arrows": ("→ forward: value", "← backward: gradient"),
    "plain": ("→ forward: values", "← backward: derivatives"),
}


def heading(diagram: Diagram, look: Appearance) -> str:
    """Return the title and the legend as part of the graph's label, so that they cannot change the layout.

    Args:
        diagram: Boxes and arrows.
        look: Options, with the level of detail of the arrows.

    Returns:
        The label, or "" if there is neither a title nor a legend.
    """
    rows = []
    if look.options.title:
        rows.append(f"<TD>{look.text(markup(look.options.title), look.theme.ink, 'title', bold=True)}</TD>")
    if look.options.legend:
        rows.append(f"<TD>{_legend(diagram, look)}</TD>")
    return table([*rows, '<TD HEIGHT="6"></TD>'], 'CELLPADDING="3"') if rows else ""


def _legend(diagram: Diagram, look: Appearance) -> str:
    theme = look.theme
    present = {box.role for box in diagram.boxes}
    cells = []
    for kind, style in LEGEND.items():
        if kind in present:
            fill, border = getattr(theme, kind)
            cells.append(f'<TD {style} COLOR="{border}" BGCOLOR="{fill}" WIDTH="22" HEIGHT="14" FIXEDSIZE="TRUE"></TD>')
            cells.append(f"<TD>{look.text(kind, theme.muted, 'small')}&#160;&#160;</TD>")
    forward, backward = _ARROWS.get(look.detail, _ARROWS["full"])
    cells.append(f"<TD>{look.text(forward, theme.forward, 'small')}&#160;&#160;</TD>")
    if any(arrow.back for arrow in diagram.arrows):
        cells.append(f"<TD>{look.text(backward, theme.backward, 'small')}</TD>")
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="2" CELLPADDING="0"><TR>{"".join(cells)}</TR></TABLE>'
