"""The program of a graph in another framework: one line of text per op, as `source` writes it for NumPy."""

from __future__ import annotations

import builtins
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from tinygraph.bridges.formulas import SHARED, Template, formula
from tinygraph.engine.op import Op
from tinygraph.engine.value import Value
from tinygraph.support.arguments import check_kind
from tinygraph.tensor.functions.parts import on_diagonal
from tinygraph.tensor.indexing import scatter_add, set_elements
from tinygraph.tensor.tensor import Tensor
from tinygraph.vectorizing.program import Line, Program
from tinygraph.vectorizing.source import array_graph
from tinygraph.vectorizing.vectorized import Vectorized

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Dialect:
    """How a framework writes ops.

    Attributes:
        framework: Name of the framework.
        modules: Modules that the program uses, by their names in it. The first one contains `where`, `full_like`,
            `isnan` and `isfinite`.
        templates: Templates by the name of an op, or of the function that creates it, besides those of `SHARED`.
        array: Function that converts an array of NumPy to the framework's array.
    """

    framework: str
    modules: Mapping[str, str]
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
    given: dict[str, object] = {name: import_module(module) for name, module in dialect.modules.items()}
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
    templates = {**SHARED, **dialect.templates}
    library = next(iter(dialect.modules))
    template = templates.get(op.name) or templates.get(getattr(op.maker, "__name__", ""), "")
    text = template if isinstance(template, str) else template(*_parameters(line, given, dialect))
    if not text and (places := _places(op, line)) is not None:
        parts = ["{0}.reshape(-1)", "{1}.reshape(-1)", "{library}.zeros(1)"]
        used = {set_elements: parts[:2], on_diagonal: parts[::2]}.get(op.maker, parts[:1])
        joined = used[0] if len(used) == 1 else f"{{library}}.concatenate([{', '.join(used)}])"
        text = f"{joined}[{_parameter(places, given, dialect)}]"
    if not text and op.form:
        text = formula(op.form, templates)
    if not text:
        raise NotImplementedError(
            f"the op {op.text(*operands)} has no counterpart in {dialect.framework}: export a graph without it"
        )
    shapes = {"shape": tuple(line.shape), "inner": tuple(line.args[0].shape), "all": ", ".join(operands)}
    return text.format(*operands, library=library, **shapes)


def _parameters(line: Line, given: dict[str, object], dialect: Dialect) -> list[Any]:
    """Return the parameters of an op. The index of `scatter_add` becomes the places in the flat array."""
    assert line.op is not None
    parameters = line.op.parameters
    if line.op.maker is scatter_add:
        parameters = (_indices(parameters[0], line.shape), *parameters[1:])
    return [_parameter(x, given, dialect) for x in parameters]


def _parameter(x: object, given: dict[str, object], dialect: Dialect) -> Any:
    """Return a parameter of an op. An array becomes a name in the program."""
    if not isinstance(x, np.ndarray):
        return x
    name = f"k{len(given)}"
    given[name] = dialect.array(x)
    return name


def _indices(key: object, shape: tuple[int, ...]) -> Array:
    """Return the places of the elements that an index selects, in the flat array."""
    return np.arange(math.prod(shape)).reshape(shape)[key].reshape(-1)  # type: ignore[no-any-return, call-overload]


def _places(op: Op, line: Line) -> Array | None:
    """Return where each element of the result is among those of the operands and a zero, or None for other ops."""
    count = math.prod(line.args[0].shape)
    if op.maker is set_elements:
        places = np.arange(count)
        indices = _indices(op.parameters[0], line.shape)
        places[indices] = count + np.arange(len(indices))  # for NumPy, the last one of equal indices wins
    elif op.maker is on_diagonal:
        places = op.arrays(np.arange(count) - float(count)) + count
    elif getattr(op, "moves", False) and len(line.args) == 1:
        places = op.arrays(np.arange(float(count)).reshape(line.args[0].shape))
    else:
        return None
    return np.asarray(places).astype(np.int64).reshape(line.shape)
