"""Characters that the font of a drawing lacks, for cairosvg, which does not look for them in another font."""

from __future__ import annotations

import re
from functools import lru_cache

# Fonts with mathematical signs on Linux, Windows and macOS, and fonts with Chinese characters.
_OTHERS = (
    "DejaVu Sans", "Noto Sans Math", "Noto Sans Symbols", "Noto Sans Symbols 2", "Cambria Math", "Segoe UI Symbol",
    "Segoe UI Emoji", "STIX Two Math", "Apple Symbols", "Arial Unicode MS", "Noto Sans CJK SC", "Microsoft YaHei",
    "PingFang SC", "sans-serif",
)  # fmt: skip
_TEXT = re.compile(r"(<text\b[^>]*)(>)(.*?)(?=</text>)", re.DOTALL)
_FAMILY = re.compile(r"""font-family\s*[:=]\s*["']?\s*['"]?([^,;'"}]+)""")
_OUTSIDE_ASCII = re.compile(r"[^\x00-\xa0]+(?![^<]*>)")  # in the text, not in an attribute


def with_all_glyphs(svg_text: str) -> str:
    """Return a drawing in which each character has a font that contains it.

    A browser looks for a missing character in other fonts. cairosvg draws an empty box instead.

    Args:
        svg_text: SVG element, to be converted with cairosvg.

    Returns:
        The SVG element. It does not change if its fonts contain all characters, or if cairo is not installed. A
        character that no known font contains does not change either.
    """
    if not _OUTSIDE_ASCII.search(svg_text):
        return svg_text
    try:
        import cairocffi  # noqa: F401 - used in `_has`
    except (ImportError, OSError):  # OSError: the package is installed, but its C library is not
        return svg_text
    style = re.search(r"<style\b.*?</style>", svg_text, re.DOTALL)
    general = _FAMILY.search(style[0]) if style else None

    def text(match: re.Match[str]) -> str:
        head, end, content = match.groups()
        bold = 'font-weight="bold"' in head
        family = general or _FAMILY.search(head)
        name = family[1].strip() if family else "sans-serif"
        if "text-anchor" in head:  # cairosvg would center each tspan separately
            signs = "".join(_OUTSIDE_ASCII.findall(content))
            other = "" if _has(name, bold, signs) else _font_with(bold, signs)
            return f"{head} style=\"font-family:'{other}'\"{end}{content}" if other else match[0]
        return head + end + _OUTSIDE_ASCII.sub(lambda found: _in_other_fonts(found[0], name, bold), content)

    return _TEXT.sub(text, svg_text)


def _in_other_fonts(signs: str, family: str, bold: bool) -> str:
    out = ""
    for sign in signs:
        other = "" if _has(family, bold, sign) else _font_with(bold, sign)
        out += f"<tspan style=\"font-family:'{other}'\">{sign}</tspan>" if other else sign
    return out


def _font_with(bold: bool, signs: str) -> str:
    """Return the first other font that contains all given characters, or "" if there is none."""
    return next((family for family in _OTHERS if _has(family, bold, signs)), "")


@lru_cache(maxsize=4096)
def _has(family: str, bold: bool, signs: str) -> bool:
    """Return whether the font that cairo selects for a family contains all given characters."""
    import cairocffi

    context = cairocffi.Context(cairocffi.ImageSurface(cairocffi.FORMAT_A8, 1, 1))
    context.select_font_face(family, cairocffi.FONT_SLANT_NORMAL, int(bold))
    glyphs = context.get_scaled_font().text_to_glyphs(0, 0, signs, with_clusters=False)
    return all(glyph[0] for glyph in glyphs)  # glyph 0 of a font is the box of a missing character
