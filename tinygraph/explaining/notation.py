"""Short and unambiguous notation for numbers, names and expressions in diagrams and text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from contextvars import Context
from typing import Any

from tinygraph.engine.graph import Node
from tinygraph.engine.logits import plain

SPEC = ".4g"  # default format of numbers
NAME = 24  # maximum length of a name, in characters; the tooltip shows the full name
SHORT = 12  # maximum length of a name in an expression or a derivative
LONGEST = 60  # maximum length of an expression, in characters
EXACT = 7  # maximum length of a literal that is shown with all digits
TERMS = 4  # maximum number of operands; a nested expression with more operands appears as …
ENTRIES = 4  # maximum number of elements of an array that is shown in full
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
    found = getattr(data, "shape", None)
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


def is_short(data: Quantity) -> bool:
    """Return whether a value is an array that diagrams show in full.

    Args:
        data: Float or array.

    Returns:
        True if the value is a short array.
    """
    return is_here(data) and 0 < data.size <= ENTRIES and len(_entries(data.tolist(), ".4g")) <= NAME


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
    if shape(data) is None:
        return number(float(data), spec)
    return _entries(data.tolist(), spec) if is_short(data) else dimensions(data)


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
    """
    if shape(data) is None or not is_here(data) or not data.size or is_short(data):
        return ""
    low, high, mean = (number(float(x), spec) for x in (data.min(), data.max(), data.mean()))
    return f"all {low}" if low == high else f"{low} … {high}, mean {mean}"


def factor(text: str) -> str:
    """Return a factor of a product, in parentheses if the factor starts with a minus sign.

    Args:
        text: Factor as text.

    Returns:
        The text.
    """
    return f"({text})" if text.startswith("-") else text


def cut(name: str, length: int = NAME) -> str:
    """Return a name. If the name is too long, replace its middle with an ellipsis.

    Args:
        name: Name to shorten.
        length: Maximum number of characters. Defaults to 24.

    Returns:
        The name.

    Examples:
        >>> cut("abcdefghijkl", 8)
        'abcd…jkl'
    """
    if len(name) <= length:
        return name
    return f"{name[: length // 2]}…{name[len(name) - (length - 1) // 2 :]}"


def mention(name: str) -> str:
    """Return a name as it appears in an expression.

    The name is shortened, and is put in quotes if it looks like an expression.

    Args:
        name: Name of a node.

    Returns:
        The text.

    Examples:
        >>> mention("w1"), mention("W[0,1]"), mention("x + 1")
        ('w1', 'W[0,1]', '‘x + 1’')
    """
    short = cut(name, SHORT)
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
    return re.sub("[0-9]+", "#", name)


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


def label(node: Operand, spec: str = ".4g", depth: int = 2) -> str:
    """Return the text of an operand in an expression: its name, its value, or its own expression.

    Args:
        node: Node, number or array.
        spec: Format of numbers. Defaults to ".4g".
        depth: Maximum number of levels of nested expressions. Defaults to 2.

    Returns:
        The text.

    Examples:
        >>> from tinygraph import Value
        >>> a, b = Value(2.0, "a"), Value(3.0, "b")
        >>> label(a), label(-1.5), label(3 * a + b)
        ('a', '-1.5', '3 × a + b')
    """
    if not isinstance(node, Node):
        return exact(node, spec)
    if node.name:
        return mention(node.name)
    if node.op is None:
        return quantity(node.raw, spec)
    if not depth or len(node.args) > TERMS:
        return "…"
    return expression(node, spec, depth)


def expression(node: Node, spec: str = ".4g", depth: int = 2) -> str:
    """Return a node's op as an expression that uses the names of the operands.

    Args:
        node: Node to describe.
        spec: Format of numbers. Defaults to ".4g".
        depth: Maximum number of levels of nested expressions. Defaults to 2.

    Returns:
        The expression, or "" for a leaf.

    Examples:
        >>> from tinygraph import Value
        >>> a, b = Value(2.0, "a"), Value(3.0, "b")
        >>> expression((a - b) * -1.0), expression(a - (b - a)), expression((a + b).exp())
        ('(a - b) × (-1)', 'a - (b - a)', 'exp(a + b)')
    """
    text = written(node, lambda operand: label(operand, spec, depth - 1)) if node.op else ""
    return cut(re.sub(" +", " ", text), LONGEST)


def written(node: Node, say: Callable[[Operand], str]) -> str:
    """Return a node's op as text, with parentheses where needed.

    Args:
        node: Node that is not a leaf.
        say: Function that returns the text of an operand.

    Returns:
        The expression.
    """
    op = node.op
    assert op is not None
    rank = op.precedence
    texts = [say(operand) for operand in node.args]
    if rank:
        for slot, operand in enumerate(node.args):
            inner = operand.op.precedence if isinstance(operand, Node) and not operand.name and operand.op else 0
            if texts[slot].startswith("-") or 0 < inner < rank or (inner == rank and slot):
                texts[slot] = f"({texts[slot]})"
    return op.short_text(*texts)


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


def local(node: Node, local: Quantity, spec: str = ".4g") -> str:
    """Return a local derivative as text: a number, a shape, or the description of a pullback.

    Args:
        node: Result of the op.
        local: Local derivative with respect to one of the op's operands.
        spec: Format of numbers. Defaults to ".4g".

    Returns:
        The text.
    """
    if not hasattr(local, "text"):
        return quantity(local, spec)
    names = [label(operand, spec, 1) for operand in node.args]
    return str(local.text(*[f"({name})" if " " in name and name[0] not in "([" else name for name in names]))


def mapped(note: str, upstream: str) -> str:
    """Return the text of a pullback that is applied to an upstream gradient.

    Args:
        note: Description of the pullback.
        upstream: Text of the upstream gradient.

    Returns:
        The text.

    Examples:
        >>> mapped("· @ X.T", "dJ/dZ"), mapped(".T", "dJ/dZ"), mapped("summed to ()", "dJ/dZ")
        ('dJ/dZ @ X.T', 'dJ/dZ.T', 'dJ/dZ, summed to ()')
    """
    if "·" in note:
        return note.replace("·", upstream)
    return f"{upstream}{note}" if note.startswith(".") else f"{upstream}, {note}"


def derivative(root: Node, node: Node, style: str) -> str:
    """Return the derivative of the root with respect to a node, in symbols.

    Args:
        root: Node that is differentiated.
        node: Node to differentiate with respect to.
        style: Notation of the derivative: "dJ/dv", or "dv", as in the lecture's code.

    Returns:
        The symbol.
    """
    name = mention(node.name)
    return f"d{name}" if style == "dv" else f"d{mention(root.name)}/d{name}"


def called(node: Node) -> str:
    """Return a node's name for use in a sentence, or its expression if the node has no name.

    Args:
        node: Node to name.

    Returns:
        The text.
    """
    text = label(node)
    return text if node.name or text.isalnum() else f"({text})"


def derivative_of(root: Node, node: Node, seed: Quantity = 1.0) -> str:
    """Return the derivative of the root with respect to a node, in symbols.

    A seed other than 1 appears as a factor.

    Args:
        root: Node that is differentiated.
        node: Node to differentiate with respect to.
        seed: Upstream gradient of the root. Defaults to 1.

    Returns:
        The text.

    Examples:
        >>> from tinygraph import Value
        >>> b = Value(3.0, "b")
        >>> derivative_of(b, b), derivative_of(b * b, b, 2.0)
        ('db/db', '2 · d(b × b)/db')
    """
    named = bool(root.name and node.name)
    name = derivative(root, node, "dJ/dv") if named else f"d{called(root)}/d{called(node)}"
    return f"{factor} · {name}" if (factor := seed_factor(seed)) else name


def seed_factor(seed: Quantity, spec: str = SPEC) -> str:
    """Return the factor that a seed contributes to each derivative of a pass.

    Args:
        seed: Upstream gradient of the root.
        spec: Format of numbers. Defaults to ".4g".

    Returns:
        The text, or "" if the seed is 1 or None.
    """
    if shape(seed) is not None:
        return "seed"
    return "" if seed is None or float(seed) == 1.0 else factor(quantity(seed, spec))


def formula(node: Node, slot: int) -> str:
    """Return a node's local derivative as a formula that uses the names of the operands.

    Args:
        node: Node that is not a leaf.
        slot: Index of the operand to differentiate with respect to.

    Returns:
        The formula, or "" if the op is variadic or not elementwise.

    Examples:
        >>> from tinygraph import Value
        >>> b, c = Value(3.0, "b"), Value(2.0, "c")
        >>> formula(b * c, 0), formula((b * c).exp(), 0)
        ('c', 'exp(b × c)')
    """
    op = node.op
    if op is None or op.variadic or not op.elementwise:
        return ""
    wanted = [k == slot for k in range(len(node.args))]
    local = Context().run(op.partials_at, node, node.args, wanted)[slot]  # hides the call from active contexts
    return label(plain(local), depth=3)
