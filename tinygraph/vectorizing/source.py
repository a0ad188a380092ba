"""source: a recorded graph as the source text of a program."""

from __future__ import annotations

import builtins
import re
from typing import Any

import numpy as np

from tinygraph.engine.graph import Node, order
from tinygraph.engine.value import Value
from tinygraph.explaining.code import array_code, number_code
from tinygraph.support.arguments import check_kind
from tinygraph.tensor.tensor import Tensor
from tinygraph.vectorizing.array_graph import ArrayGraph
from tinygraph.vectorizing.codegen import Writer
from tinygraph.vectorizing.flat import Array
from tinygraph.vectorizing.program import Line, Program
from tinygraph.vectorizing.vectorized import Vectorized

SMALL = 8  # arrays with at most this many elements are written out


class Source(str):
    """The source text of a program.

    Attributes:
        arrays: The arrays that the program reads, by name.
        functions: The functions, by name, that the program calls but does not import.

    Examples:
        >>> w = [Value(1.0, "w1"), Value(2.0, "w2")]
        >>> text = source(w[0] * 3.0 + w[1] * 4.0)
        >>> float(text.run()["J"])
        11.0
    """

    __slots__ = ("arrays", "functions")
    arrays: dict[str, Array]
    functions: dict[str, object]

    def run(self) -> dict[str, Any]:
        """Run the program, and return a dict of everything that it computes, by name."""
        names: dict[str, object] = {"arrays": self.arrays, **self.functions}
        before = set(names)
        exec(builtins.compile(self, "<tinygraph.source>", "exec"), names)
        return {name: value for name, value in names.items() if name not in before and name != "__builtins__"}


def source(root: Value | Tensor | Vectorized, backward: bool = True) -> Source:
    """Return the source text of a NumPy program for the graph and its gradients, in the lecture's notation.

    In the source text, J is the value of a root without a name, and dw is the root's derivative with respect to the
    leaf w. A graph without loops becomes plain Python. A comment shows the textbook's formula of a function whose name
    does not show it.

    Args:
        root: Root of a graph of Values or Tensors, or the result of `vectorize` for a Value.
        backward: If true, the program computes the gradients too. Defaults to true.

    Returns:
        The source text. The program reads large arrays from the attribute `arrays`. The method `run()` runs the
        program.

    Raises:
        TypeError: If `root` is neither a node nor a Vectorized.
        ValueError: If `backward` is true, and the root is a Tensor that is not a scalar.
        StaleGraphError: If a leaf was edited after the graph was recorded.

    Examples:
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
    check_kind("root", root, (Value, Tensor, Vectorized), "the root of a graph")
    found = array_graph(root)
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


def array_graph(root: Value | Tensor | Vectorized) -> Vectorized | ArrayGraph:
    """Return a graph in the form of a graph of Tensors.

    Args:
        root: Root of a graph, or the result of `vectorize`.

    Returns:
        The graph of Tensors.
    """
    return root if isinstance(root, Vectorized) else ArrayGraph(root) if isinstance(root, Tensor) else Vectorized(root)


def _written(found: Vectorized | ArrayGraph, program: Program, forward: list[Line]) -> Source:
    """Return the source text: imports, given data, the forward pass and the backward pass."""
    finite = all(np.isfinite(node.raw).all() for node in order(found.root))
    writer = Writer(program, careful=not finite)
    arrays: dict[str, Array] = {}
    given: list[str] = []
    leaves = [leaf for _, leaf in _in_order(found)]
    values = {writer.names[line]: leaf.data for line, leaf in zip(program.inputs, leaves, strict=True)}
    for name, value in {**values, **writer.constants}.items():
        if np.size(value) == 1 and not np.shape(value):
            given.append(f"{name} = {number_code(value)}")
        elif np.size(value) <= SMALL and np.isfinite(value).all():
            given.append(f"{name} = {array_code(value)}")
        else:
            arrays[name] = value
    if arrays:
        given += [f'{name} = arrays["{name}"]  # {np.shape(value)}' for name, value in arrays.items()]
    numpy = any("np." in line for line in (*given, *writer.text))
    imports = ["import numpy as np"] * numpy
    imports += ["import tinygraph"] * any("tinygraph." in line for line in writer.text)
    imports += [f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(writer.imports.items())]
    last = max([writer.ends[line] for line in forward if line in writer.ends], default=0)
    blocks = [imports, given, writer.text[:last], writer.text[last:]]
    text = Source("\n\n".join(["\n".join(block) for block in blocks if block]))
    text.arrays = arrays
    imported = set().union(*writer.imports.values())
    text.functions = {name: function for name, function in writer.functions.items() if name not in imported}
    return text


def _names(found: Vectorized | ArrayGraph) -> dict[Tensor, list[str]]:
    """Return the names of the tensors of the forward pass."""
    names = {tensor: [_letter(name, tensor)] for tensor, name in found.named()}
    if found.root.op is not None:
        names.setdefault(found.root, ["J"])
    return names


def _letter(name: str, tensor: Tensor) -> str:
    """Return the lecture's notation for a name: z or z1 for one example becomes Z or Z1 for all examples."""
    matrix = tensor.ndim > 1 and (min(tensor.shape) > 1 or (tensor.op is not None and tensor.shape[0] == 1))
    return name.upper() if matrix and re.fullmatch("[a-z][0-9]*", name) else name


def _add_gradients(program: Program, found: Vectorized | ArrayGraph, names: dict[Tensor, list[str]]) -> None:
    """Add the root's derivatives (for example, dw) with respect to leaves and named nodes of the forward pass."""
    derivatives = found.derivatives()
    wanted = {tensor: f"d{name}" for tensor, (name,) in reversed(names.items()) if tensor is not found.root}
    leaves = [leaf for _, leaf in _in_order(found)]
    wanted |= {leaf: f"d{line.names[0]}" for leaf, line in zip(leaves, program.inputs, strict=True)}
    called: dict[Tensor, list[str]] = {}
    for tensor, name in wanted.items():
        if tensor in derivatives:
            called.setdefault(derivatives[tensor], []).append(name)
    program.whole = {derivatives[leaf] for leaf in leaves if leaf in derivatives}
    for leaf in leaves:
        if leaf in derivatives and not leaf.constant:
            program.add_result(derivatives[leaf], called)


def _in_order(found: Vectorized | ArrayGraph) -> list[tuple[str, Tensor]]:
    """Return the leaves in the order of first use, or sorted by name if all leaves are scalars."""
    if not any(leaf.ndim for leaf in found.leaves.values()):
        return sorted(found.leaves.items())
    used = {node: i for i, node in enumerate(reversed(order(found.root)))}
    first: dict[Node, int] = {}
    for user, i in used.items():
        for operand in user.operands:
            first.setdefault(operand, i)
    return sorted(found.leaves.items(), key=lambda item: first.get(item[1], 0))
