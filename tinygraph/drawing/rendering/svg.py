"""The SVG element of a drawing: unique ids, a font, a size, and the colors of both themes."""

from __future__ import annotations

import hashlib
import re

from tinygraph.drawing.layout_engines import LayoutError
from tinygraph.drawing.rendering.appearance import HIDDEN, Appearance
from tinygraph.drawing.rendering.heatmap import darker_shades
from tinygraph.drawing.themes import FONT, darkening
from tinygraph.explaining.notation import number

PIXEL = 0.75  # points per pixel of CSS: 96 pixels and 72 points are one inch
_FALLBACK = "Arial,Helvetica,'Liberation Sans',sans-serif"
_NUMBER = r"\s*-?[\d.]+"
_VIEW = re.compile(rf"<svg[^>]*?\bviewBox=([\"'])({_NUMBER}(?:[ ,]{_NUMBER}){{3}})\s*\1")
_FILL = re.compile(r'\bfill="(#[0-9a-f]{6})"')
_SIZE = re.compile(r"""\s+(width|height|viewBox)=(["']).*?\2""", re.DOTALL)

_drawn: dict[str, int] = {}  # number of drawings per DOT text, so that each drawing gets unique ids


def finished(text: str, source: str, look: Appearance) -> str:
    """Return the SVG element of a layout.

    The ids are unique, so that one page can contain several drawings.

    Args:
        text: SVG text from a layout engine.
        source: DOT text of the drawing, from which its ids are derived.
        look: Colors, font and size.

    Returns:
        The SVG element.
    """
    font = look.options.font
    text = text[text.index("<svg") :].replace("&#45;", "-")
    # The style sheet sets the font, and "start" is the default anchor.
    for needless in (f' font-family="{font}"', ' text-anchor="start"'):
        text = text.replace(needless, "")
    # Remove comments and empty labels, which are not visible.
    text = re.sub(r"<!--.*?-->\n?|<text[^>]*>[ \xa0]*</text>\n?", "", text, flags=re.DOTALL)
    text = re.sub(rf'<text[^>]* fill="{HIDDEN[:7]}"[^>]*>[^<]*</text>\n?', "", text)
    prefix = _prefix(source)
    text = re.sub(r'(?<=\bid=")(?:a_)?(?=[\w-]+")', lambda match: f"{prefix}-{match[0]}", text)
    style = f"text{{font-family:{_FALLBACK}}}"
    if font != FONT:  # only in this drawing: the style sheet of an element applies to the whole page
        style = f"#{prefix} text{{font-family:'{font}',{_FALLBACK}}}"
    if look.options.theme == "auto":
        rules = darkening(f"#{prefix}", _shades_in(text) if look.options.heatmap else {})
        style += "\n@media (prefers-color-scheme: dark){\n" + rules + "\n}"
    text = re.sub(r"(<title>)[^<]*(</title>)", r"\1computation graph\2", text, count=1)
    text = fitted(text, look)
    return re.sub(r"^<svg([^>]*)>", rf'<svg id="{prefix}" class="tinygraph"\1>\n<style>{style}</style>', text, count=1)


def _shades_in(text: str) -> dict[str, str]:
    """Return the colors of the cells of heat maps in an SVG element, each with its dark color."""
    dark = darker_shades()
    return {color: dark[color] for color in dict.fromkeys(_FILL.findall(text)) if color in dark}


def _prefix(source: str) -> str:
    digest = hashlib.sha256(source.encode()).hexdigest()[:8]
    _drawn[digest] = _drawn.get(digest, 0) + 1
    return f"g{digest}" if _drawn[digest] == 1 else f"g{digest}n{_drawn[digest]}"


def natural_size(text: str) -> tuple[float, float]:
    """Return the size of a layout, in points.

    Args:
        text: SVG text from a layout engine.

    Returns:
        The width and the height.

    Raises:
        LayoutError: If the SVG text does not contain its size.
    """
    return _view(text)[2:]


def _view(text: str) -> tuple[float, float, float, float]:
    """Return the left and the upper end of an SVG element, its width and its height, in its own unit."""
    found = _VIEW.search(text)
    if found is None:
        raise LayoutError("the layout engine returned SVG text without a viewBox: leave out width=, height= and scale=")
    left, top, across, down = map(float, found[2].replace(",", " ").split())
    return left, top, across, down


def canvas(natural: tuple[float, float], look: Appearance) -> tuple[float, float, float]:
    """Return the size of a drawing, and the factor by which its layout is enlarged.

    Args:
        natural: Width and height of the layout, in points.
        look: Options of the drawing.

    Returns:
        The width and the height in pixels of CSS, and the factor.

    Examples:
        >>> from tinygraph.drawing.options import DrawOptions
        >>> canvas((720.0, 270.0), Appearance(DrawOptions(width=1920)))
        (1920.0, 720.0, 2.0)
        >>> canvas((720.0, 270.0), Appearance(DrawOptions(width=1920, height=1080)))
        (1920.0, 1080.0, 2.0)
    """
    width, height = look.options.width, look.options.height
    across, down = (length / PIXEL for length in natural)
    factors = [given / length for given, length in ((width, across), (height, down)) if given is not None]
    factor = min(factors) if factors else look.options.scale
    return float(width or across * factor), float(height or down * factor), factor


def fitted(text: str, look: Appearance) -> str:
    """Return an SVG element with the size that the options require. The diagram stays in the center.

    Args:
        text: SVG element.
        look: Options of the drawing.

    Returns:
        The SVG element.
    """
    if not look.options.resizes:
        return text
    left, top, across, down = _view(text)
    width, height, factor = canvas((across, down), look)
    whole = [width * PIXEL / factor, height * PIXEL / factor]
    corner = [left - (whole[0] - across) / 2, top - (whole[1] - down) / 2]
    view = [f"{x:.2f}" for x in (*corner, *whole)]
    size = f'width="{number(width, ".6g")}" height="{number(height, ".6g")}"\n viewBox="{" ".join(view)}"'
    tag, rest = text.split(">", 1)
    text = f"{_SIZE.sub('', tag).replace('<svg', f'<svg {size}', 1)}>{rest}"
    if look.transparent:
        return text
    ground = '<rect x="{}" y="{}" width="{}" height="{}" fill="{}"/>\n'.format(*view, look.theme.background)
    return text.replace("<g ", f"{ground}<g ", 1)
