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
        rows += [f"<TD>{line}</TD>" for line in _legend(diagram, look)]
    return table([*rows, '<TD HEIGHT="6"></TD>'], 'CELLPADDING="3"') if rows else ""


def _legend(diagram: Diagram, look: Appearance) -> list[str]:
    """Return the lines of the legend, as markup."""
    theme, present = look.theme, {box.role for box in diagram.boxes}
    cells = []
    for kind, style in LEGEND.items():
        if kind in present:
            fill, border = getattr(theme, kind)
            cells.append(f'<TD {style} COLOR="{border}" BGCOLOR="{fill}" WIDTH="22" HEIGHT="14" FIXEDSIZE="TRUE"></TD>')
            cells.append(f"<TD>{look.text(kind, theme.muted, 'small')}&#160;&#160;</TD>")
    arrows, backward = _ARROWS.get(look.detail, _ARROWS["full"])
    arrows = look.text(arrows, theme.forward, "small") + "&#160;&#160;"
    if not any(arrow.back for arrow in diagram.arrows):
        backward = ""
    # A compact diagram from left to right can be narrower than a legend in one line, which would limit its size.
    if look.options.compact and look.options.direction == "LR":
        half = 0 if look.options.backward else backward.rfind(" ", 0, len(backward) // 2 + 2)
        # If the text of the red arrows is hidden, one half is on each side, so that the rest is in the middle.
        halves = (backward[:half], backward[half:])
        first, last = (look.text(text, theme.backward, "small") if text else "" for text in halves)
        return [_line(cells), f"{first}{arrows}{last}"]
    cells.append(f"<TD>{arrows}</TD>")
    if backward:
        cells.append(f"<TD>{look.text(backward, theme.backward, 'small')}</TD>")
    return [_line(cells)]


def _line(cells: list[str]) -> str:
    return f'<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="2" CELLPADDING="0"><TR>{"".join(cells)}</TR></TABLE>'
