"""Light and dark colors of a diagram. All text has a contrast of at least 5.1:1 with its background."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from tinygraph.support.arguments import check_mapping
from tinygraph.support.messages import described, one_of

# Helvetica is as wide as Arial, but Pango replaces Helvetica with DejaVu. A list of font names works only with Pango.
FONT = "Arial"


class Theme(NamedTuple):
    """One color per role. Each kind of node has a pair of colors (fill, border)."""

    background: str
    ink: str
    muted: str
    forward: str
    backward: str
    operation: tuple[str, str]
    input: tuple[str, str]
    parameter: tuple[str, str]
    constant: tuple[str, str]
    output: tuple[str, str]
    scope: tuple[str, str]

    @property
    def colors(self) -> list[str]:
        """All colors, in the same order for every theme."""
        return [color for entry in self for color in ([entry] if isinstance(entry, str) else entry)]


# Each role has a color in each theme, light and dark. Each kind of node has a pair of colors (fill, border).
# `LIGHT` names its background "white", so that `darkening` can distinguish the background from a white box (#ffffff).
_COLORS: dict[str, tuple[Any, Any]] = {
    "background": ("white", "#0d1117"),
    "ink": ("#1b1f24", "#e6edf3"),
    "muted": ("#57606a", "#9da7b3"),
    "forward": ("#0067a5", "#58b4f0"),
    "backward": ("#b5371a", "#ff8b6b"),
    "operation": (("#ffffff", "#8c959f"), ("#161b22", "#6e7681")),
    "input": (("#e3f1fa", "#0067a5"), ("#10293d", "#58b4f0")),
    "parameter": (("#e2f4ea", "#00795a"), ("#0f2e24", "#3fc79a")),
    "constant": (("#f0f1f3", "#8c959f"), ("#21262d", "#6e7681")),
    "output": (("#fff4d6", "#9a6b00"), ("#332a10", "#e3b341")),
    "scope": (("#f6f8fa", "#d0d7de"), ("#11161d", "#30363d")),
}
LIGHT, DARK = (Theme(**{role: pair[k] for role, pair in _COLORS.items()}) for k in range(2))
THEMES = {"light": LIGHT, "dark": DARK, "auto": LIGHT}  # "auto" adds the dark colors in a style sheet
BASE = "base"  # key of a theme dictionary
_COLOR = re.compile("#[0-9a-fA-F]{6}")


def check_color(what: str, given: object, wanted: str = "a color") -> str:
    """Return a color in lowercase.

    Graphviz and CSS have different lists of color names, so a color is written in hexadecimal.

    Args:
        what: Name of the parameter.
        given: Argument.
        wanted: Description of the allowed values, with an article.

    Returns:
        The color.

    Raises:
        TypeError: If the argument is not a str.
        ValueError: If the argument is not a color.

    Examples:
        >>> check_color("background", "pink")
        Traceback (most recent call last):
        ValueError: background must be a color such as '#0067a5', not 'pink'
    """
    if not isinstance(given, str):
        raise TypeError(f"{what} must be {wanted} such as '#0067a5', not {described(given)}")
    if not _COLOR.fullmatch(given):
        raise ValueError(f"{what} must be {wanted} such as '#0067a5', not {given!r}")
    return given.lower()


def theme_of(given: Any) -> Theme:
    """Return the colors of a theme.

    Args:
        given: Name of a theme, or a dictionary that replaces colors of the theme under the key "base".

    Returns:
        The colors.

    Raises:
        TypeError: If the theme is neither a name nor a dictionary, or if one of its colors is not a str.
        ValueError: If there is no theme with this name, no such color, or no such role.

    Examples:
        >>> theme_of({"base": "dark", "forward": "#FFCC00", "input": ("#10293d", "#ffcc00")}).forward
        '#ffcc00'
        >>> theme_of({"forwards": "#ffcc00"})
        Traceback (most recent call last):
        ValueError: each key of theme must be one of 'base', 'background', 'ink', 'muted', 'forward', 'backward', \
'operation', 'input', 'parameter', 'constant', 'output', 'scope', not 'forwards'
    """
    if isinstance(given, str) or not hasattr(given, "items"):
        one_of("theme", given, tuple(THEMES))
        return THEMES[str(given)]
    check_mapping("theme", given, "the name of a theme or a dictionary of colors")
    base = given.get(BASE, "light")
    one_of("theme['base']", base, ("light", "dark"))
    changed = {}
    for role, color in given.items():
        one_of("each key of theme", role, (BASE, *Theme._fields))
        if role != BASE:
            changed[role] = _checked(role, color)
    return THEMES[base]._replace(**changed)


def _checked(role: str, given: Any) -> Any:
    """Return the color or the pair of colors of a role, after a check."""
    what = f"theme[{role!r}]"
    if isinstance(getattr(LIGHT, role), str):
        return check_color(what, given)
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        raise ValueError(f"{what} must be a pair of colors (fill, border), not {described(given)}")
    return tuple(check_color(what, color, "a pair of colors (fill, border)") for color in given)


def darkening(selector: str) -> str:
    """Return a style sheet that turns a light diagram into a dark diagram.

    Args:
        selector: CSS selector of the element that contains the diagram.

    Returns:
        The style sheet, one rule per line.

    Examples:
        >>> darkening("#g").splitlines()[0]
        '#g [fill="white"]{fill:#0d1117}'
    """
    pairs = dict(zip(LIGHT.colors, DARK.colors, strict=True))
    return "\n".join(
        f'{selector} [{what}="{light}"]{{{what}:{dark}}}'
        for light, dark in pairs.items()
        for what in ("fill", "stroke")
        if not (light == "white" and what == "stroke")
    )
