r"""Formulas as LaTeX: the notation of diagrams and steps, such as `w.T @ X` or `x**2`, as `w^{T} \, X` and `x^{2}`."""

from __future__ import annotations

import re

_GREEK_NAMES = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi "
    "omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
)
_GREEK = dict(zip("αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ", _GREEK_NAMES.split(), strict=True))
_FUNCTIONS = {"exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "max", "min", "det"}
_ABOVE = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ᵀ", "0123456789-+T", strict=True))
_BELOW = dict(zip("₀₁₂₃₄₅₆₇₈₉ᵢⱼₖₘₙₜ", "0123456789ijkmnt", strict=True))
_ESCAPED = {"\\": r"\backslash ", "^": r"\hat{}", "~": r"\sim ", **{sign: f"\\{sign}" for sign in "_#$%&{}"}}
_SIGNS = _ESCAPED | {
    "×": r"\times ", "·": r"\cdot ", "⊙": r"\odot ", "@": r"\, ", "…": r"\ldots ", "∂": r"\partial ", "∞": r"\infty ",
    "*": r"\ast ", "->": r"\to ", "σ": r"\sigma ",
}  # fmt: skip
_UPRIGHT = _ESCAPED | {" ": r"\ ", "…": r"\ldots "} | {sign: rf"\{name} " for sign, name in _GREEK.items()}
_TOKEN = re.compile(
    rf"""(?P<quoted>‘[^’]*’)
    |(?P<above>[{"".join(_ABOVE)}]+|(?:\.T\b)+|\*\*-?[0-9.]+(?![\w.])|\*\*[A-Za-z](?!\w))
    |(?P<below>[{"".join(_BELOW)}]+)
    |(?P<number>\d+(?:\.\d+)?(?:e[+-]?\d+)?)
    |(?P<word>[^\W\d_{"".join(_ABOVE)}{"".join(_BELOW)}][^\W{"".join(_ABOVE)}{"".join(_BELOW)}]*)
    |(?P<space>[ ]+)
    |(?P<sign>->|.)""",
    re.VERBOSE | re.DOTALL,
)


def tex(text: str) -> str:
    r"""Return a formula as LaTeX, for math mode. MathJax and the mathtext of Matplotlib can show it, too.

    Args:
        text: Formula in the notation of diagrams and steps. It may contain words.

    Returns:
        The LaTeX code.

    Examples:
        >>> print(tex("w.T @ X"), tex("X⁻ᵀ"), tex("x_1 × 2.5e-05"), tex("learning_rate"), sep="   ")
        w^{T} \, X   X^{-T}   x_{1} \times 2.5 \times 10^{-5}   \mathrm{learning\_rate}
        >>> print(tex("upstream, summed to ()"))
        \mathrm{upstream}, \mathrm{summed\ to}\ ()
    """
    out, tokens = "", list(_TOKEN.finditer(text))
    for before, token, after in zip([None, *tokens], tokens, [*tokens[1:], None], strict=False):
        kind, found = token.lastgroup, token[0]
        if kind == "space":
            out += r"\ " if _is_operand(before, ")]") and _is_operand(after, "([") else " "
        elif kind == "above":
            out += (
                r"(\cdot)" if before is None else "{}" * bool(re.search(r"\^\{[^{}]*\}$", out))
            ) + f"^{{{_superscript(found)}}}"
        elif kind == "below":
            out += "{}" * out.endswith("}") + f"_{{{''.join(_BELOW[sign] for sign in found)}}}"
        elif kind == "number":
            mantissa, e, exponent = found.partition("e")
            out += rf"{mantissa} \times 10^{{{int(exponent)}}}" if e else found
        elif kind == "word":
            out += rf"\{found}" if found in _FUNCTIONS and after and after[0] == "(" else _word(found)
        else:
            out += _upright(found[1:-1]) if kind == "quoted" else _SIGNS.get(found, found)
    out = out.replace(r"}\ \mathrm{", r"\ ")
    return re.sub(r"(\\[a-zA-Z]+|\\,) +", r"\1 ", out).strip()


def _is_operand(token: re.Match[str] | None, brackets: str) -> bool:
    """Return whether a token is a part of a text or an operand, so that a space next to it is not math."""
    return token is not None and (token.lastgroup in ("word", "number", "quoted", "above") or token[0] in brackets)


def _superscript(found: str) -> str:
    if found.startswith("**"):
        return _GREEK.get(found[2:], found[2:])
    return found.replace(".", "") if found[0] == "." else "".join(_ABOVE[sign] for sign in found)


def _word(word: str) -> str:
    """Return a name: a letter, perhaps with an index, a function, or several letters in upright type."""
    name, index = word, ""
    if match := re.fullmatch(
        r"([^\W\d_]|alpha|beta|gamma|delta|theta|lambda|mu|sigma|omega)(?:_?(\d+)|_([^\W_]))", word
    ):
        name, index = match[1], match[2] or match[3]
    below = f"_{{{index}}}" if index else ""
    if name in _GREEK or name in _GREEK.values():
        return rf"\{_GREEK.get(name, name)}{below or ' '}"
    if name == "inf":
        return r"\infty "
    return f"{name}{below}" if len(name) == 1 else _upright(name)


def _upright(text: str) -> str:
    return rf"\mathrm{{{''.join(_UPRIGHT.get(sign, sign) for sign in text)}}}"
