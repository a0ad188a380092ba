"""Colors, font and text sizes of one drawing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from tinygraph.drawing.options import BODY, TRANSPARENT, DrawOptions
from tinygraph.drawing.themes import Theme

_SIZES = {"title": 16.0, "body": BODY, "small": 11.0, "caption": 10.0}  # in points


@dataclass(frozen=True)
class Appearance:
    """How a drawing looks: the options, with the level of detail that applies to this graph.

    Args:
        options: Options of the drawing.
        detail: Text on the arrows: "full", "contributions" or "plain".
    """

    options: DrawOptions
    detail: str = "full"

    @cached_property
    def theme(self) -> Theme:
        """The colors."""
        colors, background = self.options.colors, self.options.background
        return colors if background is None else colors._replace(background=background)

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
        return round(_SIZES[kind] * self.options.font_size / BODY, 2)

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
        points = f' POINT-SIZE="{self.size(kind):g}"' if kind else ""
        return f'<FONT COLOR="{color}"{points}>{f"<B>{markup}</B>" if bold else markup}</FONT>'
