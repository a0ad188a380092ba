"""The program of a graph in another framework: one line of text per op, as `source` writes it for NumPy."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinygraph.engine.op import Op
from tinygraph.engine.value import Value
from tinygraph.support.arguments import check_kind
from tinygraph.tensor.indexing import scatter_add, set_elements
from tinygraph.tensor.tensor import Tensor
from tinygraph.vectorizing.program import Line, Program
from tinygraph.vectorizing.source import array_graph
from tinygraph.vectorizing.vectorized import Vectorized

Array = np.ndarray[Any, np.dtype[Any]]
Template = str | Callable[..., str]  # text with operands {0}, {1}, or a function of an op's parameters that returns one


@dataclass(frozen=True)
class Dialect:
    """How a framework writes ops.

    Attributes:
        framework: Name of the framework.
        module: Name of its module in the program.
        templates: Templates by the name of an op, or of the function that creates it.
        array: Function that converts an array of NumPy to the framework's array.
    """

    framework: str
    module: str
    templates: Mapping[str, Template]
    array: Callable[[Array], Any]


class Exported:
    """A function of a dict from names of leaves to arrays of another framework.

    Args:
        text: Source text of the function.
        leaves: Recorded values of the leaves.
        names: What the text refers to.
    """

    def __init__(self, text: str, leaves: dict[str, Any], names: dict[str, object]) -> None:
        self.text, self.leaves = text, leaves
        namespace = dict(names)
        exec(builtins.compile(text, "<tinygraph.bridges>", "exec"), namespace)
        self._function: Callable[[dict[str, Any]], Any] = namespace["f"]  # type: ignore[assignment]

    def __call__(self, leaves: Mapping[str, Any] | None = None) -> Any:
        """Return the value of the root.

        Args:
            leaves: Dict from names of leaves to arrays. A leaf that is left out keeps its recorded value.

        Returns:
            The framework's array.

        Raises:
            KeyError: If the graph has no leaf with one of the names.
        """
        given = dict(leaves or {})
        for name in given:
            if name not in self.leaves:
                raise KeyError(f"the graph has no leaf {name!r}: its leaves are {', '.join(self.leaves)}")
        return self._function(self.leaves | given)


def exported(root: Value | Tensor | Vectorized, dialect: Dialect) -> Exported:
    """Return the function of another framework for a graph.

    Args:
        root: Root of a graph, or the result of `vectorize`.
        dialect: How the framework writes ops.

    Returns:
        The function.

    Raises:
        TypeError: If `root` is not a graph.
        NotImplementedError: If the framework has no template for an op.
    """
    check_kind("root", root, (Value, Tensor, Vectorized), "the root of a graph")
    found = array_graph(root)
    program = Program()
    for name, leaf in found.leaves.items():
        program.add_input(leaf, name)
    result = program.add_result(found.root, {})
    program.finish()
    names: dict[Line, str] = {}
    given: dict[str, object] = {dialect.module.partition(".")[0]: __import__(dialect.module)}
    body = ["def f(leaves):"]
    for i, (name, line) in enumerate(zip(found.leaves, program.inputs, strict=True)):
        names[line] = f"x{i}"
        body.append(f"x{i} = leaves[{name!r}]")
    for line in program.lines:
        if line.op is None:
            names[line] = f"k{len(given)}"
            given[names[line]] = dialect.array(np.asarray(line.value, dtype=float))
        else:
            names[line] = f"v{len(names)}"
            body.append(f"{names[line]} = {_expression(line, names, given, dialect)}")
    body.append(f"return {names[result]}")
    leaves = {name: dialect.array(leaf.raw) for name, leaf in found.leaves.items()}
    return Exported("\n    ".join(body), leaves, given)


def _expression(line: Line, names: Mapping[Line, str], given: dict[str, object], dialect: Dialect) -> str:
    """Return the text of one op."""
    op = line.op
    assert op is not None
    operands = [names[x] for x in line.args]
    template = dialect.templates.get(op.name) or dialect.templates.get(getattr(op.maker, "__name__", ""))
    text = template if isinstance(template, str) else ""
    if callable(template):
        text = template(*[_parameter(x, given, dialect) for x in _parameters(op, line)])
    if not text and getattr(op, "moves", False) and len(operands) == 1:
        return _moved(op, line, operands[0], given, dialect)
    if not text:
        raise NotImplementedError(
            f"the op {op.text(*operands)} has no counterpart in {dialect.framework}: export a graph without it"
        )
    return text.format(*operands, all=", ".join(operands), shape=tuple(line.shape), inner=tuple(line.args[0].shape))


def _parameters(op: Op, line: Line) -> tuple[object, ...]:
    """Return the parameters of an op. For an op that writes to an index, they are the places in the flat array."""
    if op.maker not in (scatter_add, set_elements):
        return op.parameters
    places = np.arange(math.prod(line.shape)).reshape(line.shape)[op.parameters[0]].reshape(-1)
    return places, len(np.unique(places)) < len(places)


def _parameter(x: object, given: dict[str, object], dialect: Dialect) -> object:
    """Return a parameter of an op. An array of bools becomes a name in the program."""
    if not isinstance(x, np.ndarray):
        return x
    name = f"k{len(given)}"
    given[name] = dialect.array(x)
    return name


def _moved(op: Op, line: Line, operand: str, given: dict[str, object], dialect: Dialect) -> str:
    """Return the text of an op that only moves or repeats elements, as an index of the flat array."""
    shape = line.args[0].shape
    places = op.arrays(np.arange(float(np.prod(shape, dtype=int))).reshape(shape))
    name = f"k{len(given)}"
    given[name] = dialect.array(np.asarray(places).astype(np.int64))
    return f"{operand}.reshape(-1)[{name}]"
