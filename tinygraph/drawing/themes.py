"""Light and dark colors of a diagram. All text has a contrast of at least 5.1:1 with its background."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from tinygraph.support.arguments import check_mapping
from tinygraph.support.messages import counted, described, one_of

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
READABLE = 4.5  # least contrast of text and its background that WCAG 2.2 requires in criterion 1.4.3
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


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colors, from 1 for equal colors to 21 for black and white.

    Args:
        one: Color in hexadecimal.
        other: Color in hexadecimal.

    Returns:
        The ratio.

    References:
        Web Content Accessibility Guidelines (WCAG) 2.2: relative luminance and contrast ratio.

    Examples:
        >>> round(contrast("#000000", "#ffffff"), 2), round(contrast("#ffcc00", "#ffffff"), 2)
        (21.0, 1.51)
    """
    low, high = sorted(map(_luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(color: str) -> float:
    channels = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    red, green, blue = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def hard_to_read(theme: Theme) -> str:
    """Return which text of a theme has too little contrast with its background, as a sentence.

    Args:
        theme: Colors. A background that is not a color in hexadecimal is left out.

    Returns:
        The sentence without a period, or "" if all text has a contrast of at least 4.5:1. It names the worst pair.

    Examples:
        >>> print(hard_to_read(theme_of({"muted": "#757d86"})))  # doctest: +NORMALIZE_WHITESPACE
        text in the color #757d86 ('muted') is hard to read on #e3f1fa ('input'): the contrast is 3.62:1, but should
        be at least 4.5:1; choose a darker or lighter color for one of them (6 more pairs of text and background, too)
        >>> hard_to_read(LIGHT), hard_to_read(DARK)
        ('', '')
    """
    grounds = {"background": theme.background.replace("white", "#ffffff")}
    grounds |= {role: pair[0] for role, pair in theme._asdict().items() if not isinstance(pair, str)}
    found = []
    for text in ("ink", "muted", "forward", "backward"):
        for role, ground in grounds.items():
            needed = (text, role) != ("backward", "constant")  # a constant has no gradient
            if needed and _COLOR.fullmatch(ground) and (ratio := contrast(getattr(theme, text), ground)) < READABLE:
                found.append((ratio, text, role, ground))
    if not found:
        return ""
    ratio, text, role, ground = min(found)
    more = f" ({counted(len(found) - 1, 'more pair')} of text and background, too)" if found[1:] else ""
    return (
        f"text in the color {getattr(theme, text)} ({text!r}) is hard to read on {ground} ({role!r}): the contrast is "
        f"{ratio:.2f}:1, but should be at least {READABLE}:1; choose a darker or lighter color for one of them{more}"
    )


def darkening(selector: str, fills: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return a style sheet that turns a light diagram into a dark diagram.

    Args:
        selector: CSS selector of the element that contains the diagram.
        fills: Dark color of each other fill, by its light color. Defaults to none.

    Returns:
        The style sheet, one rule per line.

    Examples:
        >>> darkening("#g").splitlines()[0]
        '#g [fill="white"]{fill:#0d1117}'
    """
    pairs = dict(zip(LIGHT.colors, DARK.colors, strict=True))
    rules = [
        (what, light, dark)
        for light, dark in pairs.items()
        for what in ("fill", "stroke")
        if not (light == "white" and what == "stroke")
    ]
    rules += [("fill", light, dark) for light, dark in fills.items() if light not in pairs]
    return "\n".join(f'{selector} [{what}="{light}"]{{{what}:{dark}}}' for what, light, dark in rules)
