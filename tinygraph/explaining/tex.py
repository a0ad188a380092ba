r"""Formulas as LaTeX: the notation of diagrams and steps, such as `w.T @ X` or `x**2`, as `w^{T} \, X` and `x^{2}`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_GREEK_NAMES = (
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi "
    "omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
)
_GREEK = dict(zip("αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ", _GREEK_NAMES.split(), strict=True))
_FUNCTIONS = {"exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "max", "min", "det"}
_ABOVE = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺ᵀ⁽⁾", "0123456789-+T()", strict=True))
_BELOW = dict(zip("₀₁₂₃₄₅₆₇₈₉ᵢⱼₖₘₙₜ", "0123456789ijkmnt", strict=True))
_PRIMES = {"'": "'", "′": "'", "″": "''", "‴": "'''"}
_ROOTS = {"√": r"\sqrt", "∛": r"\sqrt[3]"}
_ESCAPED = {"\\": r"\backslash ", "^": r"\hat{}", "~": r"\sim ", **{sign: f"\\{sign}" for sign in "_#$%&{}"}}
_MATH = _ESCAPED | {
    "×": r"\times ", "·": r"\cdot ", "⊙": r"\odot ", "…": r"\ldots ", "∂": r"\partial ", "∞": r"\infty ",
    "≤": r"\leq ", "≥": r"\geq ", "≠": r"\neq ", "⌊": r"\lfloor ", "⌋": r"\rfloor ", "⌈": r"\lceil ",
    "⌉": r"\rceil ",
}  # fmt: skip
_MATH |= _PRIMES | {sign: f"{root}{{}}" for sign, root in _ROOTS.items()}
_SIGNS = _MATH | {"@": r"\, ", "*": r"\ast ", "->": r"\to "}
_UPRIGHT = (
    _MATH
    | {sign: rf"\{name} " for sign, name in _GREEK.items()}
    | {sign: f"{{}}^{{{raised}}}" for sign, raised in _ABOVE.items()}
    | {sign: f"{{}}_{{{lowered}}}" for sign, lowered in _BELOW.items()}
    | {" ": r"\ "}
)
_RAISED, _LOWERED = "".join(_ABOVE), "".join(_BELOW)
_QUOTED = "‘[^’]*’"
_WORD = rf"[^\W\d_{_RAISED}{_LOWERED}][^\W{_RAISED}{_LOWERED}]*"
_TOKEN = re.compile(
    rf"""(?P<quoted>{_QUOTED})
    |(?P<above>⁽[{_RAISED},]+⁾|[{_RAISED}]+|(?:\.T\b)+)
    |(?P<below>[{_LOWERED}]+)
    |(?P<number>\d+(?:\.\d+)?(?:e[+-]?\d+)?)
    |(?P<word>{_WORD})
    |(?P<space>[ ]+)
    |(?P<sign>->|.)""",
    re.VERBOSE | re.DOTALL,
)
# A function that is raised as a whole, as in 2^f(x), or another operand of ^ or √ without brackets
_OPERAND = re.compile(
    rf"(?P<call>{_WORD}[{_LOWERED}]*(?:['′″‴]|⁽[{_RAISED},]+⁾)*(?=[(\[]))"
    rf"|{_QUOTED}|{_WORD}[{_LOWERED}]*|-?\d*\.?\d+(?:e[+-]?\d+)?"
)
_SET_UPRIGHT = r"\\mathrm\{(?:[^{}\\]|\\.|\{[^{}]*\})*\}"
_WORDS = re.compile(rf"{_SET_UPRIGHT}(?:\\ {_SET_UPRIGHT})+")
_OPERATORS = "+-*/·×⊙^,=<>≤≥≠√∛"


class _Token(NamedTuple):
    """A part of a formula."""

    kind: str
    text: str


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
    out, tokens, raised = "", list(_tokens(text)), -1  # raised: where the last superscript ends
    for before, token, after in zip([None, *tokens], tokens, [*tokens[1:], None], strict=False):
        kind, found = token
        if kind in ("above", "power"):
            out += r"(\cdot)" if before is None else "{}" * (raised == len(out))
            out += f"^{{{_superscript(found)}}}"
            raised = len(out)
        elif kind == "space":
            out += r"\ " if _is_operand(before, ")]") and _is_operand(after, "([") else " "
        elif kind == "below":
            out += "{}" * out.endswith("}") + f"_{{{''.join(_BELOW[sign] for sign in found)}}}"
        elif kind == "root":
            out += f"{_ROOTS[found[0]]}{{{tex(_bare(found[1:]))}}}"
        elif kind == "number":
            mantissa, e, exponent = found.partition("e")
            out += rf"{mantissa} \times 10^{{{int(exponent)}}}" if e else found
        elif kind == "word":
            called = after and (after.text[0] == "(" or after.kind in ("above", "below", "power"))
            out += rf"\{found}" if found in _FUNCTIONS and called else _word(found)
        elif kind == "quoted":
            out += _upright(found[1:-1])
        else:
            out += "{}" * (found in _PRIMES and raised == len(out)) + _SIGNS.get(found, found)
    out = _WORDS.sub(lambda match: match[0].replace(r"}\ \mathrm{", r"\ "), out)
    return re.sub(r"(\\[a-zA-Z]+|\\,) +", r"\1 ", out).strip()


def _tokens(text: str) -> Iterator[_Token]:
    """Yield the parts of a formula. A root, and a power's sign with its exponent, are one part."""
    at, before = 0, None
    while at < len(text):
        start = at + (2 if text.startswith("**", at) else 1)
        raises = text[at:start] in ("^", "**") and (before is None or _is_operand(before, ")]}|⌋⌉'′″‴"))
        end = _end(text, start) if raises or text[at] in _ROOTS else start
        if end > start:
            before = _Token("power" if raises else "root", text[at:end])
        else:
            match = _TOKEN.match(text, at)
            assert match
            assert match.lastgroup
            before, end = _Token(match.lastgroup, match[0]), match.end()
        yield before
        at = end


def _end(text: str, at: int) -> int:
    """Return where the operand of a power or a root ends that starts at the given place, or the place if none does."""
    if text[at : at + 1] in _ROOTS:
        return _end(text, at + 1)
    if match := _OPERAND.match(text, at):
        return max(_closing(text, match.end()), match.end()) if match["call"] else match.end()
    return _closing(text, at) if text[at : at + 1] in ("(", "|", "⌊", "⌈") else at


def _closing(text: str, start: int) -> int:
    """Return the place after the bracket that closes the one at the given place, or the place if none does."""
    depth, starts = 0, True  # starts: an operand can start here, so that | opens a pair
    for match in re.compile(rf"{_QUOTED}|.", re.DOTALL).finditer(text, start):
        sign = match[0]
        opens = sign in "([⌊⌈" or (sign == "|" and starts)
        depth += opens - (sign in ")]⌋⌉" or (sign == "|" and not starts))
        if depth <= 0:
            return match.end()
        starts = opens or sign in _OPERATORS or (starts and sign == " ")
    return start


def _bare(operand: str) -> str:
    """Return an operand without its parentheses."""
    return operand[1:-1] if operand[:1] == "(" and operand[-1:] == ")" else operand


def _is_operand(token: _Token | None, brackets: str) -> bool:
    """Return whether a token is a part of a text or an operand, so that a space next to it is not math."""
    kinds = ("word", "number", "quoted", "above", "below", "power", "root")
    return token is not None and (token.kind in kinds or token.text in brackets)


def _superscript(found: str) -> str:
    if found[0] in "^*":
        return tex(_bare(found.lstrip("^*")))
    return found.replace(".", "") if found[0] == "." else "".join(_ABOVE.get(sign, sign) for sign in found)


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
