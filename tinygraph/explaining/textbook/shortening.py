"""Text without its middle, in which each bracket keeps its partner."""

from __future__ import annotations

import re
from collections.abc import Sequence

_QUALIFIED = re.compile(r"\w+(?:\[[\w']+\])*(?:\.\w+(?:\[[\w']+\])*)+")


def is_qualified(name: str) -> bool:
    """Return whether a name consists of several parts with dots between them.

    Args:
        name: Name of a node.

    Returns:
        True for a name such as that of a parameter of a model.

    Examples:
        >>> is_qualified("layers.0.weight"), is_qualified("w1"), is_qualified("1.5 + x")
        (True, False, False)
    """
    return bool(_QUALIFIED.fullmatch(name)) and not re.fullmatch(r"[\d.]+", name)


def _without_parts(name: str, length: int) -> str:
    """Return a qualified name without parts in its middle, or "" if its ends are too long."""
    first, *rest = name.split(".")
    ends = [f"{first}…{'.'.join(rest[i:])}" for i in range(1, len(rest))]
    return next((text for text in [*ends, f"…{rest[-1]}"] if len(text) <= length), "")


def shared_parts(names: Sequence[str], length: int) -> str:
    """Return the first and the last parts that several qualified names share, with an ellipsis between them.

    Args:
        names: Different names of nodes.
        length: Maximum number of characters.

    Returns:
        The text, or "" if the last parts differ, if a name is not qualified, or if the text is too long.

    Examples:
        >>> shared_parts(["layers.0.norm1.bias", "layers.1.norm2.bias"], 24), shared_parts(["w1", "w2"], 24)
        ('layers…bias', '')
        >>> shared_parts(["layers.0.self_attn.in_proj_bias", "layers.1.self_attn.in_proj_bias"], 24)
        'layers…in_proj_bias'
    """
    if not all(map(is_qualified, names)):
        return ""
    split = [name.split(".") for name in names]
    same = [len(set(column)) == 1 for column in zip(*split, strict=False)]
    same_ends = [len(set(column)) == 1 for column in zip(*[parts[::-1] for parts in split], strict=False)]
    last = split[0][len(split[0]) - [*same_ends, False].index(False) :]
    first = split[0][: min([*same, False].index(False), min(map(len, split)) - len(last))]  # no part counts twice
    texts = [f"{'.'.join(first)}…{'.'.join(last[i:])}" for i in range(len(last))]
    texts += [f"…{'.'.join(last[-1:])}"] if last else []
    return next((text for text in texts if len(text) <= length), "")


def shortened(name: str, length: int) -> str:
    """Return a text with an ellipsis in its middle, or in its brackets if a bracket would have no partner.

    Args:
        name: Text to shorten.
        length: Maximum number of characters.

    Returns:
        The text.

    Examples:
        >>> shortened("abcdefghijkl", 8), shortened("cross_entropy(A, [[0, 1]])", 20), shortened("layer[10,11,12]", 10)
        ('abcd…jkl', 'cross_entropy(…)', 'layer[…]')
        >>> shortened("layers.0.self_attn.in_proj_weight", 24), shortened("layers.0.weight", 8)
        ('layers…in_proj_weight', '…weight')
    """
    if len(name) <= length:
        return name
    if is_qualified(name) and (parts := _without_parts(name, length)):
        return parts
    short = f"{name[: length // 2]}…{name[len(name) - (length - 1) // 2 :]}"
    return short if _depths(short) or not _depths(name) else _emptied(name, length)


def _depths(text: str) -> list[int]:
    """Return how many brackets and quotes are open after each character, or [] if one has no partner."""
    open_brackets, depths = "", []
    for sign in text:
        if sign in "([{‘":
            open_brackets += sign
        elif sign in ")]}’":
            if open_brackets[-1:] + sign not in ("()", "[]", "{}", "‘’"):
                return []
            open_brackets = open_brackets[:-1]
        depths.append(len(open_brackets))
    return [] if open_brackets else depths


def _emptied(name: str, length: int) -> str:
    """Return a name without the contents of its brackets, and without brackets if it is still too long."""
    depths = _depths(name)
    outer = [
        sign if before == 0 or depth == 0 else "\0"
        for sign, before, depth in zip(name, [0, *depths], depths, strict=False)
    ]
    text = re.sub("\0+", "…", "".join(outer))
    if len(text) <= length:
        return text
    head, call = text[:-3], text[-3:]
    if call[1] == "…" and not re.search(r"[][(){}‘’]", head) and length > len(call) + 4:
        return shortened(head, length - len(call)) + call
    return re.sub("…+", "…", shortened(re.sub(r"[][(){}‘’]", "", text), length))
