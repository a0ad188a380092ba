"""save and load: a graph as a JSON file, numbers to the bit; nothing in the file is executed.

The format is that of `graph.schema.json`, beside this file: nodes in the order in which they were computed, one a
line; an operand is the number of an earlier line. Numbers are written so that they are read back to the bit; those that
JSON has no numbers for, infinite ones and nan, are texts. An op is its name, or the name of its family and what it was
made of.
"""

from __future__ import annotations

import gc
import json
import math
import os
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from tinygraph.engine.graph import Node, check_fresh, require_node
from tinygraph.engine.op import Op
from tinygraph.saving.reader import FORMAT, VERSION, GraphFileError, Reader
from tinygraph.saving.verification import all_nodes, check, wrong_gradient
from tinygraph.support.files import write_whole

LARGEST = 2**31  # bytes of a file, unless `limit` says otherwise
_PLAIN_NAN = struct.pack("<d", math.nan)
_line = json.JSONEncoder(separators=(",", ":")).encode


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of the format.

    >>> schema()["properties"]["format"]
    {'const': 'tinygraph graph'}
    """
    text = files("tinygraph.saving").joinpath("graph.schema.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


# --- save -------------------------------------------------------------------------------------------


def save(root: Node | Sequence[Node], path: str | os.PathLike[str]) -> Path:
    """Write a graph to a JSON file, whole or not at all: nodes, names, scopes, numbers, gradients; returns the path.

    Several roots may share nodes: they stay shared. Raises StaleGraphError like `backward`, and TypeError for
    what is no graph, or holds arrays that are not NumPy's: compute these first.

    >>> import tempfile
    >>> from tinygraph import Value
    >>> b, c = Value(3, "b"), Value(2, "c")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     u = load(save(b * c, folder + "/u.json"))
    >>> u
    Value(6.0, op='mul')
    >>> u.backward()
    >>> u.args[0].grad
    2.0
    """
    roots = [require_node(x, "save: root") for x in (root if isinstance(root, (list, tuple)) else [root])]
    if not roots:
        raise TypeError("save: there is no root in an empty list")
    nodes = all_nodes(roots)
    check_fresh(nodes[::-1])
    place = {node: i for i, node in enumerate(nodes)}
    head = {
        "format": FORMAT,
        "version": VERSION,
        "roots": place[root] if isinstance(root, Node) else [place[x] for x in roots],
    }
    if isinstance(root, Node) and _is_one_pass(root, nodes):
        head["gradients"] = "one pass"
    comparisons = _comparisons(nodes, place)
    if comparisons:
        head["comparisons"] = comparisons
    lines = ",\n".join(_line(_node(node, place)) for node in nodes)
    path = Path(path)
    write_whole(path, f'{json.dumps(head)[:-1]}, "nodes": [\n{lines}\n]}}\n')
    return path


def _is_one_pass(root: Node, nodes: Sequence[Node]) -> bool:
    """Whether the gradients are those of one backward pass from the root, to the bit."""
    return root.grad is not None and not root.constant and wrong_gradient(root, nodes) is None


def _node(node: Node, place: Mapping[Node, int]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if node.op is not None:
        said["op"] = _op(node.op)
        said["args"] = [place[x] if isinstance(x, Node) else {"constant": _number(x)} for x in node.args]
        said["slopes"] = [x if x is None or x is True else _number(x) for x in node.stored_partials]
    said["data"] = _number(node.raw)
    if node.grad is not None:
        said["grad"] = _number(node.grad)
    if node.constant:
        said["constant"] = True
    if node.name:
        said["name"] = node.name
    if node.scope:
        said["scope"] = list(node.scope)
    if node.line:
        said["line"] = node.line
    return said


def _op(op: Op) -> Any:
    if not op.maker or not op.parameters:
        return op.name
    return [op.maker.__name__, *map(_parameter, op.parameters)]


def _parameter(x: Any) -> Any:
    """What an op was made of: a shape, an axis, an exponent, or an index as NumPy takes it."""
    if isinstance(x, tuple):
        return {"tuple": list(map(_parameter, x))}
    if isinstance(x, slice):
        return {"slice": [_parameter(end) for end in (x.start, x.stop, x.step)]}
    if x is ...:
        return {"slice": "all"}
    if isinstance(x, list):
        return {"list": list(map(_parameter, x))}
    if isinstance(x, np.ndarray):
        kind = "mask" if x.dtype == bool else "indices"
        return {kind: x.ravel().tolist(), "shape": list(x.shape)}
    if x is None or isinstance(x, (bool, str)):
        return x
    if isinstance(x, (int, np.integer)):
        return int(x)
    return _number(float(x))


def _number(x: Any) -> Any:
    """A float, or an array as shape and entries."""
    if type(x) is float:
        return x if math.isfinite(x) else _text(x)
    if isinstance(x, np.ndarray):
        entries = x.ravel().tolist()
        if not np.isfinite(x).all():
            entries = [_number(entry) for entry in entries]
        return {"shape": list(x.shape), "entries": entries}
    if isinstance(x, (int, float, np.floating, np.integer)):
        return _number(float(x))
    kind = type(x).__module__.partition(".")[0]
    raise TypeError(f"a lazy array of {kind} cannot be saved as it is: compute it first, and make NumPy arrays of it")


def _text(x: float) -> str:
    """An infinite number, or nan with all its bits."""
    if math.isinf(x):
        return "inf" if x > 0 else "-inf"
    bits = struct.pack("<d", x)
    return "nan" if bits == _PLAIN_NAN else f"nan:{bits[::-1].hex()}"


def _comparisons(nodes: Iterable[Node], place: Mapping[Node, int]) -> list[dict[str, Any]]:
    """The comparisons that forward() asks again, each with the nodes that took part."""
    found: dict[int, dict[str, Any]] = {}
    for node in nodes:
        for key, (branch, side) in node.metadata.guards.items() if node.metadata else ():
            numbers = [_number(x) for x in branch.numbers]
            said = {
                "sign": key[0],
                "text": branch.text,
                "numbers": numbers,
                "outcome": branch.outcome,
                "nodes": [None, None],
            }
            found.setdefault(id(branch), said)["nodes"][side] = place[node]
    return list(found.values())


# --- load -------------------------------------------------------------------------------------------


def load(path: str | os.PathLike[str], *, verify: bool = False, limit: int = LARGEST) -> Any:
    """Read a graph that `save` has written: the root, or the list of roots that was saved.

    It can be drawn, walked, edited and recomputed like the one that was saved. With `verify`, every node is recomputed
    from its row, and every slope and contribution checked; the first difference is named. Ops of your own must have
    been registered again. Nothing in the file is executed. Raises GraphFileError, a ValueError that says what is wrong
    where, for a file that holds no graph, or of more than `limit` bytes, and OSError where it cannot be read.
    """
    path = Path(path)
    size = path.stat().st_size
    if size > limit:
        raise GraphFileError(
            f"{path.name} has {size:,} bytes, more than the {limit:,} that are allowed: pass limit= to load it"
        )
    text = path.read_bytes()
    reader = Reader(path.name)
    with _without_collector():
        try:
            said = json.loads(text, parse_constant=reader.no_constant)
        except (ValueError, RecursionError) as error:
            what = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
            raise GraphFileError(f"{path.name} is not JSON: {what}") from None
        roots = reader.read(said)
    if verify:
        check(reader.nodes, path.name, roots if said.get("gradients") == "one pass" else None)
    return roots


@contextmanager
def _without_collector() -> Iterator[None]:
    """Let the collector rest: it would go again and again through what is being read, in which there is no cycle."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
