"""Derivatives in symbols: total ones such as dJ/db, and local ones such as ∂u/∂b with their formulas."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextvars import Context

from tinygraph.engine.graph import Node
from tinygraph.engine.logits import ActivationOp, plain
from tinygraph.explaining import notation
from tinygraph.explaining.notation import Operand, Quantity
from tinygraph.explaining.textbook.forms import POWER, Text, fill, names_in, parsed, uses

MOST = 64  # maximum number of operands of an op whose local derivative is written as a formula
UPSTREAM = "\ue000"  # stands for the upstream gradient until the text of a pullback is complete
_ONE_TERM = re.compile(r"[^\Wᵀ]+|\[.*\]|\([^()]*\)")  # an upstream gradient that ᵀ and [ ] apply to as a whole
_LETTERS = "uvpqrst"  # letters for operands, if a node already has the name of the usual letter


def local(node: Node, local: Quantity, spec: str = ".4g", upstream: str = "upstream") -> str:
    """Return a local derivative as text: a number, a shape, or a pullback that is applied to an upstream gradient.

    Args:
        node: Result of the op.
        local: Local derivative with respect to one of the op's operands.
        spec: Format of numbers. Defaults to ".4g".
        upstream: Text of the upstream gradient, for a pullback. Defaults to "upstream".

    Returns:
        The text.

    Examples:
        >>> from tinygraph import Tensor
        >>> X, w = Tensor([[1.0, 2.0]], "X"), Tensor([[3.0], [4.0]], "w")
        >>> _, to_w = (X @ w).op.partials_at(X @ w, (X, w), (True, True))
        >>> local(X @ w, to_w), local(X @ w, to_w, upstream="dJ/ds")
        ('Xᵀ · upstream', 'Xᵀ · dJ/ds')
    """
    if not hasattr(local, "text"):
        return notation.quantity(local, spec)
    names = [notation.label(operand, spec, notation.NAME).within(POWER) for operand in node.args]
    text = str(local.text(*names, up=UPSTREAM)).replace("ᵀᵀ", "")
    if not _ONE_TERM.fullmatch(upstream):  # the transpose of dJ/dy is (dJ/dy)ᵀ, because dJ/dyᵀ is another derivative
        text = re.sub(f"{UPSTREAM}(?=[ᵀ[])", f"({UPSTREAM})", text)
    return text.replace(UPSTREAM, upstream)


def derivative(root: Node, node: Node, style: str) -> str:
    """Return the derivative of the root with respect to a node, in symbols.

    Args:
        root: Node that is differentiated.
        node: Node to differentiate with respect to.
        style: Notation of the derivative: "dJ/dv", or "dv", as in the lecture's code.

    Returns:
        The symbol.
    """
    name = notation.mention(node.name)
    return f"d{name}" if style == "dv" else f"d{notation.mention(root.name)}/d{name}"


def partial(node: Node, operand: Node) -> str:
    """Return a local derivative in symbols, such as "∂u/∂b". A ∂ shows that the other operands stay as they are.

    Args:
        node: Result of an op.
        operand: Operand to differentiate with respect to.

    Returns:
        The symbol.

    Examples:
        >>> from tinygraph import Value
        >>> b = Value(3.0, "b")
        >>> partial(b * b, b)
        '∂(b × b)/∂b'
    """
    return f"∂{notation.called(node)}/∂{notation.called(operand)}"


def times(upstream: str, local: str, node: Node) -> str:
    """Return the product of an upstream gradient and a local derivative, which is elementwise for arrays.

    Args:
        upstream: Text of the upstream gradient.
        local: Text of the local derivative.
        node: Result of the op.

    Returns:
        The product.
    """
    return f"{upstream} {'⊙' if notation.is_array(node) else '·'} {local}"


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
    name = derivative(root, node, "dJ/dv") if named else f"d{notation.called(root)}/d{notation.called(node)}"
    return f"{factor} · {name}" if (factor := seed_factor(seed)) else name


def seed_factor(seed: Quantity, spec: str = notation.SPEC) -> str:
    """Return the factor that a seed contributes to each derivative of a pass.

    Args:
        seed: Upstream gradient of the root.
        spec: Format of numbers. Defaults to ".4g".

    Returns:
        The text, or "" if the seed is 1 or None.
    """
    if notation.shape(seed) is not None:
        return "seed"
    return "" if seed is None or float(seed) == 1.0 else notation.factor(notation.quantity(seed, spec))


def formula(node: Node, slot: int) -> str:
    """Return a node's local derivative as a formula that uses the names of the operands.

    A number or a long expression that would appear several times is replaced by a letter, which is then explained.

    Args:
        node: Node that is not a leaf.
        slot: Index of the operand to differentiate with respect to.

    Returns:
        The formula, or "" if the op is not elementwise.

    Examples:
        >>> from tinygraph import Value, binary_cross_entropy
        >>> a, b, c = Value(0.5, "a"), Value(3.0, "b"), Value(2.0, "c")
        >>> formula(b * c, 0), formula((b * c).exp(), 0)
        ('c', 'exp(b × c)')
        >>> formula(binary_cross_entropy(a, 1.0), 0)
        '-y/a + (1 - y)/(1 - a), where y = 1'
    """
    op = node.op
    if op is None or not op.elementwise or (op.variadic and len(node.args) > MOST):
        return ""
    form = op.partial_forms[slot] if op.partial_forms else ""
    if form:
        return _lettered(form, node, node.args)
    wanted = [k == slot for k in range(len(node.args))]
    local = plain(Context().run(op.partials_at, node, node.args, wanted)[slot])  # hides the call from active contexts
    if isinstance(local, Node) and local.op is not None and not local.name and local.op.form and local is not node:
        return _lettered(local.op.form, local, local.args)
    return notation.label(local)


def formula_of_logit(node: Node, activation: Node) -> str:
    """Return the derivative of an op of an activation with respect to the logit, in terms of the activation.

    Args:
        node: Node whose first operand is the activation.
        activation: The sigmoid of the logit.

    Returns:
        The formula, such as "a - y" for the cross-entropy, or "" if there is no simple one.

    Examples:
        >>> from tinygraph import Value, binary_cross_entropy
        >>> a = Value(0.0, "z").sigmoid()
        >>> a.name = "a"
        >>> formula_of_logit(binary_cross_entropy(a, 1.0), a)
        'a - y, where y = 1'
    """
    op = node.op
    if not isinstance(op, ActivationOp) or node.x is not activation:
        return ""
    others = node.args[1:]
    local = Context().run(op.of_logit.partials[0], node, activation.x, *others)
    form = local.op.form if isinstance(local, Node) and local.op is not None else ""
    if not form:
        return ""
    letters = parsed(form).letters
    body = form.rpartition(": ")[2].replace(f"sigmoid({letters[0]})", "a")
    form = f"{', '.join(['a', *letters[1:]])}: {body}"
    known = {"a", *letters[1:]}
    return _lettered(form, node, (activation, *others), most=0) if names_in(form) <= known else ""


def _lettered(form: str, node: Node, operands: Sequence[Operand], most: int = 1) -> str:
    """Return a form as text.

    An operand that is a number or a long expression keeps its letter if it would appear more than `most` times.
    """
    letters = parsed(form).letters
    texts = [notation.label(operand) for operand in operands]
    notes = []
    for slot, operand in enumerate(operands):
        short = (
            operand.name or (operand.op and len(texts[slot]) <= notation.BRIEF) if isinstance(operand, Node) else False
        )
        if not short and uses(form, slot) > most:
            taken = set(re.findall(r"[^\W⁰¹²³⁴⁵⁶⁷⁸⁹]+", " ".join([*texts, node.name])))
            letter = next(letter for letter in (letters[slot], *_LETTERS, "…") if letter not in taken)
            notes.append(f"{letter} = {texts[slot]}")
            texts[slot] = Text(letter)
    op = node.op
    assert op is not None
    own = notation.label(node) if node.name or not op.form else fill(op.form, texts)
    text = fill(form, texts, own, notation.is_array(node))
    return f"{text}, where {' and '.join(notes)}" if notes else text
