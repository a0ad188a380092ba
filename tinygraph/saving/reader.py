"""Loading a graph from a JSON file. Loading never executes code, and every field is validated."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from tinygraph.engine.copies import restore
from tinygraph.engine.graph import Node
from tinygraph.engine.metadata import Guard
from tinygraph.engine.op import Op
from tinygraph.engine.operators import Operators
from tinygraph.engine.replay import COMPARISONS, depend, remember
from tinygraph.engine.value import Value
from tinygraph.kernels.arrays import Array
from tinygraph.saving.format import (
    FORMAT,
    ONE_PASS,
    VERSION,
    GraphFileError,
    decode,
    decode_parameter,
    fail,
    shown,
    typed,
)
from tinygraph.saving.origins import Partial, check_shape, read_op, read_partial
from tinygraph.saving.pieces import NotJSONError, Pieces, open_regular
from tinygraph.saving.verification import check
from tinygraph.support.arguments import as_path
from tinygraph.support.collector import collector_paused
from tinygraph.support.memory import available_memory
from tinygraph.support.messages import counted, described
from tinygraph.tensor.queries import OF_ALL, QUERIES, Query, query
from tinygraph.tensor.tensor import Tensor

LARGEST = 2**31  # limit on the size of a file, in bytes, if the available memory is unknown
_GRAPH = {"format", "version", "roots", "gradients", "guards", "nodes"}
_NODE = {"op", "args", "partials", "data", "grad", "constant", "name", "scope", "line"}
_GUARD = {"comparison", "text", "values", "outcome", "nodes"}


def load(path: str | os.PathLike[str], *, verify: bool = False, limit: int | None = None) -> Any:
    """Read a graph from a file that `save` wrote.

    You can draw, step through, edit and recompute the loaded graph like the original. Register your own ops
    before you load a graph that uses them. Loading never executes code from the file.

    Args:
        path: Path of the file.
        verify: If true, recompute every node from its op, and check every local derivative. Gradients are also checked
            if they came from one backward pass. The first difference raises an error. Defaults to false.
        limit: Maximum file size, in bytes. Defaults to an eighth of the available memory, because a graph can take up
            to eight times the size of its file.

    Returns:
        The root, or a list of roots if a list was saved.

    Raises:
        GraphFileError: If the file does not contain a valid graph, is too large, or fails verification. This
            error is a ValueError, and its message shows the position in the file.
        OSError: If the file cannot be read.
        TypeError: If `path` is not a path, or `limit` is not a nonnegative integer.
    """
    path = as_path("path", path)
    if limit is None:
        limit = default_limit(available_memory())
    elif type(limit) is not int or limit < 0:
        raise TypeError(f"load: limit must be a nonnegative integer of bytes, or None, not {described(limit)}")
    reader = Reader()
    with collector_paused(), open_regular(path, limit) as file:
        try:
            roots = reader.read(Pieces(file, path.name, limit))
        except NotJSONError as error:
            raise GraphFileError(f"{path.name} is not JSON: {error}") from None
        except GraphFileError as error:
            raise GraphFileError(f"{path.name}{reader.where and ', '}{reader.where}: {error}") from None
        except RecursionError:
            raise GraphFileError(f"{path.name}, {reader.where}: the content is too deeply nested") from None
    if verify:
        check(reader.nodes, path.name, roots if reader.one_pass and isinstance(roots, Node) else None)
    return roots


def default_limit(available: int | None) -> int:
    """Return the maximum file size that fits into the given memory.

    A graph takes up to eight times as much memory as its file, so a file may have an eighth of the memory.

    Args:
        available: Available memory in bytes, or None if it is unknown.

    Returns:
        The maximum size in bytes: an eighth of the memory, or 2 GiB if the memory is unknown.

    Examples:
        >>> default_limit(16 * 2**30) == 2 * 2**30
        True
    """
    return LARGEST if available is None else available // 8


def check_head(content: dict[str, object]) -> None:
    """Check that the content of a file is a graph in a format version that this version of tinygraph reads.

    Args:
        content: Members of the file's object, as far as they were read.
    """
    if content.get("format") != FORMAT:
        fail(f'"format" must be "{FORMAT}": the file is not a graph that tinygraph saved')
    _known(content, _GRAPH)
    version = content.get("version")
    if type(version) is not int or version != VERSION:  # true is equal to 1
        fail(
            f"format version {shown(version)} is not supported: "
            f"this version of tinygraph reads format version {VERSION}"
        )


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
        used: For each node, 1 if the node is a root or an operand of another node, and 0 otherwise.
        one_pass: True if the gradients came from one backward pass that started at the root.
    """

    def __init__(self) -> None:
        self.where = ""
        self.nodes: list[Node] = []
        self.used = bytearray()
        self.one_pass = False  # set by `read`

    def read(self, file: Pieces) -> Node | list[Node]:
        """Read a file, and return the root or the list of roots.

        Args:
            file: File to read. Each node is created when its text has been read.

        Returns:
            A node, or a list of nodes.

        Raises:
            NotJSONError: If the content is not JSON.
            GraphFileError: If the content is not a valid graph.
        """
        content: dict[str, object] = {}
        if file.starts_with("{"):
            self.members(file, content)
        else:
            file.value()
        file.end()
        self.where = ""
        check_head(content)
        if not self.nodes:
            fail('"nodes" must be a list of at least one node')
        for i, line in enumerate(typed(content.get("guards", []), list, '"guards"', "a list")):
            self.where = f"guard {i}"
            self.guard(line)
        self.where = '"roots"'
        roots = content.get("roots")
        found = [self.earlier(x) for x in roots] if isinstance(roots, list) else self.earlier(roots)
        if isinstance(found, list) and not found:
            fail("there must be at least one root")
        unused = self.used.find(0)
        if unused >= 0:
            self.where = f"node {unused}"
            fail("no root was computed from this node")
        self.check_gradients(content, found)
        return found

    def members(self, file: Pieces, content: dict[str, object]) -> None:
        """Read the members of the file's object. Create the nodes, and add all other members to `content`.

        Args:
            file: File to read.
            content: Dict that receives the members.
        """
        for key, read in file.members():
            if key in content:
                fail(f"the field {shown(key)} occurs twice")
            if key != "nodes" or not file.starts_with("["):
                content[key] = read()
                continue
            content[key] = []  # the nodes are in `self.nodes`
            if "format" in content:  # otherwise, an error in a node could be the first error of another kind of file
                check_head(content)
            for i, line in enumerate(file.elements()):
                self.where = f"node {i}"
                self.nodes.append(self.node(line))
                self.used.append(0)
            self.where = ""

    def check_gradients(self, content: dict[str, object], root: Node | list[Node]) -> None:
        """Check the field that states whether the gradients came from one backward pass.

        Args:
            content: Members of the file's object.
            root: The root, or the list of roots.
        """
        self.one_pass = "gradients" in content
        if self.one_pass and (content["gradients"] != ONE_PASS or isinstance(root, list)):
            fail(f'"gradients" must be "{ONE_PASS}" and needs a single root; otherwise, leave the field out')
        if self.one_pass and isinstance(root, Node) and (root.grad is None or root.constant):
            fail("the gradients came from one backward pass, so the root must have a gradient")

    def earlier(self, found: object) -> Node:
        """Return the earlier node with the given index.

        Args:
            found: Index of the node, from the file.

        Returns:
            The node.
        """
        if type(found) is not int or not 0 <= found < len(self.nodes):
            fail(f"{shown(found)} is not the index of an earlier node")
        self.used[found] = 1
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
        constant = typed(line.get("constant", False), bool, '"constant"', "true or false")
        op, args, partials = self.origin(line, data)
        variable = any(isinstance(x, Node) and not x.constant for x in args)
        if op is not None and variable == constant:
            fail(
                '"constant" must be true if all operands are constants, and false otherwise: '
                "a node has a gradient if one of its operands has a gradient"
            )
        node = restore(kind, op, data, grad, constant, args, partials)
        if "name" not in line and "scope" not in line and "line" not in line:
            return node
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
    ) -> tuple[Op | None, tuple[Node | float | Array, ...], tuple[Partial, ...]]:
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
        if not isinstance(line, dict) or line.keys() - {"outside"} != _GUARD:
            fail("a guard must have the fields comparison, text, values, outcome and nodes, and it may have outside")
        symbol, values, sides = line["comparison"], line["values"], line["nodes"]
        outside = line.get("outside", [None, None])
        compare = _comparison(symbol)
        if not all(isinstance(x, list) and len(x) == 2 for x in (values, sides, outside)):
            fail('"values", "nodes" and "outside" of a guard must be lists of two elements')
        text = typed(line["text"], str, '"text"', "a string")
        pair = [None if x is None else self.earlier(x) for x in sides]
        numbers = [
            decode(x, "a compared value", None if node is None else node.raw)
            for x, node in zip(values, pair, strict=True)
        ]
        below = [self.leaves_below(*both) for both in zip(pair, outside, strict=True)]
        kinds = {isinstance(node, Value) for node in (*pair, *below[0], *below[1]) if node is not None}
        scalar = kinds == {True} and all(isinstance(number, float) for number in numbers)
        if not scalar and kinds != {False}:
            fail("at least one side of a guard must be a node of the graph, and a guard cannot mix scalars and arrays")
        outcome: Any = line["outcome"] if isinstance(line["outcome"], bool) else decode_parameter(line["outcome"])
        whole = isinstance(compare, Query) and compare.name in OF_ALL  # the outcome has another shape
        if not isinstance(outcome, bool if scalar else np.ndarray) or not (
            whole or np.shape(outcome) == _shape(*numbers)
        ):
            fail(f"the outcome of {shown(text)} must be a boolean, or a mask with the shape of the comparison")
        try:
            guard = Guard(compare, text, *numbers, time=-1)
        except (TypeError, ValueError) as error:  # of a query: NumPy does not accept these values
            fail(f"the values of {shown(text)} do not fit: {error}")
        if not np.array_equal(guard.outcome, outcome):
            fail(f"the outcome of {shown(text)} must be {shown(guard.outcome)}, not {shown(line['outcome'])}")
        remember(guard, pair)
        for slot, leaves in enumerate(below):
            for leaf in leaves:
                depend(leaf, guard, slot)

    def leaves_below(self, node: Node | None, places: object) -> list[Node]:
        """Return the leaves below a side of a comparison that is a computed node outside the graph.

        Args:
            node: The node of this side, or None.
            places: Object from the file: null, or a list of the places of leaves.

        Returns:
            The leaves.
        """
        if places is None:
            return []
        leaves = [self.earlier(x) for x in typed(places, list, '"outside"', "null or a list of leaves")]
        if node is not None or any(leaf.op is not None for leaf in leaves):
            fail('"outside" of a guard must be null for a side that is a node, and otherwise contain only leaves')
        return leaves


def _comparison(found: object) -> Callable[[Any, Any], Any]:
    """Return the comparison with a symbol, or the query with a name and parameters."""
    if isinstance(found, str) and found in COMPARISONS:
        return COMPARISONS[found]
    if isinstance(found, list) and found and isinstance(found[0], str):
        try:
            return query(found[0], *map(decode_parameter, found[1:]))
        except (TypeError, ValueError):  # a parameter that cannot be hashed, or is of the wrong kind
            pass
    return fail(
        f"the comparison must be one of {' '.join(COMPARISONS)}, or a list with the name and the parameters of a query "
        f"({', '.join(QUERIES)}), not {shown(found)}"
    )


def _shape(x: float | Array, y: float | Array) -> tuple[int, ...] | None:
    """Return the shape of a comparison without computing it, or None if the shapes do not match."""
    try:
        return np.broadcast_shapes(np.shape(x), np.shape(y))
    except ValueError:
        return None
