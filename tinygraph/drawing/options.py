"""The options of `draw` as one object, which Steppers, HTML pages and the command can take too."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Literal, get_args

from tinygraph.drawing.arrows import Style
from tinygraph.drawing.layout_engines import TIME_LIMIT, Function, check_engine
from tinygraph.drawing.themes import FONT, Theme, check_color, hard_to_read, theme_of
from tinygraph.engine.graph import Node
from tinygraph.support.arguments import check_kind, check_positive, listed
from tinygraph.support.messages import one_of, warn

ThemeName = Literal["light", "dark", "auto"]
Detail = Literal["auto", "full", "contributions", "plain", "folded", "scopes"]
Direction = Literal["LR", "TB"]
Notation = Literal["dJ/dv", "dv"]
Engine = str | Function | None  # an executable, or a function from DOT text to SVG text
DETAILS: tuple[Detail, ...] = get_args(Detail)
EVERY_NODE: tuple[Detail, ...] = ("auto", "full", "contributions", "plain")  # those that a walkthrough can have
TRANSPARENT = "transparent"
BODY = 13.0  # default font size of a box, in points
_FONT_NAME = re.compile(r"[\w .+-]+")


@dataclass(frozen=True, kw_only=True)
class DrawOptions:
    """Options of a drawing. `draw` explains each option.

    Objects of this class never change. `dataclasses.replace` returns a copy with other options.

    Raises:
        TypeError: If an option has a wrong type.
        ValueError: If an option has an invalid value, or if two options contradict each other.

    Examples:
        >>> DrawOptions(theme="dark").colors.background
        '#0d1117'
        >>> DrawOptions(direction="RL")
        Traceback (most recent call last):
        ValueError: direction must be one of 'LR', 'TB', not 'RL'
    """

    theme: ThemeName | Mapping[str, object] = "light"
    detail: Detail = "auto"
    direction: Direction = "LR"
    parameters: Iterable[Node] = ()
    title: str = ""
    legend: bool = True
    number: str = ".4g"
    notation: Notation = "dJ/dv"
    compact: bool = False
    constants: bool = True
    backward: bool = True
    heatmap: bool = False
    width: float | None = None
    height: float | None = None
    scale: float = 1.0
    font: str = FONT
    font_size: float = BODY
    background: str | None = None
    dpi: float | None = None
    fold_sums: bool | None = None
    plain_names: bool = False
    engine: Engine = None
    timeout: float | None = TIME_LIMIT

    def __post_init__(self) -> None:
        for field in fields(self):
            if isinstance(field.default, bool):  # any object with a truth value is allowed
                object.__setattr__(self, field.name, bool(getattr(self, field.name)))
        object.__setattr__(self, "parameters", listed("parameters", self.parameters, Node, "a node of a graph"))
        one_of("detail", self.detail, DETAILS)
        one_of("direction", self.direction, get_args(Direction))
        one_of("notation", self.notation, get_args(Notation))
        check_kind("title", self.title, str, "a str")
        self._check_number_format()
        self._check_sizes()
        self._check_engine()
        check_kind("font", self.font, str, "the name of a font")
        if not _FONT_NAME.fullmatch(self.font):
            raise ValueError(f"font must be the name of one font, such as 'Arial', not {self.font!r}")
        self._check_background()

    def _check_number_format(self) -> None:
        try:
            format(1.0, self.number)
        except (ValueError, TypeError):
            raise ValueError(f"number must be a format for floats, such as '.4g', not {self.number!r}") from None

    def _check_sizes(self) -> None:
        for name in ("width", "height", "dpi"):
            if getattr(self, name) is not None:
                check_positive(name, getattr(self, name), infinite=False)
        for name in ("scale", "font_size"):
            check_positive(name, getattr(self, name), infinite=False)
        if self.scale != 1.0 and (self.width is not None or self.height is not None):
            raise ValueError("scale= cannot be combined with width= or height=, which already determine the size")

    def _check_engine(self) -> None:
        if self.timeout is not None:
            check_positive("timeout", self.timeout)
        check_engine(self.engine)

    def _check_background(self) -> None:
        colors = self.colors  # checks the theme
        if self.background is not None:
            colors = colors._replace(background=self.background)
        if self.background not in (None, TRANSPARENT):
            check_color("background", self.background, f"{TRANSPARENT!r} or a color")
            if self.theme == "auto":
                raise ValueError(
                    f"background={self.background!r} cannot be combined with theme='auto', whose text is dark or "
                    f"light: use background={TRANSPARENT!r}, or select a theme"
                )
        if found := hard_to_read(colors):
            warn(found)

    @property
    def colors(self) -> Theme:
        """The colors. For the theme "auto", these are the light colors."""
        return theme_of(self.theme)

    @property
    def style(self) -> Style:
        """The format of numbers and derivatives, and the nodes to draw as parameters."""
        return Style(self.number, self.notation, set(self.parameters), self.constants, self.heatmap)

    @property
    def resizes(self) -> bool:
        """True if the drawing has another size than the layout."""
        return self.scale != 1.0 or self.width is not None or self.height is not None
