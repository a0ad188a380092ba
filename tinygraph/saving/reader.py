"""Loading a graph from a JSON file. Loading never executes code, and every field is validated."""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tinygraph.engine.graph import Node, restore
from tinygraph.engine.metadata import Guard
from tinygraph.engine.op import REGISTERED, TABLE, Op
from tinygraph.engine.operators import COMPARISONS, Operators
from tinygraph.engine.registry import PARAMETRIZED
from tinygraph.engine.value import Value
from tinygraph.kernels.arrays import Array
from tinygraph.saving.format import (
    FORMAT,
    ONE_PASS,
    VERSION,
    GraphFileError,
    decode,
    decode_float,
    decode_parameter,
    fail,
    shown,
    typed,
)
from tinygraph.saving.verification import check
from tinygraph.support.messages import counted
from tinygraph.tensor.tensor import Tensor

LARGEST = 2**31  # default limit on the size of a file, in bytes
_GRAPH = {"format", "version", "roots", "gradients", "guards", "nodes"}
_NODE = {"op", "args", "partials", "data", "grad", "constant", "name", "scope", "line"}
_GUARD = {"comparison", "text", "values", "outcome", "nodes"}

_Partial = float | Array | bool | None


def load(path: str | os.PathLike[str], *, verify: bool = False, limit: int = LARGEST) -> Any:
    """Read a graph from a file that `save` wrote.

    You can draw, step through, edit and recompute the loaded graph like the original. Register your own ops
    before you load a graph that uses them. Loading never executes code from the file.

    Args:
        path: Path of the file.
        verify: If true, recompute every node from its op, and check every local derivative. Gradients are also checked
            if they came from one backward pass. The first difference raises an error. Defaults to false.
        limit: Maximum file size, in bytes. Defaults to 2 GiB.

    Returns:
        The root, or a list of roots if a list was saved.

    Raises:
        GraphFileError: If the file does not contain a valid graph, is too large, or fails verification. This
            error is a ValueError, and its message shows the position in the file.
        OSError: If the file cannot be read.
    """
    path = Path(path)
    reader = Reader()
    with _without_collector():
        content = _parsed(path, limit)
        try:
            roots = reader.read(content)
        except GraphFileError as error:
            raise GraphFileError(f"{path.name}{reader.where and ', '}{reader.where}: {error}") from None
        except RecursionError:
            raise GraphFileError(f"{path.name}, {reader.where}: the content is too deeply nested") from None
    if verify:
        check(reader.nodes, path.name, roots if reader.one_pass and isinstance(roots, Node) else None)
    return roots


def _parsed(path: Path, limit: int) -> object:
    """Return the JSON content of a file."""
    size = path.stat().st_size
    if size > limit:
        raise GraphFileError(
            f"{path.name} has {size:,} bytes, more than the limit of {limit:,}: pass limit= to load it"
        )
    try:
        content: object = json.loads(path.read_bytes(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        what = "the content is too deeply nested" if isinstance(error, RecursionError) else str(error)
        raise GraphFileError(f"{path.name} is not JSON: {what}") from None
    return content


def _refuse_constant(text: str) -> object:
    """Reject NaN and Infinity, which Python's JSON parser accepts."""
    raise ValueError(f"{text} is not a JSON number: write it as a string")


@contextmanager
def _without_collector() -> Iterator[None]:
    """Pause the garbage collector, which would only waste time on new nodes, because graphs contain no cycles."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _known(found: dict[str, object], fields: set[str]) -> None:
    """Reject a field that is not in the format."""
    unknown = found.keys() - fields
    if unknown:
        fail(f"the format has no field {shown(sorted(unknown)[0])}")


class Reader:
    """A reader that creates nodes from the content of a file.

    Attributes:
        where: Part of the file that is being read, for error messages.
        nodes: Nodes that were read so far.
        one_pass: True if the gradients came from one backward pass that started at the root.
    """

    def __init__(self) -> None:
        self.where = ""
        self.nodes: list[Node] = []
        self.one_pass = False  # set by `read`

    def read(self, content: object) -> Node | list[Node]:
        """Read the content of a file, and return the root or the list of roots.

        Args:
            content: Content of the file, from `json`.

        Returns:
            A node, or a list of nodes.

        Raises:
            GraphFileError: If the content is not a valid graph.
        """
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            fail(f'"format" must be "{FORMAT}": the file is not a graph that tinygraph saved')
        _known(content, _GRAPH)
        version = content.get("version")
        if type(version) is not int or version != VERSION:  # true is equal to 1
            fail(
                f"format version {shown(version)} is not supported: "
                f"this version of tinygraph reads format version {VERSION}"
            )
        lines = content.get("nodes")
        if not isinstance(lines, list) or not lines:
            fail('"nodes" must be a list of at least one node')
        for i, line in enumerate(lines):
            self.where = f"node {i}"
            self.nodes.append(self.node(line))
        self.where = ""
        for i, line in enumerate(typed(content.get("guards", []), list, '"guards"', "a list")):
            self.where = f"guard {i}"
            self.guard(line)
        self.where = '"roots"'
        roots = content.get("roots")
        self.one_pass = "gradients" in content
        if self.one_pass and (content["gradients"] != ONE_PASS or isinstance(roots, list)):
            fail(f'"gradients" must be "{ONE_PASS}" and needs a single root; otherwise, leave the field out')
        if not isinstance(roots, list):
            return self.earlier(roots)
        return [self.earlier(x) for x in roots] or fail("there must be at least one root")

    def earlier(self, found: object) -> Node:
        """Return the earlier node with the given index.

        Args:
            found: Index of the node, from the file.

        Returns:
            The node.
        """
        if type(found) is not int or not 0 <= found < len(self.nodes):
            fail(f"{shown(found)} is not the index of an earlier node")
        return self.nodes[found]

    def operand(self, found: object) -> Node | float | Array:
        """Return an operand: an earlier node, a number, or an array.

        Args:
            found: Operand from the file.

        Returns:
            The operand.
        """
        if not isinstance(found, dict):
            return self.earlier(found)
        if found.keys() != {"constant"}:
            fail('an operand must be the index of an earlier node, or {"constant": a number or an array}')
        return decode(found["constant"], "a constant operand")

    def node(self, line: object) -> Node:
        """Return the node that an object from the file describes.

        Args:
            line: Object from the file.

        Returns:
            The node.
        """
        if not isinstance(line, dict):
            fail("a node must be an object")
        _known(line, _NODE)
        if "data" not in line:
            fail('"data" is missing')
        data = decode(line["data"], '"data"')
        kind: type[Operators] = Value if isinstance(data, float) else Tensor
        grad = decode(line["grad"], '"grad"', data) if "grad" in line else None
        if typed(line.get("constant", False), bool, '"constant"', "true or false"):
            kind = kind.constant_class
        op, args, partials = self.origin(line, data)
        node = restore(kind, op, data, grad, args, partials, 0, None)
        name = typed(line.get("name", ""), str, '"name"', "a string")
        scope = typed(line.get("scope", []), list, '"scope"', "a list of strings")
        source = typed(line.get("line", ""), str, '"line"', "a string")
        if name or scope or source:
            metadata = node.annotate()
            metadata.name, metadata.line = name, source
            metadata.scope = tuple([typed(x, str, '"scope"', "a list of strings") for x in scope])
        return node

    def origin(
        self, line: dict[str, object], data: float | Array
    ) -> tuple[Op | None, tuple[Node | float | Array, ...], tuple[_Partial, ...]]:
        """Return a node's op, operands and local derivatives.

        Args:
            line: Object from the file.
            data: Value of the node.

        Returns:
            The op, the operands and the local derivatives, or None and two empty tuples for a leaf.
        """
        if "op" not in line:
            if "args" in line or "partials" in line:
                fail("a node without an op must not have args or partials")
            return None, (), ()
        op = read_op(line["op"])
        args = tuple([self.operand(x) for x in typed(line.get("args"), list, '"args"', "a list")])
        found = typed(line.get("partials"), list, '"partials"', "a list")
        if len(found) != len(args) or (not args if op.variadic else len(args) != op.arity):
            operands = "operands" if op.variadic else counted(op.arity, "operand")
            fail(f"{op.name} takes {operands}, each with a local derivative or null")
        if op.variadic and len(args) % op.arity:
            fail(f"{op.name} takes {op.arity} lists of the same length")
        of_arrays = not isinstance(data, float)
        for x in args:
            if isinstance(x, (Node, np.ndarray)) and isinstance(x, (Tensor, np.ndarray)) != of_arrays:
                fail("one graph cannot mix numbers and arrays")
        if not any(isinstance(x, Node) for x in args):
            fail(f"at least one operand of {op.name} must be a node")
        if not op.elementwise and not of_arrays:
            fail(f"{op.name} needs arrays")
        if of_arrays:
            check_shape(op, args, np.shape(data))
        return op, args, tuple([read_partial(x, arg, op, of_arrays) for x, arg in zip(found, args, strict=True)])

    def guard(self, line: object) -> None:
        """Record a comparison in the metadata of its nodes.

        Args:
            line: Object from the file.
        """
        if not isinstance(line, dict) or line.keys() != _GUARD:
            fail("a guard must have the fields comparison, text, values, outcome and nodes")
        symbol, values, sides = line["comparison"], line["values"], line["nodes"]
        if not isinstance(symbol, str) or symbol not in COMPARISONS:
            fail(f"the comparison must be one of {' '.join(COMPARISONS)}, not {shown(symbol)}")
        if not all(isinstance(x, list) and len(x) == 2 for x in (values, sides)):
            fail('"values" and "nodes" of a guard must be lists of two elements')
        text = typed(line["text"], str, '"text"', "a string")
        guard = Guard(COMPARISONS[symbol], text, *[decode_float(x, "a compared value") for x in values])
        pair = [None if x is None else self.earlier(x) for x in sides]
        if pair == [None, None] or not all(x is None or isinstance(x, Value) for x in pair):
            fail("at least one side of a guard must be a scalar node of the graph")
        if guard.outcome is not line["outcome"]:
            fail(f"the outcome of {shown(text)} must be {guard.outcome}, not {shown(line['outcome'])}")
        for side, node in enumerate(pair):
            if node is not None:
                other = pair[1 - side]
                key = (symbol, side, guard.numbers[1 - side] if other is None else other.annotate().token)
                node.annotate().remember(key, guard, side)


def read_op(found: object) -> Op:
    """Return the op that a file specifies.

    Args:
        found: Name of an op, or a list with the name of the function that creates the op, followed by the function's
            parameters.

    Returns:
        The op.
    """
    if isinstance(found, str):
        op = TABLE.get(found) or REGISTERED.get(found)
        if op is None and found in PARAMETRIZED and not PARAMETRIZED[found][1]:
            op = PARAMETRIZED[found][0]()
        return op or fail(f"there is no op {shown(found)}; if it is your own op, register it before loading")
    if not isinstance(found, list) or not found or not isinstance(found[0], str) or found[0] not in PARAMETRIZED:
        fail(
            '"op" must be the name of an op, or a list with the name of a parametrized op and its parameters, '
            f"not {shown(found)}"
        )
    name, *rest = found
    maker, kinds = PARAMETRIZED[name]
    parameters = list(map(decode_parameter, rest))
    if not 1 <= len(parameters) <= len(kinds) or not all(ok(x) for ok, x in zip(kinds, parameters, strict=False)):
        fail(f"{name} does not accept the parameters {shown(rest)}")
    try:
        return maker(*parameters)
    except Exception as error:
        fail(f"{name} does not accept the parameters {shown(rest)}: {error}")


def read_partial(found: object, operand: Node | float | Array, op: Op, of_arrays: bool) -> _Partial:
    """Return a local derivative from a file.

    Args:
        found: Local derivative from the file: None if no gradient flows, True if a Tensor computes the derivative on
            access, or an encoded value.
        operand: Operand that the local derivative belongs to.
        op: Op of the node.
        of_arrays: If true, the node is a Tensor.

    Returns:
        The local derivative.
    """
    if found is None:
        return None
    if not isinstance(operand, Node) or operand.constant:
        fail("no gradient flows to a constant, so its local derivative must be null")
    if of_arrays and (not op.elementwise or found is True):
        return True if found is True else fail(f"a local derivative of {op.name} must be true or null")
    local = decode(found, "a local derivative")
    if of_arrays != isinstance(local, np.ndarray) or (of_arrays and np.shape(local) != operand.raw.shape):
        fail(
            "a local derivative must be a number in a graph of scalars, and an array of the operand's shape "
            "in a graph of arrays"
        )
    return local


def check_shape(op: Op, args: tuple[Node | float | Array, ...], shape: tuple[int, ...]) -> None:
    """Check that an op returns an array of the given shape.

    After this check, the result of a recomputation needs no more memory than the stored data. If the result of an op is
    never larger than the operands, this check is skipped, and only `load` with `verify=True` checks the shape.

    Args:
        op: Op of a node.
        args: Operands of the node.
        shape: Shape of the node's data.
    """
    if op.variadic and op.elementwise:
        fail(f"{op.name} needs numbers")
    shapes = [np.shape(x.raw if isinstance(x, Node) else x) for x in args]
    try:
        made = op.result_shape(*shapes)
    except (ValueError, IndexError, TypeError, OverflowError) as error:
        fail(f"{op.name} does not accept operands of the shapes {shown(shapes)}: {error}")
    if made is not None and made != shape:
        fail(f"{op.name} returns shape {shown(made)}, but the data has shape {shown(shape)}")
