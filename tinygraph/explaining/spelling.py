"""Different spellings of a name or a formula: compatibility characters, subscripts, and signs of textbooks."""

from __future__ import annotations

import re
import unicodedata

SIGNS = {
    **dict.fromkeys("×·⋅∙∗", "*"),
    **dict.fromkeys("−–", "-"),
    **dict.fromkeys("÷∕⁄", "/"),
}
_SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+", strict=True))  # powers
SUPERSCRIPTS = "".join(_SUPERSCRIPTS)
_SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True))
_NAME_AT_END = re.compile(r"[^\W\d]\w*\Z")


def normalized(name: str) -> str:
    """Return a name in the form in which Python reads it. A subscript becomes a digit.

    Keyboards and fonts use several characters for one letter, such as the micro sign and the Greek letter mu. Python
    reads both as the letter (normalization form NFKC).

    Args:
        name: Name of a node.

    Returns:
        The name.

    Examples:
        >>> normalized("µ") == "μ", normalized("w₁")
        (True, 'w1')
    """
    return unicodedata.normalize("NFKC", name)


def in_ascii(text: str) -> tuple[str, list[int]]:
    """Return a formula with the signs of a textbook replaced by operators of Python.

    The letters of names are not changed.

    Args:
        text: One line.

    Returns:
        The line, and the position in `text` of each of its characters and of its end.

    Examples:
        >>> in_ascii("3×a² − w₁")[0], in_ascii("a²b")[0]
        ('3*a**2 - w1', 'a**2 b')
    """
    out, columns = "", list[int]()
    for column, sign in enumerate(text):
        if sign in _SUPERSCRIPTS:  # the first superscript of a power contains the operator
            new = _SUPERSCRIPTS[sign] if text[column - 1 : column] in _SUPERSCRIPTS else f"**{_SUPERSCRIPTS[sign]}"
            after = text[column + 1 : column + 2]
            if after not in _SUPERSCRIPTS and (after.isalnum() or after in tuple("_.√")):
                new += " "  # otherwise, x²3 would be x**23
        elif sign == "√" and text[column + 1 :].lstrip().startswith("("):
            new = "sqrt"
        else:
            new = _read(sign, out)
        out += new
        columns += [column] * len(new)
    return out, [*columns, len(text)]


def _read(sign: str, before: str) -> str:
    """Return what a character stands for after the given text, whose signs are already replaced."""
    if sign.isascii():
        return sign
    if sign in SIGNS:
        return SIGNS[sign]
    if sign in _SUBSCRIPTS:
        return _SUBSCRIPTS[sign] if _NAME_AT_END.search(before) else sign
    if "！" <= sign <= "～" or unicodedata.category(sign) == "Zs":  # full-width characters and spaces
        return unicodedata.normalize("NFKC", sign)
    return sign
