"""Colors, font and text sizes of one drawing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from tinygraph.drawing.options import BODY, TRANSPARENT, DrawOptions
from tinygraph.drawing.themes import Theme

# Color of hidden text. It is transparent, but dot 2.43 writes it as opaque into SVG text, which `finished` removes.
HIDDEN = "#fe01fe00"
_SIZES = {"title": 16.0, "body": BODY, "small": 11.0, "caption": 10.0}  # in points


@dataclass(frozen=True)
class Appearance:
    """How a drawing looks: the options, with the level of detail that applies to this graph.

    Args:
        options: Options of the drawing.
        detail: Text on the arrows: "full", "contributions", "arrows" (no text) or "plain" (no text, and one
            arrow for both directions).
    """

    options: DrawOptions
    detail: str = "full"

    @cached_property
    def theme(self) -> Theme:
        """The colors. What belongs to a hidden backward pass has the color `HIDDEN`."""
        colors, background = self.options.colors, self.options.background
        if background is not None:
            colors = colors._replace(background=background)
        return colors if self.options.backward else colors._replace(backward=HIDDEN)

    @property
    def faint(self) -> str:
        """The color of a missing gradient, and of the caption of a gradient."""
        return self.theme.muted if self.options.backward else HIDDEN

    @property
    def transparent(self) -> bool:
        """True if the drawing has no background."""
        return self.theme.background == TRANSPARENT

    def size(self, kind: str) -> float:
        """Return the font size of a kind of text, in points.

        Args:
            kind: "title", "body" (names and values), "small" (scopes and the legend) or "caption" (also on arrows).

        Returns:
            The size.
        """
        small = kind in ("small", "caption") and self.options.compact  # a compact drawing has one size for its content
        return round((BODY if small else _SIZES[kind]) * self.options.font_size / BODY, 2)

    @cached_property
    def _points(self) -> dict[str, str]:
        """The size of each kind of text as an attribute of an HTML-like label."""
        return {"": "", **{kind: f' POINT-SIZE="{self.size(kind):g}"' for kind in _SIZES}}

    def text(self, markup: str, color: str, kind: str = "", *, bold: bool = False) -> str:
        """Return text with a color, a size and a weight, for an HTML-like label.

        Args:
            markup: Text as markup.
            color: Color of the text.
            kind: Kind of text, which gives its size. Defaults to the size of the surrounding label.
            bold: If true, the text is bold. Defaults to false.

        Returns:
            The text as markup.
        """
        return f'<FONT COLOR="{color}"{self._points[kind]}>{f"<B>{markup}</B>" if bold else markup}</FONT>'
