"""How a picture writes numbers, names and expressions: short, and never another thing than what is there."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextvars import Context
from typing import Any

from tinygraph.engine.graph import Node

SPEC = ".4g"  # of numbers
NAME = 24  # characters of a name; the whole one is in the tooltip
SHORT = 12  # of one within an expression or a derivative
LONGEST = 60  # of an expression
EXACT = 7  # of a number that stands in the program
TERMS = 4  # of a sum that is written out
ENTRIES = 4  # arrays of so many entries are written out
Quantity = Any  # a float, an array of NumPy, or one of a library that only duck typing describes; or a Jacobian
Operand = Any  # a node, or a plain number or array
_NO_SIGNS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")  # what no engine, no XML can show


def clean(text: str) -> str:
    """The text without signs that nothing can show; they become U+FFFD."""
    return _NO_SIGNS.sub("\ufffd", text)


def number(x: float, spec: str = ".4g") -> str:
    """A number as a picture shows it: four digits, no negative zero, nan and infinity in words.

    >>> number(-0.0), number(1 / 3), number(float("-inf"))
    ('0', '0.3333', '-inf')
    """
    text = format(x, spec)
    return text.replace("-", "", 1) if text.startswith("-") and not text.strip("-0.e+") else text


def exact(x: Quantity, spec: str = ".4g") -> str:
    """A number of the program: as it stands there where that is short.

    >>> exact(1.0001), exact(1 / 3)
    ('1.0001', '0.3333')
    """
    if shape(x) is None and len(repr(float(x))) <= EXACT and spec == SPEC and float(number(x)) != x:
        return repr(float(x))
    return quantity(x, spec)


def shape(data: Quantity) -> tuple[int, ...] | None:
    """The shape of an array; None for a number, and for an array that is one number.

    >>> shape(2.0)
    """
    found = getattr(data, "shape", None)
    return None if found is None or (not found and is_here(data)) else found


def is_here(data: Quantity) -> bool:
    """Whether the entries are known without computing anything."""
    return type(data).__module__.partition(".")[0] == "numpy"


def is_short(data: Quantity) -> bool:
    """Whether it is an array of so few entries that they are written out."""
    return is_here(data) and 0 < data.size <= ENTRIES and len(_entries(data.tolist(), ".4g")) <= NAME


def quantity(data: Quantity, spec: str = ".4g") -> str:
    """A number, a short array, or the shape of a longer one.

    >>> import numpy as np
    >>> quantity(2.0), quantity(np.array([1.0, 2.0])), quantity(np.zeros((2, 3)))
    ('2', '[1, 2]', '(2, 3)')
    """
    if shape(data) is None:
        return number(float(data), spec)
    return _entries(data.tolist(), spec) if is_short(data) else dimensions(data)


def full(data: Quantity) -> str:
    """Return a value with all its digits: a number, a short array, or the shape of a longer one.

    >>> full(2.0), full(1 / 3)
    ('2.0', '0.3333333333333333')
    """
    if shape(data) is None:
        return repr(float(data))
    return str(data.tolist()) if is_short(data) else quantity(data)


def dimensions(data: Quantity) -> str:
    """The shape of an array, as Python writes it."""
    return str(tuple(data.shape))


def _entries(entries: Quantity, spec: str) -> str:
    if isinstance(entries, list):
        return f"[{', '.join(_entries(entry, spec) for entry in entries)}]"
    return number(entries, spec)


def spread(data: Quantity, spec: str = ".4g") -> str:
    """The smallest, the largest and the mean entry of a longer array; "" where there is nothing to say.

    >>> import numpy as np
    >>> spread(np.arange(6.0))
    '0 … 5, mean 2.5'
    """
    if shape(data) is None or not is_here(data) or not data.size or is_short(data):
        return ""
    low, high, mean = (number(float(x), spec) for x in (data.min(), data.max(), data.mean()))
    return f"all {low}" if low == high else f"{low} … {high}, mean {mean}"


def factor(text: str) -> str:
    """In parentheses where a sign would run into another."""
    return f"({text})" if text.startswith("-") else text


def cut(name: str, length: int = NAME) -> str:
    """A long name, its middle left out.

    >>> cut("abcdefghijkl", 8)
    'abcd…jkl'
    """
    if len(name) <= length:
        return name
    return f"{name[: length // 2]}…{name[len(name) - (length - 1) // 2 :]}"


def mention(name: str) -> str:
    """A name within an expression: short, and in quotes where it looks like an expression itself.

    >>> mention("w1"), mention("x + 1")
    ('w1', '‘x + 1’')
    """
    short = cut(name, SHORT)
    return f"‘{short}’" if re.search(r"[\s+*/=(),·×-]", short) else short


def stem(name: str) -> str:
    """A name without its numbers.

    >>> stem("w12")
    'w#'
    """
    return re.sub("[0-9]+", "#", name)


def label(node: Operand, spec: str = ".4g", depth: int = 2) -> str:
    """What stands for an operand in an expression: its name, its number, or in turn its expression.

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
    """How the node was computed, in the names of its operands; "" for a leaf.

    >>> from tinygraph import Value
    >>> a, b = Value(2.0, "a"), Value(3.0, "b")
    >>> expression((a - b) * -1.0), expression(a - (b - a)), expression((a + b).exp())
    ('(a - b) × (-1)', 'a - (b - a)', 'exp(a + b)')
    """
    text = written(node, lambda operand: label(operand, spec, depth - 1)) if node.op else ""
    return cut(re.sub(" +", " ", text), LONGEST)


def written(node: Node, say: Callable[[Operand], str]) -> str:
    """The op of a node over what `say` says of its operands, in parentheses where they are needed."""
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


def headline(node: Node) -> str:
    """The name of a node and how it was computed, whichever there is: "u = b × c"."""
    return " = ".join(filter(None, [cut(node.name), expression(node)]))


def local(node: Node, local: Quantity, spec: str = ".4g") -> str:
    """A slope in words: a number, a shape, or what the adjoint of wiring does."""
    if not hasattr(local, "text"):
        return quantity(local, spec)
    names = [label(operand, spec, 1) for operand in node.args]
    return str(local.text(*[f"({name})" if " " in name and name[0] not in "([" else name for name in names]))


def mapped(note: str, upstream: str) -> str:
    """What the adjoint of wiring makes of an upstream gradient.

    >>> mapped("· @ X.T", "dJ/dZ"), mapped(".T", "dJ/dZ"), mapped("summed to ()", "dJ/dZ")
    ('dJ/dZ @ X.T', 'dJ/dZ.T', 'dJ/dZ, summed to ()')
    """
    if "·" in note:
        return note.replace("·", upstream)
    return f"{upstream}{note}" if note.startswith(".") else f"{upstream}, {note}"


def derivative(root: Node, node: Node, style: str) -> str:
    """How the derivative of the root with respect to a node is written: "dJ/dv", or as in the lecture's code "dv"."""
    name = mention(node.name)
    return f"d{name}" if style == "dv" else f"d{mention(root.name)}/d{name}"


def called(node: Node) -> str:
    """How a node is called in a sentence: by its name, or by how it was computed."""
    text = label(node)
    return text if node.name or text.isalnum() else f"({text})"


def derivative_of(root: Node, node: Node, seed: Quantity = 1.0) -> str:
    """How the derivative of the root with respect to a node is called; a seed other than 1 stands before it.

    >>> from tinygraph import Value
    >>> b = Value(3.0, "b")
    >>> derivative_of(b, b), derivative_of(b * b, b, 2.0)
    ('db/db', '2 · d(b × b)/db')
    """
    named = bool(root.name and node.name)
    name = derivative(root, node, "dJ/dv") if named else f"d{called(root)}/d{called(node)}"
    return f"{factor} · {name}" if (factor := seed_factor(seed)) else name


def seed_factor(seed: Quantity, spec: str = SPEC) -> str:
    """What stands before each derivative of a pass: its seed, or "" where that is 1."""
    if shape(seed) is not None:
        return "seed"
    return "" if seed is None or float(seed) == 1.0 else factor(quantity(seed, spec))


def formula(node: Node, slot: int) -> str:
    """The slope of a node with respect to an operand, in the names of the operands; "" for wiring.

    >>> from tinygraph import Value
    >>> b, c = Value(3.0, "b"), Value(2.0, "c")
    >>> formula(b * c, 0), formula((b * c).exp(), 0)
    ('c', 'exp(b × c)')
    """
    op = node.op
    if op is None or op.variadic or not op.elementwise:
        return ""
    wanted = [k == slot for k in range(len(node.args))]
    local = Context().run(op.partials_at, node, node.args, wanted)[slot]  # nobody watches what is recorded here
    return label(local, depth=3)
