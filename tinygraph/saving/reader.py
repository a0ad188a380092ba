"""Loading a graph from a JSON file: what it says is checked, and nothing of it is believed or executed."""

from __future__ import annotations

import math
import re
import struct
from typing import Any, NoReturn

import numpy as np

from tinygraph.engine.graph import Node, restore
from tinygraph.engine.metadata import Guard
from tinygraph.engine.op import REGISTERED, TABLE, Op
from tinygraph.engine.operators import COMPARISONS
from tinygraph.engine.parameters import PARAMETRIZED
from tinygraph.engine.value import Value
from tinygraph.support.messages import short
from tinygraph.tensor.array_ops import is_shape
from tinygraph.tensor.tensor import Tensor

FORMAT = "tinygraph graph"
VERSION = 1


class GraphFileError(ValueError):
    """A file that holds no graph, or not the graph it says it holds."""


def _is_int(x: Any) -> bool:
    return type(x) is int


class Reader:
    """Reads what a file says, and believes none of it before it has looked."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.where = ""
        self.nodes: list[Node] = []

    def fail(self, what: str) -> NoReturn:
        """Say what is wrong, and where."""
        where = f", {self.where}" if self.where else ""
        raise GraphFileError(f"{self.name}{where}: {what}")

    def no_constant(self, text: str) -> NoReturn:
        """Refuse NaN and Infinity, which Python's JSON would take."""
        raise ValueError(f"{text} is not a number of JSON; it is written as a text")

    def read(self, said: Any) -> Any:
        """The roots of a file."""
        if not isinstance(said, dict) or said.get("format") != FORMAT:
            self.fail(f'it says no "format": "{FORMAT}", so it is no graph of this library')
        unknown = said.keys() - {"format", "version", "roots", "gradients", "comparisons", "nodes"}
        if unknown:
            self.fail(f"there is no such field: {_short(sorted(unknown)[0])}")
        version = said.get("version")
        if version != VERSION:
            self.fail(f"it is of version {_short(version)}, and this library reads version {VERSION}")
        lines = said.get("nodes")
        if not isinstance(lines, list) or not lines:
            self.fail('"nodes" must be a list of at least one node')
        nodes = self.nodes
        for i, line in enumerate(lines):
            self.where = f"node {i}"
            nodes.append(self.node(line, nodes))
        self.where = ""
        self.comparisons(said.get("comparisons", []), nodes)
        self.where = '"roots"'
        roots = said.get("roots")
        if "gradients" in said and (said["gradients"] != "one pass" or isinstance(roots, list)):
            self.fail('"gradients" is "one pass", for a single root, or left out')
        if not isinstance(roots, list):
            return self.earlier(roots, nodes)
        return [self.earlier(x, nodes) for x in roots] or self.fail("there must be one at least")

    def node(self, line: Any, nodes: list[Node]) -> Node:
        """One node, from what a line says of it."""
        if not isinstance(line, dict):
            self.fail("a node is an object")
        unknown = line.keys() - {"op", "args", "slopes", "data", "grad", "constant", "name", "scope", "line"}
        if unknown:
            self.fail(f"there is no such field: {_short(sorted(unknown)[0])}")
        if "data" not in line:
            self.fail('"data" is missing')
        data = self.number(line["data"], '"data"')
        kind: Any = Value if type(data) is float else Tensor
        grad = None if line.get("grad") is None else self.number(line["grad"], '"grad"', data)
        constant = self.typed(line.get("constant", False), bool, '"constant"', "true or false")
        op, args, partials = self.origin(line, data, nodes)
        node = restore(kind.constant_class if constant else kind, op, data, grad, args, partials, 0, None)
        name = self.typed(line.get("name", ""), str, '"name"', "a text")
        scope = self.typed(line.get("scope", []), list, '"scope"', "a list of texts")
        source = self.typed(line.get("line", ""), str, '"line"', "a text")
        if name or scope or source:
            notes = node.annotate()
            notes.name, notes.line = name, source
            notes.scope = tuple([self.typed(x, str, '"scope"', "a list of texts") for x in scope])
        return node

    def origin(
        self, line: dict[str, Any], data: Any, nodes: list[Node]
    ) -> tuple[Op | None, tuple[Any, ...], tuple[Any, ...]]:
        """The op of a node, its operands and its slopes."""
        if "op" not in line:
            if "args" in line or "slopes" in line:
                self.fail("a node without an op has no operands and no slopes")
            return None, (), ()
        op = self.op(line["op"])
        said = self.typed(line.get("args"), list, '"args"', "a list")
        args = tuple([self.operand(x, nodes) for x in said])
        flows = self.typed(line.get("slopes"), list, '"slopes"', "a list")
        if len(flows) != len(args) or (not args if op.variadic else len(args) != op.arity):
            self.fail(f"{op.name} takes {'some' if op.variadic else op.arity} operand(s), each with a slope or null")
        if op.variadic and len(args) % op.arity:
            self.fail(f"{op.name} takes {op.arity} lists of one length")
        many = not isinstance(data, float)
        for x in args:
            if isinstance(x, (Node, np.ndarray)) and isinstance(x, (Tensor, np.ndarray)) != many:
                self.fail("numbers and arrays do not mix in one graph")
        if not any(isinstance(x, Node) for x in args):
            self.fail(f"no operand of {op.name} is a node")
        if many and op.variadic and op.elementwise:
            self.fail(f"{op.name} is for numbers")
        if many:
            self.check_size(op, [np.shape(x.raw if isinstance(x, Node) else x) for x in args], data.shape)
        elif not op.elementwise:
            self.fail(f"{op.name} is for arrays")
        partials = tuple([self.local(x, arg, op, many) for x, arg in zip(flows, args, strict=True)])
        return op, args, partials

    def local(self, said: Any, operand: Any, op: Op, many: bool) -> Any:
        """A number; for Tensors true (it is computed when asked for) or an array; null where no gradient flows."""
        if said is None:
            return None
        if not isinstance(operand, Node) or operand.constant:
            self.fail("no gradient flows to a constant, so its slope is null")
        if many and (not op.elementwise or said is True):
            return True if said is True else self.fail(f"a slope of {op.name} is true or null")
        local = self.number(said, "a slope")
        if many != isinstance(local, np.ndarray) or (many and local.shape != operand.raw.shape):
            self.fail("a slope is a number in a graph of numbers, and an array of the operand's shape in one of arrays")
        return local

    def earlier(self, said: Any, nodes: list[Node]) -> Node:
        """A node by its number, which must be one of those before."""
        if not _is_int(said) or not 0 <= said < len(nodes):
            self.fail(f"{_short(said)} is not the number of an earlier node")
        earlier: Node = nodes[said]
        return earlier

    def operand(self, said: Any, nodes: list[Node]) -> Any:
        """An earlier node, or a number or array that is no node."""
        if isinstance(said, dict):
            if said.keys() != {"constant"}:
                self.fail('an operand is the number of an earlier node, or {"constant": a number or an array}')
            return self.number(said["constant"], "a constant operand")
        return self.earlier(said, nodes)

    def op(self, said: Any) -> Op:
        """An op without parameters, by its name, or a parametrized op, by that of its maker and the parameters."""
        if isinstance(said, str):
            made, kinds = PARAMETRIZED.get(said, (None, None))
            found = TABLE.get(said) or REGISTERED.get(said) or (made() if made and not kinds else None)
            if found is None:
                self.fail(f"there is no op {_short(said)}; if it is one of your own, register it before loading")
            return found
        if not isinstance(said, list) or not said or not isinstance(said[0], str) or said[0] not in PARAMETRIZED:
            self.fail(f'"op" is the name of an op, or a list of a family and what it is made of, not {_short(said)}')
        maker, kinds = PARAMETRIZED[said[0]]
        parameters = [self.parameter(x) for x in said[1:]]
        if not 1 <= len(parameters) <= len(kinds) or not all(ok(x) for ok, x in zip(kinds, parameters, strict=False)):
            self.fail(f"no {said[0]} is made of {_short(said[1:])}")
        try:
            return maker(*parameters)
        except Exception as error:
            self.fail(f"no {said[0]} is made of {_short(said[1:])}: {error}")

    def parameter(self, said: Any) -> Any:
        """A shape, an axis, an exponent, or an index, from how it is written."""
        if isinstance(said, dict):
            for sort in (tuple, list):
                if said.keys() == {sort.__name__} and isinstance(said[sort.__name__], list):
                    return sort([self.parameter(x) for x in said[sort.__name__]])
            if said == {"slice": "all"}:
                return ...
            if said.keys() == {"slice"} and isinstance(said["slice"], list) and len(said["slice"]) == 3:
                ends = [
                    None if x is None else self.typed(x, int, "an end of a slice", "a whole number")
                    for x in said["slice"]
                ]
                return slice(*ends)
            for kind, dtype in (("indices", np.int64), ("mask", bool)):
                if said.keys() == {kind, "shape"}:
                    entry = int if kind == "indices" else bool
                    entries = [
                        self.typed(x, entry, kind, entry.__name__) for x in self.typed(said[kind], list, kind, "a list")
                    ]
                    return self.shaped(entries, said["shape"], dtype)
            self.fail(f"{_short(said)} is no part of an op")
        if said is None or isinstance(said, (bool, int)):
            return said
        return said if isinstance(said, str) and not _is_number(said) else self.number(said, "a number of an op")

    def number(self, said: Any, what: str, like: Any = None) -> Any:
        """A float, or an array; of the shape of another, if one is given."""
        if isinstance(said, dict):
            if said.keys() != {"shape", "entries"}:
                self.fail(f'{what} is a number, or an array with "shape" and "entries"')
            entries = self.typed(said["entries"], list, what, "an array whose entries are a list")
            found: Any = self.shaped([self.float(x, what) for x in entries], said["shape"], np.float64)
        else:
            found = self.float(said, what)
        if like is not None and np.shape(found) != np.shape(like):
            self.fail(f"{what} has the shape {np.shape(found)}, and its data {np.shape(like)}")
        return found

    def shaped(self, entries: list[Any], shape: Any, dtype: Any) -> Any:
        """Entries as an array, if there are as many as the shape has."""
        shape = tuple(self.typed(shape, list, '"shape"', "a list"))
        if not is_shape(shape) or len(shape) > 32 or math.prod(shape) != len(entries):
            self.fail(f"there are {len(entries)} entries, and the shape is {_short(shape)}")
        try:
            return np.array(entries, dtype=dtype).reshape(shape)
        except (OverflowError, ValueError) as error:
            self.fail(str(error))

    def float(self, said: Any, what: str) -> float:
        """A float, to the bit."""
        kind = type(said)
        if kind is int and abs(said) < 2**1023:
            return float(said)
        if kind is str:
            if said in ("inf", "-inf", "nan"):
                return float(said)
            if re.fullmatch("nan:[0-9a-f]{16}", said) and math.isnan(
                number := struct.unpack(">d", bytes.fromhex(said[4:]))[0]
            ):
                return number  # type: ignore[no-any-return]
        if kind is not float or math.isinf(said):  # 1e999 would be read as infinite
            self.fail(f"{what} is a float, or “inf”, “-inf” or “nan”, not {_short(said)}")
        return said  # type: ignore[no-any-return]

    def typed(self, said: Any, kind: type, what: str, be: str) -> Any:
        """What is said, if it is of this type."""
        if type(said) is not kind:
            self.fail(f"{what} must be {be}, not {_short(said)}")
        return said

    def check_size(self, op: Op, shapes: list[tuple[int, ...]], shape: tuple[int, ...]) -> None:
        """That the op makes an array of this shape, so that recomputing takes no more than the file has shown.

        Only what could make more than it is given is looked at: the rest cannot do harm, and `verify` finds it.
        """
        try:
            made = op.result_shape(*shapes)
        except (ValueError, IndexError, TypeError, OverflowError) as error:
            self.fail(f"{op.name} does not go with operands of the shapes {_short(shapes)}: {error}")
        if made is not None and made != shape:
            self.fail(f"{op.name} makes the shape {_short(made)}, and the data has {_short(shape)}")

    def comparisons(self, said: Any, nodes: list[Node]) -> None:
        """Tell the nodes which comparisons they took part in."""
        for i, line in enumerate(self.typed(said, list, '"comparisons"', "a list")):
            self.where = f"comparison {i}"
            if not isinstance(line, dict) or line.keys() != {"sign", "text", "numbers", "outcome", "nodes"}:
                self.fail("it has the fields sign, text, numbers, outcome and nodes")
            sign, numbers, sides = line["sign"], line["numbers"], line["nodes"]
            if not isinstance(sign, str) or sign not in COMPARISONS:
                self.fail(f"the sign is one of {' '.join(COMPARISONS)}, not {_short(sign)}")
            if not all(isinstance(x, list) and len(x) == 2 for x in (numbers, sides)):
                self.fail("it compares two numbers")
            text = self.typed(line["text"], str, "its text", "a text")
            branch = Guard(COMPARISONS[sign], text, *[self.float(x, "what is compared") for x in numbers])
            pair = [None if x is None else self.earlier(x, nodes) for x in sides]
            if pair == [None, None] or not all(x is None or isinstance(x, Value) for x in pair):
                self.fail("a number of the graph must take part in it")
            if branch.outcome is not line["outcome"]:
                self.fail(f"{_short(text)} is said to be {_short(line['outcome'])}, and is not")
            for side, node in enumerate(pair):
                if node is not None:
                    other = pair[1 - side]
                    key = (sign, side, branch.numbers[1 - side] if other is None else id(other))
                    node.annotate().remember(key, branch, side)


def _is_number(said: str) -> bool:
    return said in ("inf", "-inf", "nan") or said.startswith("nan:")


def _short(said: Any) -> str:
    return short(repr(said), 60)
