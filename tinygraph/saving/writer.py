"""Saving a graph as a JSON file."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import ge
from pathlib import Path
from typing import Any

import numpy as np

from tinygraph.engine.clock import clock
from tinygraph.engine.graph import Node, check_fresh, require_node
from tinygraph.engine.metadata import Guard, Trace
from tinygraph.engine.op import Op
from tinygraph.engine.replay import SYMBOLS, guards, unknown_sides
from tinygraph.engine.value import Value
from tinygraph.saving.format import FORMAT, ONE_PASS, VERSION, encode, encode_parameter
from tinygraph.saving.verification import all_nodes, wrong_gradient
from tinygraph.support.arguments import as_path
from tinygraph.support.files import write_whole
from tinygraph.tensor.queries import Query
from tinygraph.tensor.tensor import Tensor

_KINDS = (Value, Tensor)
_line = json.JSONEncoder(separators=(",", ":")).encode


def save(root: Node | Sequence[Node], path: str | os.PathLike[str]) -> Path:
    """Write a graph to a JSON file: nodes, names, scopes, values and gradients.

    If `save` is interrupted, an existing file remains unchanged. Missing folders are created. A node that several roots
    share is saved once, and is still shared after `load`.

    Args:
        root: Root of the graph, or a list of roots.
        path: Path of the file.

    Returns:
        The path.

    Raises:
        StaleGraphError: If a leaf was edited after the graph was recorded.
        TypeError: If `root` is not a node or is an empty list, or if the graph contains a subclass of Value or Tensor,
            or lazy arrays of another library.

    Examples:
        >>> import tempfile
        >>> from tinygraph import Value, load
        >>> b, c = Value(3, "b"), Value(2, "c")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     u = load(save(b * c, folder + "/u.json"))
        >>> u
        Value(6.0, op='mul')
        >>> u.backward()
        >>> u.args[0].grad
        2.0
    """
    path = as_path("path", path)
    roots = [require_node(x, "save: root") for x in (root if isinstance(root, (list, tuple)) else [root])]
    if not roots:
        raise TypeError("save: root is an empty list; pass at least one node")
    with clock.lock:  # a pass or an edit of another thread must not change the graph meanwhile
        text = _text(roots, isinstance(root, Node))
    write_whole(path, text)
    return path


def _text(roots: Sequence[Node], single: bool) -> str:
    """Return the content of the file. If `single` is true, the only root is saved without a list."""
    nodes = all_nodes(roots)
    for node in nodes:
        if type(node) not in _KINDS:
            raise TypeError(
                f"save: a file stores Values and Tensors, and {node!r} is a {type(node).__name__}: "
                "use pickle, which keeps the class and its attributes"
            )
    check_fresh(nodes[::-1])
    place = {node: i for i, node in enumerate(nodes)}
    places = [place[root] for root in roots]
    head: dict[str, object] = {"format": FORMAT, "version": VERSION, "roots": places[0] if single else places}
    if single and _is_one_pass(roots[0], nodes):
        head["gradients"] = ONE_PASS
    if compared := _guards(roots, nodes, place):
        head["guards"] = compared
    lines = ",\n".join(_line(_node(node, place)) for node in nodes)
    return f'{json.dumps(head)[:-1]}, "nodes": [\n{lines}\n]}}\n'


def _is_one_pass(root: Node, nodes: Sequence[Node]) -> bool:
    """Return whether the gradients are exactly the result of one backward pass from the root."""
    return root.grad is not None and not root.constant and wrong_gradient(root, nodes) is None


def _node(node: Node, place: Mapping[Node, int]) -> dict[str, object]:
    fields: dict[str, object] = {}
    if node.op is not None:
        fields["op"] = _op(node.op)
        fields["args"] = [place[x] if isinstance(x, Node) else {"constant": encode(x)} for x in node.args]
        fields["partials"] = [x if x is None or x is True else encode(x) for x in node.stored_partials]
    fields["data"] = encode(node.raw)
    if node.grad is not None:
        fields["grad"] = encode(node.grad)
    if node.constant:
        fields["constant"] = True
    if node.name:
        fields["name"] = node.name
    if node.scope:
        fields["scope"] = list(node.scope)
    if node.line:
        fields["line"] = node.line
    return fields


def _op(op: Op) -> object:
    if not op.maker or not op.parameters:
        return op.name
    return [op.maker.__name__, *map(encode_parameter, op.parameters)]


def _comparison(compare: Callable[[Any, Any], Any]) -> object:
    """Return the symbol of a comparison, or the name and the parameters of a query."""
    if isinstance(compare, Query):
        return [compare.name, *map(encode_parameter, compare.parameters)]
    return SYMBOLS[compare]


def _guards(roots: Iterable[Node], nodes: Sequence[Node], place: Mapping[Node, int]) -> list[dict[str, object]]:
    """Return the comparisons that forward() repeats, each with the nodes that it compares."""
    found: dict[Guard, dict[int, Node]] = {}
    outside: dict[Trace, dict[int, list[int]]] = {}
    leaves = [node for node in nodes if node.op is None]
    for root in roots:
        compared = guards(root, nodes)
        found.update(compared)
        for (trace, slot), below in unknown_sides(compared, root, leaves).items():
            outside.setdefault(trace, {})[slot] = sorted(place[leaf] for leaf in below)
    known = {guard.trace for guard in found}
    found.update({_substitute(trace, nodes[0]): {} for trace in outside if trace not in known})
    lines: list[dict[str, object]] = []
    for guard, sides in found.items():
        outcome = guard.outcome if isinstance(guard.outcome, bool) else np.asarray(guard.outcome)
        line: dict[str, object] = {
            "comparison": _comparison(guard.compare),
            "text": guard.trace.text,
            "values": list(map(encode, guard.numbers)),
            "outcome": encode_parameter(outcome),
            "nodes": [place[sides[slot]] if slot in sides else None for slot in (0, 1)],
        }
        if guard.trace in outside:
            line["outside"] = [outside[guard.trace].get(slot) for slot in (0, 1)]
        lines.append(line)
    return lines


def _substitute(trace: Trace, node: Node) -> Guard:
    """Return a comparison of two numbers with the same text and outcome, for one whose nodes are not in the graph."""
    zero: Any = 0.0 if isinstance(node.raw, float) else np.zeros(())
    guard = Guard(ge, trace.text, zero if trace.outcome is not False else zero - 1.0, zero, time=trace.time)
    guard.trace = trace
    return guard
