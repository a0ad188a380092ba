"""Short and unambiguous notation for numbers, names and expressions in diagrams and text."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from tinygraph.engine.graph import Node
from tinygraph.engine.variadic import VariadicOp, cut_short
from tinygraph.explaining.textbook.forms import ATOM, PRODUCT, SUM, Text, fill, operations, uses
from tinygraph.explaining.textbook.remembering import remembered
from tinygraph.explaining.textbook.shortening import is_qualified, shortened

SPEC = ".4g"  # default format of numbers
NAME = 24  # maximum length of a name, in characters; the tooltip shows the full name
BRIEF = 8  # maximum length of an expression that a formula repeats
SHORT = 12  # maximum length of a name in an expression or a derivative
LINE = 80  # maximum length of an expression, in characters; a diagram wraps it after about 40 characters
DEEPEST = 8  # maximum number of levels of nested expressions
EXACT = 7  # maximum length of a literal that is shown with all digits
TERMS = 4  # maximum number of operands of a nested expression, and of terms of a long sum; the others become …
MOST_TERMS = 12  # maximum number of terms of a sum that fits
ENTRIES = 4  # maximum number of elements of an array that is shown in full
WIDE = (8, 40)  # the same in a line of text: maximum number of elements, and of characters
LONG = 20  # maximum number of terms of a sum whose first terms are shown
GAP = object()  # marks the terms that a long sum does not show
Quantity = Any  # a float, an array of NumPy or a similar library, or a Jacobian
Operand = Any  # a node, or a plain number or array
# Part of a name that differs: an index in brackets with the indexes after it, or a number with its separators.
_DIFFERENT = re.compile(
    r"\^?(?:\[[^][]*\0[^][]*\](?:\[[^][]*\])*|\([^()]*\0[^()]*\)|\{[^{}]*\0[^{}]*\})|(?:[^\w()[\]{}]|_)*\0"
)
_NO_SIGNS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")  # invalid in XML and in Graphviz


def clean(text: str) -> str:
    """Replace each character that cannot be displayed with U+FFFD.

    Args:
        text: Text to clean.

    Returns:
        The text.
    """
    return _NO_SIGNS.sub("\ufffd", text)


def number(x: float, spec: str = ".4g") -> str:
    """Return a number as text. By default, the text has four significant digits. Negative zero becomes 0.

    Args:
        x: Number; NaN and infinities are allowed.
        spec: Format, as for `format`. Defaults to ".4g".

    Returns:
        The text.

    Examples:
        >>> number(-0.0), number(1 / 3), number(float("-inf"))
        ('0', '0.3333', '-inf')
    """
    text = format(x, spec)
    return text.replace("-", "", 1) if text.startswith("-") and not text.strip("-0.e+") else text


def exact(x: Quantity, spec: str = ".4g") -> str:
    """Return a literal from the user's program as text. A short literal keeps all its digits.

    Args:
        x: Number or array.
        spec: Format of a longer number. Defaults to ".4g".

    Returns:
        The text.

    Examples:
        >>> exact(1.0001), exact(1 / 3)
        ('1.0001', '0.3333')
    """
    if shape(x) is None and len(repr(float(x))) <= EXACT and spec == SPEC and float(number(x)) != x:
        return repr(float(x))
    return quantity(x, spec)


def shape(data: Quantity) -> tuple[int, ...] | None:
    """Return the shape of an array.

    Args:
        data: Float or array.

    Returns:
        The shape, or None for a float or a NumPy array of shape ().

    Examples:
        >>> shape(2.0)
    """
    found = None if type(data) is float else getattr(data, "shape", None)
    return None if found is None or (not found and is_here(data)) else found


def is_here(data: Quantity) -> bool:
    """Return whether a value comes from NumPy. If it does, its elements can be read without a computation.

    Args:
        data: Float or array.

    Returns:
        True for a NumPy array or a NumPy number. False for a Python float, or for an array of another library, such
        as a dask array that is not computed yet.
    """
    return type(data).__module__.partition(".")[0] == "numpy"


def is_short(data: Quantity, most: tuple[int, int] = (ENTRIES, NAME)) -> bool:
    """Return whether a value is an array that diagrams show in full.

    Args:
        data: Float or array.
        most: Maximum number of elements, and of characters. Defaults to those of a diagram.

    Returns:
        True if the value is a short array.
    """
    return is_here(data) and 0 < data.size <= most[0] and len(_entries(data.tolist(), ".4g")) <= most[1]


def quantity(data: Quantity, spec: str = ".4g") -> str:
    """Return a value as text: the number, the elements of a short array, or the shape of a longer array.

    Args:
        data: Float or array.
        spec: Format of numbers. Defaults to ".4g".

    Returns:
        The text.

    Examples:
        >>> import numpy as np
        >>> quantity(2.0), quantity(np.array([1.0, 2.0])), quantity(np.zeros((2, 3)))
        ('2', '[1, 2]', '(2, 3)')
    """
    if type(data) is float or shape(data) is None:
        return number(float(data), spec)
    return _entries(data.tolist(), spec) if is_short(data) else dimensions(data)


def in_line(data: Quantity, spec: str = ".4g") -> str:
    """Return a value in a line of text, which has room for more elements of an array than a diagram.

    Args:
        data: Float or array.
        spec: Format of numbers. Defaults to ".4g".

    Returns:
        The text.

    Examples:
        >>> import numpy as np
        >>> in_line(np.array([[1 / 3, 0.25, -1 / 6]])), in_line(np.zeros((2, 30)))
        ('[[0.3333, 0.25, -0.1667]]', '(2, 30)')
    """
    return _entries(data.tolist(), spec) if is_short(data, WIDE) else quantity(data, spec)


def only_shape(data: Quantity) -> bool:
    """Return whether `in_line` shows the shape of a value instead of its elements.

    Args:
        data: Float or array.

    Returns:
        True for a longer array.
    """
    return shape(data) is not None and not is_short(data, WIDE)


def full(data: Quantity) -> str:
    """Return a value as text: a number or a short array with all digits, or the shape of a longer array.

    Args:
        data: Float or array.

    Returns:
        The text.

    Examples:
        >>> full(2.0), full(1 / 3)
        ('2.0', '0.3333333333333333')
    """
    if shape(data) is None:
        return repr(float(data))
    return str(data.tolist()) if is_short(data) else quantity(data)


def dimensions(data: Quantity) -> str:
    """Return the shape of an array in Python's notation.

    Args:
        data: Array.

    Returns:
        The text.
    """
    return str(tuple(data.shape))


def _entries(entries: Quantity, spec: str) -> str:
    if isinstance(entries, list):
        return f"[{', '.join(_entries(entry, spec) for entry in entries)}]"
    return number(entries, spec)


def spread(data: Quantity, spec: str = ".4g") -> str:
    """Return the minimum, the maximum and the mean of a longer array as text.

    Args:
        data: Float or array.
        spec: Format of numbers. Defaults to ".4g".

    Returns:
        The text, or "" for a float or a short array.

    Examples:
        >>> import numpy as np
        >>> spread(np.arange(6.0))
        '0 … 5, mean 2.5'

    A mean that is smaller than the rounding errors of its terms is not distinguishable from 0:

        >>> spread(np.array([0.1, 0.2, 0.3, -0.3, -0.2, -0.1 + 1e-17]) * 1.1)
        '-0.33 … 0.33, mean ≈ 0'
    """
    if shape(data) is None or not is_here(data) or not data.size or is_short(data):
        return ""
    low, high, mean = (float(x) for x in (data.min(), data.max(), data.mean()))
    if number(low, spec) == number(high, spec):
        return f"all {number(low, spec)}"
    noise = 0.0 < abs(mean) < sys.float_info.epsilon * max(abs(low), abs(high))  # what rounding leaves of a mean of 0
    return f"{number(low, spec)} … {number(high, spec)}, mean {'≈ 0' if noise else number(mean, spec)}"


def factor(text: str) -> str:
    """Return a factor of a product, in parentheses if the factor starts with a minus sign.

    Args:
        text: Factor as text.

    Returns:
        The text.
    """
    return f"({text})" if text.startswith("-") else text


def product(
    upstream: Quantity, local: Quantity, spec: str = ".4g", say: Callable[[Quantity, str], str] = quantity
) -> str:
    """Return the product of two values as text. A product of arrays is elementwise, and is written with ⊙.

    Args:
        upstream: Float or array.
        local: Float or array.
        spec: Format of numbers. Defaults to ".4g".
        say: Function that returns the text of a factor. Defaults to `quantity`.

    Returns:
        The text.

    Examples:
        >>> product(3.0, -2.0)
        '3 × (-2)'
    """
    sign = " ⊙ " if shape(upstream) and shape(local) else " × "
    return sign.join([factor(say(x, spec)) for x in (upstream, local)])


def cut(name: str, length: int = NAME) -> str:
    """Return a name. If the name is too long, replace its middle with an ellipsis.

    If that would leave a bracket without its partner, the contents of brackets become an ellipsis. A qualified name
    loses whole parts, and keeps the first one and the last ones.

    Args:
        name: Name to shorten.
        length: Maximum number of characters. Defaults to 24.

    Returns:
        The name.

    Examples:
        >>> cut("abcdefghijkl", 8)
        'abcd…jkl'
        >>> cut("cross_entropy(A, [[0, 1]])", 20), cut("encoder.layers.0.self_attn.weight")
        ('cross_entropy(…)', 'encoder…self_attn.weight')
    """
    return name if len(name) <= length else shortened(name, length)


def mention(name: str) -> str:
    """Return a name as it appears in an expression.

    The name is shortened, and is put in quotes if it looks like an expression. A qualified name, such as that of a
    parameter of a model, can be longer than other names, because its parts have a meaning.

    Args:
        name: Name of a node.

    Returns:
        The text.

    Examples:
        >>> mention("w1"), mention("W[0,1]"), mention("x + 1"), mention("layers.0.weight")
        ('w1', 'W[0,1]', '‘x + 1’', 'layers.0.weight')
    """
    short = cut(name, NAME if is_qualified(name) else SHORT)
    bare = re.sub(r"\[[0-9]+(, ?[0-9]+)*\]", "", short)  # an index does not make a name an expression
    return f"‘{short}’" if re.search(r"[\s+*/=(),·×-]", bare) else short


def stem(name: str) -> str:
    """Return a name with each number replaced by #.

    Args:
        name: Name of a node.

    Returns:
        The text.

    Examples:
        >>> stem("w12")
        'w#'
    """
    return re.sub("[0-9]+", "#", name) if name else ""


def shared_name(names: Iterable[str]) -> str:
    """Return what several names have in common apart from a number or an index that differs.

    The indexes after an index that differs are left out too: the column W[0][2], W[1][2] is part of W, not of W[2].

    Args:
        names: Names of nodes.

    Returns:
        The common part, or "" if the names differ in more than numbers.

    Examples:
        >>> shared_name(["w1", "w2"]), shared_name(["W1[0,0]", "W1[0,1]"]), shared_name(["a", "b"])
        ('w', 'W1', '')
        >>> shared_name(["W[0][0]", "W[0][1]"]), shared_name(["W[0][2]", "W[1][2]"])
        ('W[0]', 'W')
    """
    different = set(names)
    if len(different) == 1:
        return different.pop()
    if len(set(map(stem, different))) != 1:
        return ""
    columns = [set(parts) for parts in zip(*[re.split("([0-9]+)", name) for name in different], strict=True)]
    text = "".join([parts.pop() if len(parts) == 1 else "\0" for parts in columns])
    return _DIFFERENT.sub("", text)


def label(node: Operand, spec: str = ".4g", width: int = LINE) -> Text:
    """Return the text of an operand in an expression: its name, its value, or its own expression.

    Args:
        node: Node, number or array.
        spec: Format of numbers. Defaults to ".4g".
        width: Maximum length of an expression, in characters. Defaults to 80.

    Returns:
        The text.

    Examples:
        >>> from tinygraph import Value
        >>> a, b = Value(2.0, "a"), Value(3.0, "b")
        >>> label(a), label(-1.5), label(3 * a + b)
        ('a', '-1.5', '3 × a + b')
    """
    simple = _simple(node, spec)
    return remembered(_fitted, node, spec, width, True) if simple is None else simple


def expression(node: Node, spec: str = ".4g", width: int = LINE, by_name: bool = False) -> str:
    """Return a node's op as an expression that uses the names of the operands.

    A longer expression is folded: first, a sum shows only its first two terms and its last term, and then the most
    deeply nested expressions become "…".

    Args:
        node: Node to describe.
        spec: Format of numbers. Defaults to ".4g".
        width: Maximum length of the expression, in characters. Defaults to 80.
        by_name: If true, a public op is written as a function call where its formula consists of several ops, such as
            `log_sigmoid`. Defaults to false.

    Returns:
        The expression, or "" for a leaf.

    Examples:
        >>> from tinygraph import Value
        >>> a, b = Value(2.0, "a"), Value(3.0, "b")
        >>> expression((a - b) * -1.0), expression(a - (b - a)), expression((a + b).exp())
        ('(a - b) × (-1)', 'a - (b - a)', 'exp(a + b)')
        >>> expression((a * b + a * a - b * b) / (a + b), width=20)
        '(… - …)/(a + b)'
    """
    return str(remembered(_fitted, node, spec, width, by_name)) if node.op else ""


def sum_of(terms: Sequence[Operand], spec: str = ".4g", width: int = LINE) -> str:
    """Return a sum as text. A long sum shows only its first two terms and its last term.

    Args:
        terms: Terms of the sum.
        spec: Format of numbers. Defaults to ".4g".
        width: Maximum length of the text, in characters. Defaults to 80.

    Returns:
        The text.

    Examples:
        >>> sum_of([1.0, -2.0, 3.0])
        '1 + (-2) + 3'
    """
    for most in (MOST_TERMS, TERMS - 1):
        shown = cut_short(terms, most, GAP)
        room = width // len(shown) - 3
        texts = ["…" if x is GAP else label(x, spec, room).within(PRODUCT if i else SUM) for i, x in enumerate(shown)]
        text = " + ".join(texts)
        if len(text) <= width:
            break
    return cut(text, width)


def _fitted(node: Node, spec: str, width: int, by_name: bool) -> Text:
    """Return the expression of a node, with as many levels of nested expressions as fit into the width."""
    best = _at_depth(node, spec, width, by_name, 1)
    if len(best) > width:
        best = _at_depth(node, spec, width, by_name, 0)
        return Text(cut(best, width), best.binds)
    for depth in range(2, DEEPEST):
        text = _at_depth(node, spec, width, by_name, depth)
        if text == best or len(text) > width:
            break
        best = text
    return best


def _at_depth(node: Node, spec: str, width: int, by_name: bool, depth: int) -> Text:
    """Return the expression of a node. If it is too long, sums show fewer terms."""
    text = Text("")
    nested = by_name or not (node.op and node.op.form)  # then it is also the text of an operand, which is remembered
    for terms in (MOST_TERMS, TERMS, TERMS - 1):
        if text and text.terms <= terms:  # the text would be the same
            continue
        if nested:
            text = remembered(_written_out, node, spec, depth, terms)
        else:
            text = _written(node, lambda operand: _nested(operand, spec, depth, terms), by_name, terms)  # noqa: B023
        if len(text) <= width:
            break
    return text


def _simple(node: Operand, spec: str) -> Text | None:
    """Return the text of a named node, of a leaf or of a number, or None for another node."""
    if not isinstance(node, Node):
        return _literal(node, spec) if type(node) is float else Text(exact(node, spec))
    if node.name:
        return Text(mention(node.name))
    return Text(quantity(node.raw, spec)) if node.op is None else None


@lru_cache(maxsize=1024)
def _literal(x: float, spec: str) -> Text:
    """Return the text of a number. Each number occurs in the expressions of many nodes, at several depths."""
    return Text(exact(x, spec))


def _nested(node: Operand, spec: str, depth: int, terms: int) -> Text:
    """Return the text of an operand, with at most `depth` levels of nested expressions."""
    simple = _simple(node, spec)
    if simple is not None:
        return simple
    if not depth or (len(node.args) > TERMS and not _adds(node)):
        return Text("…")
    return remembered(_written_out, node, spec, depth - 1, terms)


def _written_out(node: Node, spec: str, depth: int, terms: int) -> Text:
    """Return a node's op as text whose operands have at most `depth` levels of nested expressions."""
    return _written(node, lambda operand: _nested(operand, spec, depth, terms), True, terms)


def written(node: Node, say: Callable[[Operand], str]) -> Text:
    """Return a node's op as text, with parentheses where needed.

    The text is the formula that a textbook prints. A public op is written as a function call if the formula would
    repeat a literal number.

    Args:
        node: Node that is not a leaf.
        say: Function that returns the text of an operand.

    Returns:
        The expression.
    """
    return _written(node, say, False, TERMS)


def _written(node: Node, say: Callable[[Operand], str], by_name: bool, terms: int) -> Text:
    """Return a node's op as text. `terms` is the maximum number of terms of a sum."""
    op = node.op
    assert op is not None
    if _adds(node):
        return _sum(_terms(node), say, terms)
    operands = node.args
    texts = [say(operand) for operand in operands]
    longest = max([text.terms for text in texts if isinstance(text, Text)], default=0)
    named = op.public and op.symbol == op.name
    if not op.form:
        text = _with_symbol(node, texts)
    elif named and any(uses(op.form, slot) > 1 and not isinstance(x, Node) for slot, x in enumerate(operands)):
        text = Text(op.text(*texts))
    else:
        text = fill(op.form, [_bound(*pair) for pair in zip(texts, operands, strict=True)], elementwise=is_array(node))
        if named and by_name and (operations(op.form) > 1 or len(op.text(*texts)) < len(text)):
            text = Text(op.text(*texts))
    text = Text(re.sub(" +", " ", text), text.binds) if "  " in text else text
    return Text(text, text.binds, longest) if longest else text


def _sum(terms: list[Operand], say: Callable[[Operand], str], most: int) -> Text:
    """Return a sum as text. A sum of more than `most` terms shows only the first ones and the last one."""
    texts = [Text("…") if x is GAP else _bound(say(x), x) for x in cut_short(terms, most, GAP)]
    text = " + ".join([x.within(PRODUCT if i else SUM) for i, x in enumerate(texts)])
    return Text(text, SUM, max(len(terms), *[x.terms for x in texts]))


def _terms(node: Node) -> list[Operand]:
    """Return the terms of a sum, in order. Unnamed sums at the start of a sum are part of it.

    A sum of more than `LONG` terms starts with `GAP`: otherwise, the texts of n additions would take n² steps.
    """
    parts: list[Operand] = []
    while len(parts) < LONG:
        first, *rest = node.args
        parts += rest[::-1]
        if not isinstance(first, Node) or first.name or first.op is not node.op:
            return [first, *reversed(parts)]
        node = first
    return [GAP, parts[0]]


def _adds(node: Node) -> bool:
    op = node.op
    return op is not None and (op.symbol == "+" or (isinstance(op, VariadicOp) and op.joined == " + "))


def _with_symbol(node: Node, texts: list[str]) -> Text:
    """Return an op as text that contains the symbol of the op."""
    op, operands = node.op, node.args
    assert op is not None
    rank = op.precedence
    if rank:
        for slot, operand in enumerate(operands):
            known = texts[slot]
            inner = _bound(known, operand).binds
            if inner < rank or (inner == rank and slot) or known.startswith("-"):
                texts[slot] = f"({known})"
    text = op.text(*texts)
    if op.symbol == "×" and is_array(node) and all(shape(getattr(operand, "raw", operand)) for operand in operands):
        text = " ⊙ ".join(texts)
    return Text(text, rank or ATOM)


def _bound(text: str, operand: Operand) -> Text:
    """Return the text of an operand with its precedence."""
    if isinstance(text, Text):
        return text
    return Text(text, (operand.op.precedence or ATOM) if isinstance(operand, Node) and operand.op else ATOM)


def is_array(node: Node) -> bool:
    """Return whether a node contains an array, whose products are written with ⊙.

    Args:
        node: Node to check.

    Returns:
        True for an array that has axes.
    """
    return bool(shape(node.raw))


_SYMBOLS = {
    "sigmoid": "σ", "total": "Σ", "sum": "Σ", "dot": "Σ ×", "sqrt": "√", "neg": "-", "abs": "| |", "square": "²",
    "pow": "^", "transpose": "T", "index": "[ ]", "binary_cross_entropy": "cross-entropy",
    "binary_cross_entropy_with_logits": "cross-entropy of σ", "squared_error": "(-)²",
}  # fmt: skip


def symbol(node: Node) -> str:
    """Return a node's op as a symbol without operands.

    Args:
        node: Node to describe.

    Returns:
        The symbol, or "" for a leaf.

    Examples:
        >>> from tinygraph import Value
        >>> x = Value(2.0)
        >>> symbol(x), symbol(x * x), symbol(x.sigmoid()), symbol(x.exp())
        ('', '×', 'σ', 'exp')
    """
    op = node.op
    if op is None:
        return ""
    known = _SYMBOLS.get(op.name)
    return known or cut(op.name if "{}" in op.symbol else op.symbol, NAME)


def headline(node: Node) -> str:
    """Return a node's name and expression, such as "u = b × c".

    Args:
        node: Node to describe.

    Returns:
        The name, the expression, or both.
    """
    return " = ".join(filter(None, [cut(node.name), expression(node)]))


def called(node: Node) -> str:
    """Return a node's name for use in a sentence, or its expression if the node has no name.

    Args:
        node: Node to name.

    Returns:
        The text.
    """
    text = label(node, width=NAME)
    return text if node.name or (text.isascii() and text.isalnum()) else f"({text})"
