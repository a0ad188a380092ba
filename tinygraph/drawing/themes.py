"""Light and dark colors of a diagram. All text has a contrast of at least 5.1:1 with its background."""

from __future__ import annotations

from typing import Any, NamedTuple

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
