"""compile: a recorded graph as a function; source: as the text of a program.

Both come from the rolled-up graph and the graph of its derivative, which the table's slopes write as they write
everything else; so nothing about an op is said here.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from threading import Lock
from typing import Any

import numpy as np

from tinygraph.engine.autodiff import exhaust, propagate
from tinygraph.engine.graph import Node, order
from tinygraph.engine.metadata import Guard, flipped_guard
from tinygraph.engine.value import Value
from tinygraph.kernels.arrays import as_array, quietly
from tinygraph.tensor.tensor import Tensor
from tinygraph.vectorizing.flat import Array
from tinygraph.vectorizing.program import Line, Program, Writer
from tinygraph.vectorizing.vectorized import Vectorized

LONGEST = 20_000  # nodes that did not roll up, of which a program is written; more are replayed one by one
SMALL = 8  # entries of an array that the text writes out


class Source(str):
    """The text of a program, with the arrays that it reads by name.

    >>> w = [Value(1.0, "w1"), Value(2.0, "w2")]
    >>> text = source(w[0] * 3.0 + w[1] * 4.0)
    >>> float(text.run()["J"])
    11.0
    """

    __slots__ = ("arrays", "functions")
    arrays: dict[str, Any]
    functions: dict[str, Any]

    def run(self) -> dict[str, Any]:
        """Run the text, and return all numbers by name."""
        names: dict[str, Any] = {"arrays": self.arrays, **self.functions}
        before = set(names)
        exec(builtins.compile(self, "<tinygraph.source>", "exec"), names)
        return {name: value for name, value in names.items() if name not in before and name != "__builtins__"}


def source(root: Value | Vectorized, backward: bool = True) -> Source:
    """The text of a program that computes the graph, and its gradients: NumPy in the lecture's manner.

    J is the number of the root, if it has no other name, and dw its derivative with respect to w. Large arrays are read
    from `arrays`, which the text has as an attribute; `text.run()` runs it. A graph in which nothing rolls up becomes
    plain Python. What `vectorize` returned is not rolled up again.

    >>> a, b, c = Value(5.0, "a"), Value(3.0, "b"), Value(2.0, "c")
    >>> u = b * c
    >>> v = a + u
    >>> J = 3.0 * v
    >>> u.name, v.name, J.name = "u", "v", "J"
    >>> print(source(J))
    a = 5
    b = 3
    c = 2
    <BLANKLINE>
    u = b * c
    v = a + u
    J = 3 * v
    <BLANKLINE>
    dv = 3
    du = dv
    da = dv
    db = dv * c
    dc = dv * b
    """
    found = root if isinstance(root, Vectorized) else Vectorized(root)
    program = Program()
    for name, leaf in _in_order(found):
        program.add_input(leaf, _letter(name, leaf))
    names = _names(found)
    program.add_result(found.root, names)
    forward = len(program.lines)
    if backward:
        _add_gradients(program, found, names)
    program.finish()
    return _written(found, program, program.lines[:forward])


def _written(found: Vectorized, program: Program, forward: list[Line]) -> Source:
    """The text: what is imported, what is given, forward, backward."""
    finite = all(np.isfinite(node.raw).all() for node in order(found.root))
    writer = Writer(program, careful=not finite)
    arrays: dict[str, Any] = {}
    given: list[str] = []
    leaves = [leaf for _, leaf in _in_order(found)]
    values = {writer.names[line]: leaf.data for line, leaf in zip(program.inputs, leaves, strict=True)}
    for name, value in {**values, **writer.constants}.items():
        if np.size(value) == 1 and not np.shape(value):
            given.append(f"{name} = {writer.number(value)}")
        elif np.size(value) <= SMALL and np.isfinite(value).all():
            given.append(f"{name} = np.array({value.tolist()!r})")
        else:
            arrays[name] = value
    if arrays:
        given += [f'{name} = arrays["{name}"]  # {np.shape(value)}' for name, value in arrays.items()]
    numpy = any("np." in line for line in (*given, *writer.text))
    imports = ["import numpy as np"] * numpy
    imports += [f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(writer.imports.items())]
    last = max([writer.ends[line] for line in forward if line in writer.ends], default=0)
    blocks = [imports, given, writer.text[:last], writer.text[last:]]
    text = Source("\n\n".join(["\n".join(block) for block in blocks if block]))
    text.arrays = arrays
    imported = set().union(*writer.imports.values())
    text.functions = {name: row for name, row in writer.functions.items() if name not in imported}
    return text


def _names(found: Vectorized) -> dict[Tensor, list[str]]:
    """What the tensors of the forward pass are called."""
    names = {tensor: [_letter(name, tensor)] for tensor, name in found.named()}
    if found.root.op is not None:
        names.setdefault(found.root, ["J"])
    return names


def _letter(name: str, tensor: Tensor) -> str:
    """The lecture's letters: z of one example is Z of all."""
    matrix = tensor.ndim > 1 and (min(tensor.shape) > 1 or (tensor.op is not None and tensor.shape[0] == 1))
    return name.upper() if matrix and len(name) == 1 else name


def _add_gradients(program: Program, found: Vectorized, names: dict[Tensor, list[str]]) -> None:
    """Add the derivatives with respect to the leaves, dw and so on, and with respect to what has a name on the way."""
    adjoints = _adjoints(found)
    wanted = {tensor: f"d{name}" for tensor, (name,) in reversed(names.items()) if tensor is not found.root}
    leaves = [leaf for _, leaf in _in_order(found)]
    wanted |= {leaf: f"d{line.names[0]}" for leaf, line in zip(leaves, program.inputs, strict=True)}
    called: dict[Tensor, list[str]] = {}
    for tensor, name in wanted.items():
        if isinstance(adjoints.get(tensor), Tensor):
            called.setdefault(adjoints[tensor], []).append(name)
    program.whole = {adjoints[leaf] for leaf in leaves if isinstance(adjoints.get(leaf), Tensor)}
    for leaf in leaves:
        if not leaf.constant and isinstance(adjoints.get(leaf), Tensor):
            program.add_result(adjoints[leaf], called)


def _adjoints(found: Vectorized) -> dict[Node, Any]:
    """The derivative with respect to each node, as a graph."""
    adjoints: dict[Node, Any] = {}
    exhaust(propagate(found.root, Tensor(1.0, constant=True), adjoints, create_graph=True))
    return adjoints


def _in_order(found: Vectorized) -> list[tuple[str, Tensor]]:
    """The leaves: numbers by their names, arrays as they are first used."""
    if not any(leaf.ndim for leaf in found.leaves.values()):
        return sorted(found.leaves.items())
    used = {node: i for i, node in enumerate(reversed(order(found.root)))}
    first: dict[Any, int] = {}
    for user, i in used.items():
        for operand in user.operands:
            first.setdefault(operand, i)
    return sorted(found.leaves.items(), key=lambda item: first.get(item[1], 0))


# --- compile ----------------------------------------------------------------------------------------


class _Block:
    """Nodes of a rectangular input, one after the other, and its shape."""

    def __init__(self, nodes: list[Value], shape: tuple[int, ...], place: str) -> None:
        self.nodes, self.shape, self.place = nodes, shape, place

    def array(self, numbers: Any) -> Any:
        """The numbers given for it, a float or an array of its shape."""
        if not self.shape and type(numbers) is float:
            return numbers
        array = as_array(numbers, self.place)
        if array.shape != self.shape:
            raise ValueError(f"{self.place} has the shape {array.shape}, but its nodes {self.shape}")
        return array if self.shape else float(array)


def _tree(nodes: Any, place: str) -> Any:
    """A block, where the nodes are a rectangle; else a list of such trees."""
    if isinstance(nodes, Value):
        if nodes.op is not None:
            raise ValueError(f"{place} is computed ({nodes!r}): an input is a leaf of the graph")
        return _Block([nodes], (), place)
    if isinstance(nodes, (str, bytes, dict)) or not hasattr(nodes, "__iter__"):
        raise TypeError(f"{place} must be a Value or a sequence of them, not {nodes!r}")
    entries = [_tree(node, f"{place}[{i}]") for i, node in enumerate(nodes)]
    if not entries:
        raise ValueError(f"{place} holds no nodes")
    if all(isinstance(entry, _Block) for entry in entries) and len({entry.shape for entry in entries}) == 1:
        return _Block([node for entry in entries for node in entry.nodes], (len(entries), *entries[0].shape), place)
    return entries


def _blocks(tree: Any) -> Iterator[_Block]:
    if isinstance(tree, _Block):
        yield tree
    else:
        for entry in tree:
            yield from _blocks(entry)


class Compiled:
    """A recorded graph as a function of its inputs: `f(*numbers)` is (value, gradients).

    `text` is what runs; the graph itself is not kept.
    """

    def __init__(self, root: Value, inputs: Any) -> None:
        self._alone = isinstance(inputs, Value)
        if not self._alone and not hasattr(inputs, "__iter__"):
            raise TypeError(f"inputs must be a leaf of the graph, or a sequence of leaves, not {inputs!r}")
        listed = [inputs] if self._alone else list(inputs)
        self._trees = [_tree(nodes, f"input {i}") for i, nodes in enumerate(listed)]
        self._inputs = list(_blocks(self._trees))
        marks: dict[Node, int] = {}
        for k, block in enumerate(self._inputs):
            for node in block.nodes:
                if node in marks:
                    raise ValueError(f"{block.place}: {node!r} is an input twice")
                marks[node] = k
        self._run: Callable[..., Any]
        found = Vectorized(root, marks, only=True)  # not kept: it holds all nodes of the graph
        if len(found.groups) > LONGEST:
            self._run = _replayed(root, self._inputs)
            self.text = ""
        else:
            self._run, self.text = _function(found, self._inputs, marks)

    def __call__(self, *numbers: Any) -> tuple[float, Any]:
        """The value of the graph at these numbers, and its gradients, in the shapes of the inputs.

        Raises FrozenBranchError where a comparison between nodes comes out otherwise than when the graph was recorded.
        """
        if len(numbers) != len(self._trees):
            raise TypeError(f"the function has {len(self._trees)} input(s), but {len(numbers)} were given")
        given: list[Any] = []
        for tree, number in zip(self._trees, numbers, strict=True):
            if isinstance(tree, _Block):
                given.append(tree.array(number))
            else:
                _spread(tree, number, given)
        value, gradients = quietly(self._run, *given)
        if len(self._inputs) == len(self._trees):
            return float(value), gradients[0] if self._alone else gradients
        each = iter(gradients)
        return float(value), tuple([_gathered(tree, each) for tree in self._trees])


def _spread(tree: Any, numbers: Any, given: list[Any]) -> None:
    if isinstance(tree, _Block):
        given.append(tree.array(numbers))
        return
    if not hasattr(numbers, "__len__") or len(numbers) != len(tree):
        raise ValueError(f"an input has {len(tree)} parts of different shapes, which {numbers!r} does not fit")
    for part, number in zip(tree, numbers, strict=True):
        _spread(part, number, given)


def _gathered(tree: Any, gradients: Iterator[Any]) -> Any:
    return next(gradients) if isinstance(tree, _Block) else [_gathered(part, gradients) for part in tree]


def compile(root: Value, inputs: Any) -> Compiled:
    """The graph as a function f(*numbers) that returns (value, gradients), through the rolled-up graph.

    `inputs` are leaves, or (nested) sequences of leaves: f takes one number or array for each, of the same shape, and
    returns the gradients in these shapes. All other leaves keep the numbers that they have now. ValueError for an input
    that is computed, or given twice; f raises FrozenBranchError where a comparison between nodes comes out the other
    way than when the graph was recorded.

    >>> w, b = [Value(0.5), Value(-0.5)], Value(0.1)
    >>> J = (w[0] * 1.0 + w[1] * 2.0 + b).sigmoid() + (w[0] * 3.0 + w[1] * 4.0 + b).sigmoid()
    >>> f = compile(J, [w, b])
    >>> value, (dw, db) = f([0.0, 0.0], 0.0)
    >>> value, dw, db
    (1.0, array([1. , 1.5]), 0.5)
    """
    return Compiled(root, inputs)


def _replayed(root: Value, inputs: Sequence[_Block]) -> Callable[..., Any]:
    """The function by the graph itself, a copy of it: for graphs in which little rolls up."""
    memo: dict[int, Any] = {}
    copy = deepcopy(root, memo)
    leaves = [[memo.get(id(node)) for node in block.nodes] for block in inputs]

    lock = Lock()  # calls in several threads share the copy

    def run(*given: Any) -> tuple[float, tuple[Any, ...]]:
        with lock:
            for nodes, block, numbers in zip(leaves, inputs, given, strict=True):
                for node, number in zip(nodes, numbers.ravel().tolist() if block.shape else [numbers], strict=True):
                    if node is not None:
                        node.data = number
            copy.forward().backward()
            partials = [[0.0 if node is None else node.grad or 0.0 for node in nodes] for nodes in leaves]
            return copy.data, tuple(
                [
                    np.array(listed).reshape(block.shape) if block.shape else listed[0]
                    for listed, block in zip(partials, inputs, strict=True)
                ]
            )

    return run


def _function(found: Vectorized, inputs: Sequence[_Block], marks: dict[Node, int]) -> tuple[Callable[..., Any], str]:
    """The function by the text of its program."""
    program = Program()
    places: list[tuple[int, Array]] = []  # of each leaf: its input, and where in it its entries stand
    position: dict[Node, int] = {node: k for block in inputs for k, node in enumerate(block.nodes)}
    variables: list[Tensor] = []
    for name, leaf in found.leaves.items():
        nodes = found.nodes_of(name)
        if nodes[0] in marks:
            program.add_input(leaf, "leaf")
            variables.append(leaf)
            places.append((marks[nodes[0]], np.array([position[node] for node in nodes])))
    root = program.add_result(found.root, {})
    gradients = _gradients(program, found, variables)
    checks = list(_checks(found))
    sides = [
        [program.add_result(side[0], {}) if isinstance(side, tuple) else side for side in (left, right)]
        for _, left, right, _, _ in checks
    ]
    program.finish()
    writer = Writer(program, fast=True)
    body: list[str] = []
    for line, leaf, (k, where) in zip(program.inputs, variables, places, strict=True):
        body.append(f"{writer.names[line]} = {_taken(writer, f'given{k}', inputs[k], where, leaf.shape)}")
    body += writer.text
    for (compare, left, right, outcome, texts), lines in zip(checks, sides, strict=True):
        operands = []
        for side, line in zip((left, right), lines, strict=True):
            if isinstance(side, tuple):
                operands.append(f"np.ravel({writer.name(line)})[{writer.constant(side[1], 'k')}]")
            else:
                operands.append(writer.constant(side, "c"))
        arguments = ", ".join([writer.constant(compare, "compare"), *operands, writer.constant(outcome, "outcome")])
        body.append(f"check({arguments}, {writer.constant(texts, 'texts')})")
    results = [_returned(writer, k, block, places, gradients, body) for k, block in enumerate(inputs)]
    body.append(f"return {writer.name(root)}, ({''.join(f'{result}, ' for result in results)})")
    parameters = ", ".join([f"given{k}" for k in range(len(inputs))])
    text = "\n    ".join([f"def f({parameters}):", *body])
    names: dict[str, Any] = {"np": np, "check": _check, **writer.functions, **writer.constants}
    exec(builtins.compile(text, "<tinygraph.compile>", "exec"), names)
    return names["f"], text


def _gradients(program: Program, found: Vectorized, variables: Sequence[Tensor]) -> list[Line | None]:
    adjoints = _adjoints(found)
    return [
        program.add_result(adjoints[leaf], {}) if isinstance(adjoints.get(leaf), Tensor) else None for leaf in variables
    ]


def _taken(writer: Writer, given: str, block: _Block, where: Array, shape: tuple[int, ...]) -> str:
    """The entries of an input that are a leaf, in its shape."""
    if not block.shape:
        return given
    if not shape:
        return f"{given}.item({int(where[0])})"
    size = len(block.nodes)
    if len(where) == size:
        if (where == np.arange(size)).all():
            return given if block.shape == shape else f"{given}.reshape({', '.join(map(str, shape))})"
        if len(shape) == 2 and block.shape == shape[::-1] and (where.reshape(shape) == _turned(block.shape)).all():
            return f"{given}.T"
    return f"{given}.ravel()[{writer.constant(where.reshape(shape), 'k')}]"


def _turned(shape: tuple[int, ...]) -> Array:
    return np.arange(shape[0] * shape[1]).reshape(shape).T


def _returned(
    writer: Writer,
    k: int,
    block: _Block,
    places: list[tuple[int, Array]],
    gradients: list[Line | None],
    body: list[str],
) -> str:
    """The gradient with respect to input number k, put together from those of its leaves; always a new array."""
    parts = [(where, line) for (j, where), line in zip(places, gradients, strict=True) if j == k and line is not None]
    if not block.shape:
        return f"float({writer.name(parts[0][1])})" if parts else "0.0"
    size = len(block.nodes)
    if len(parts) == 1:
        where, line = parts[0]
        if len(where) == size:
            name = writer.name(line)
            fresh = line.op is not None and line.op.name in ("matmul", "add", "mul") and line.uses == 1
            if (where == np.arange(size)).all():
                if not line.shape:
                    return f"np.full({block.shape}, {name})"
                same = f"{name}" if line.shape == block.shape else f"{name}.reshape({', '.join(map(str, block.shape))})"
                return same if fresh else f"np.array({same})"
            transposed = len(block.shape) == 2 and line.shape == block.shape[::-1]
            if transposed and (where.reshape(line.shape) == _turned(block.shape)).all():
                return f"{name}.T" if fresh else f"np.array({name}.T)"
    if parts and all(len(where) == 1 and not line.shape for where, line in parts):
        entries = {int(where[0]): writer.name(line) for where, line in parts}
        listed = ", ".join([entries.get(i, "0.0") for i in range(size)])
        shaped = "" if len(block.shape) == 1 else f".reshape({', '.join(map(str, block.shape))})"
        return f"np.array([{listed}]){shaped}"
    body.append(f"gradient{k} = np.zeros({block.shape})")
    for where, line in parts:
        body.append(f"gradient{k}.put({writer.constant(where, 'k')}, {writer.name(line)})")
    return f"gradient{k}"


# --- comparisons ------------------------------------------------------------------------------------


def _checks(found: Vectorized) -> Iterator[tuple[Any, Any, Any, Array, list[str]]]:
    """Comparisons that the graph hangs on: how they compare, both sides, the outcomes, and their texts.

    A side is (tensor, places of its entries), or an array of numbers.
    """
    seen: dict[int, tuple[Guard, dict[int, Node]]] = {}
    for node in found.compared():
        for branch, side in node.metadata.guards.values() if node.metadata else ():
            seen.setdefault(id(branch), (branch, {}))[1][side] = node
    kinds: dict[Any, list[tuple[Guard, list[Any]]]] = {}
    for branch, nodes in seen.values():
        sides: list[Any] = []
        for side in (0, 1):
            if side in nodes:
                tensor, index = found.where(nodes[side])
                sides.append((tensor, int(np.ravel_multi_index(index, tensor.shape)) if index else 0))
            else:
                sides.append(branch.numbers[side])
        key = branch.compare, *[side[0] if isinstance(side, tuple) else None for side in sides]
        kinds.setdefault(key, []).append((branch, sides))
    for (compare, *_), members in kinds.items():
        columns: list[Any] = []
        for side in (0, 1):
            entries = [sides[side] for _, sides in members]
            if isinstance(entries[0], tuple):
                columns.append((entries[0][0], np.array([place for _, place in entries])))
            else:
                columns.append(np.array(entries))
        outcomes = np.array([branch.outcome for branch, _ in members])
        yield compare, *columns, outcomes, [branch.text for branch, _ in members]


def _check(compare: Any, left: Array, right: Array, outcomes: Array, texts: list[str]) -> None:
    flipped = np.flatnonzero(compare(left, right) != outcomes)
    if len(flipped):
        k = int(flipped[0])
        raise flipped_guard(texts[k], bool(outcomes[k]))
