"""Text set as in a textbook: names with an index below the line, Greek letters, and long formulas on several lines."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise

MOST_TEXTS = 4096  # maximum number of texts that are remembered, because large graphs repeat expressions
NODE = 40  # width of a line in a box of a diagram, in characters
_BELOW = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_LETTERS_BELOW = {"i": "ᵢ", "j": "ⱼ", "k": "ₖ", "m": "ₘ", "n": "ₙ", "t": "ₜ"}
_WORDS = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho sigma tau upsilon phi chi "
    "psi omega"
)
_GREEK = dict(zip(_WORDS.split(), "αβγδεζηθικλμνξοπρστυφχψω", strict=True))
_GREEK |= {word.capitalize(): _GREEK[word].upper() for word in ("gamma", "delta", "theta", "lambda", "sigma", "omega")}
# A name in a formula, perhaps after the d or ∂ of a derivative. Next to a sign as in <lambda>, it does not change.
_NAME = re.compile(
    r"""(?<![\w.<:;'"{$#@!?&%\\‘…])(d|∂)?"""
    r"""([A-Za-z]+?)(?:_?([0-9]+)|_([ijkmnt]))?(?![A-Za-z0-9_(:>'"…’])"""
)
_RAISED = re.compile("⁽.*?⁾|[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_LOWERED = str.maketrans("⁽⁾⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "()-0123456789")
_FUNCTIONS = {"σ": "sigmoid", "Φ": "Phi", "φ": "phi", "ψ": "digamma", "Γ": "gamma"}
_PLAIN = str.maketrans(
    {
        "ᵀ": ".T",
        "⊙": "*",
        "×": "*",
        "·": ".",
        "≤": "<=",
        "≠": "!=",
        "∂": "d",
        "π": "pi",
        "∞": "inf",
        "⌊": "floor(",
        "⌋": ")",
        "⌈": "ceil(",
        "⌉": ")",
        "√": "sqrt",
        "∛": "cbrt",
        "′": "'",
        "″": "''",
        "‴": "'''",
        **{chr(0x2080 + i): str(i) for i in range(10)},
    }
)
_BREAK = re.compile(r"(?<=[^ (]) (?=[+×·⊙=-] )|(?<=,) ")


@lru_cache(maxsize=MOST_TEXTS)
def typeset(text: str) -> str:
    """Return text with its names set as in a textbook. Names of functions, and other names, do not change.

    Args:
        text: Name or formula.

    Returns:
        The text, in which `w_1` and `w1` are w₁, and `sigma` is σ.

    Examples:
        >>> typeset("w1"), typeset("w_12"), typeset("sigma"), typeset("x_i"), typeset("atan2(b1, dtheta)")
        ('w₁', 'w₁₂', 'σ', 'xᵢ', 'atan2(b₁, dθ)')
        >>> typeset("dJ/dw1 · ∂z/∂w1"), typeset("learning_rate"), typeset("2.5e10")
        ('dJ/dw₁ · ∂z/∂w₁', 'learning_rate', '2.5e10')
    """
    return _NAME.sub(_typeset_name, text)


def _typeset_name(match: re.Match[str]) -> str:
    sign, name, digits, letter = match.groups()
    if sign == "d" and f"d{name}" in _GREEK:  # delta is a name, not the derivative of elta
        sign, name = None, f"d{name}"
    below = (digits or "").translate(_BELOW) + _LETTERS_BELOW.get(letter or "", "")
    return f"{sign or ''}{_GREEK.get(name, name)}{below}"


def in_ascii(text: str) -> str:
    """Return a formula with signs and function names that every terminal can show.

    Args:
        text: Formula.

    Returns:
        The formula, such as "1 - tanh^2(x)". Other characters do not change.

    Examples:
        >>> in_ascii("1 - tanh²(x)"), in_ascii("√x + σ(z)σ(-z)"), in_ascii("wᵀ · X ⊙ c"), in_ascii("pow⁽²,¹⁾(x, y)")
        ('1 - tanh^2(x)', 'sqrt(x) + sigmoid(z)sigmoid(-z)', 'w.T . X * c', 'pow^(2,1)(x, y)')
    """
    text = re.sub(r"√(\w+)", r"sqrt(\1)", re.sub(r"∛(\w+)", r"cbrt(\1)", text))
    text = _RAISED.sub(lambda match: f"^{match[0].translate(_LOWERED)}", text)
    return re.sub(r"[σΦφψΓ](?=[(′″‴^])", lambda match: _FUNCTIONS[match[0]], text).translate(_PLAIN)


@lru_cache(maxsize=MOST_TEXTS)
def wrapped(text: str, width: int = NODE) -> str:
    """Return a formula on several lines. A line starts with an operator, or after a comma.

    Args:
        text: Formula.
        width: Length of a line, in characters, as far as the formula can be broken. Defaults to 40.

    Returns:
        The lines, separated by newline characters.

    Examples:
        >>> print(wrapped("w1 × x1 + w2 × x2 + b", 12))
        w1 × x1
        + w2 × x2
        + b
    """
    if len(text) <= width:
        return text
    lines: list[str] = []
    for part in _pieces(text, width):
        if lines and len(lines[-1]) + 1 + len(part) <= width:
            lines[-1] += f" {part}"
        else:
            lines.append(part)
    return "\n".join(lines)


def _pieces(text: str, width: int) -> list[str]:
    """Return the parts of a formula between which a line can end: outside parentheses, and inside them if needed."""
    places = [(_rank(text, m.start()), m.start()) for m in _BREAK.finditer(text)]
    pieces = [text]
    for limit in sorted({rank for rank, _ in places}):
        if max(map(len, pieces)) <= width:
            break
        cuts = [-1, *[place for rank, place in places if rank <= limit], len(text)]
        pieces = [text[start + 1 : end] for start, end in pairwise(cuts)]
    return pieces


def _rank(text: str, place: int) -> tuple[int, bool]:
    """Return how deep a space is within parentheses, and whether an operator of a product follows."""
    return text.count("(", 0, place) - text.count(")", 0, place), text[place + 1 : place + 2] in tuple("×·⊙")
