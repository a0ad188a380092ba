"""The kinds of parameters, the graphs that the valid calls use, and the form of a valid call.

A kind lists the wrong values (labels of `WRONG` in the test) that a parameter of this kind may accept.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import tinygraph
from tinygraph import Tensor, Value, datasets, testing
from tinygraph.engine import ops

REAL = {"int", "negative int", "float", "nan", "infinity"}
TEXT = {"str", "empty str", "null character"}
ANYTHING = {"None", "bytes", "dict", "list of strings", "empty list", "namedtuple", "set", "complex", "object",
            "lambda", "class", "generator", "Value", "Tensor", "array of strings", *TEXT, *REAL}  # fmt: skip

KINDS: dict[str, set[str]] = {
    "node": {"Value", "Tensor"},
    "scalar root": {"Value"},
    "a Value": {"Value"},
    "node or none": {"Value", "Tensor", "None"},
    "node or None": {"None"},  # a node of another graph is refused
    "own node": set(),  # a node of the graph, or its name
    "name of a node": set(),
    "nodes": {"Value", "Tensor", "empty list"},  # a node counts as a sequence of one node
    "nodes to differentiate": {"Value", "Tensor", "empty list"},
    "nodes to draw": {"Value", "Tensor"},
    "roots": {"Value", "Tensor"},
    "number": REAL,
    "operand": {*REAL, "empty list", "Value", "Tensor"},
    "operand or None": {*REAL, "empty list", "Value", "Tensor", "None"},
    "operand of a Value": {*REAL, "Value"},
    "bound of a Value": {*REAL, "Value", "None"},
    "condition": {*REAL, "empty list"},
    "finite number": {"int", "negative int", "float"},
    "number or None": {*REAL, "None"},
    "array": {*REAL, "empty list"},
    "array or Tensor": {*REAL, "empty list", "Tensor"},
    "index": {"None", "int", "negative int", "empty list"},
    "selection": {"empty list"},
    "indices": {"int", "negative int", "empty list"},
    "dtype": {"None"},
    "upstream gradient": {"None", *REAL},
    "upstream gradient of an array": {"None", *REAL},
    "mapping": {"dict"},
    "tangents": set(),
    "marks": {"None"},
    "flag": ANYTHING,  # any object with a truth value; a node has none, so it is refused
    "text": TEXT,
    "identifier": {"str"},
    "choice": set(),
    "axis": {"None", "empty list"},
    "one axis": set(),
    "sorting": {"None"},
    "operand of arrays": {*REAL, "empty list", "Tensor"},
    "logits": {"Tensor"},
    "one axis or None": {"None"},
    "mask": {"None", "bool"},
    "permutation": {"None", "empty list"},
    "axis of a new array": {"int", "negative int"},
    "positions": {"int", "empty list"},
    "integer": {"int", "negative int"},
    "count": {"int"},
    "integer or None": {"int", "negative int", "None"},
    "choice or None": {"None"},
    "state": {"None"},
    "answer": REAL,
    "count or None": {"int", "None"},
    "maximum": {"int", "float", "infinity"},
    "distance": {"int", "float", "infinity"},
    "positive": {"int", "float", "infinity"},
    "positive or None": {"int", "float", "infinity", "None"},
    "tolerance or None": {"int", "float", "infinity", "None"},
    "tolerance": {"int", "float", "infinity"},
    "time limit": {"int", "float", "infinity", "None"},
    "format": {"empty str"},
    "engine": {"None", "str", "empty str", "lambda", "class"},
    "size": {"int", "float"},
    "size or None": {"int", "float", "None"},
    "font": {"str"},
    "background": {"None"},
    "path": {"str"},
    "function": {"lambda", "class"},
    "function or None": {"lambda", "class", "None"},
    "function of a node": {"lambda"},
    "target": {"lambda", "class"},
    "op": set(),
    "ops": {"empty list"},
    "ops or None": {"empty list", "None"},
    "strategy": set(),
    "strategy or None": {"None"},
    "names or None": {"None"},
    "shape": {"None"},
    "options": {"empty list"},
    "argument": {*REAL, "dict", "empty list", "Value", "Tensor"},  # also containers of numbers, which f then receives
    "leaves": {"Value", "empty list"},
    "table": set(),
    "Tensors": {"Tensor"},  # the rows of a Tensor
    "labels": set(),
    "weights": {"None"},
    "weights or one weight": {"None", "int", "float"},
    "anything": ANYTHING,
}


class Samples:
    """Fresh graphs and files, so that no call sees the effects of another."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def refresh(self) -> None:
        self.x, self.w = Value(2.0, "x"), Value(3.0, "w")
        self.y = self.x * self.w + self.x
        self.t = Tensor([[1.0, 2.0], [3.0, 4.0]], "t")
        self.T = (self.t * self.t).sum()
        self.stepper = tinygraph.Stepper(self.y)
        self.stepper.step(2)
        self.stepper.break_on("x")
        self.drawing = tinygraph.draw(self.y)
        self.rows = [[0.0, 1.0], [1.0, 0.0], [2.0, 1.0], [3.0, 3.0]]
        self.weights, self.bias = [Value(0.0), Value(0.0)], Value(0.0)
        self.columns = np.array(self.rows).T
        self.W, self.b = Tensor([[0.0], [0.0]]), Tensor(0.0)
        self.table = datasets.Table(("a", "b"), "c", ("no", "yes"), self.rows, [0, 0, 1, 1])
        self.program = testing.RandomProgram((3.0, 2.0), ((ops.mul, (0, 1)),))
        self.tensor_program = testing.RandomTensorProgram((np.array([1.0]),), ((ops.exp, (0,)),))
        self.vectorized = tinygraph.vectorize(self.y)
        self.file = tinygraph.save(self.y, self.folder / "graph.json")
        self.csv = self.folder / "table.csv"
        self.csv.write_text("a,b,c\n0,1,no\n1,0,no\n2,1,yes\n")


class Call(NamedTuple):
    """A valid call: a function that receives the samples and the arguments, the arguments, and their kinds."""

    function: Callable[[Samples], Callable[..., Any]]
    arguments: Callable[[Samples], dict[str, Any]]
    kinds: dict[str, str]
    spread: str = ""  # the parameter *args, whose elements are positional

    def run(self, samples: Samples, **changed: Any) -> Any:
        samples.refresh()
        given = self.arguments(samples) | changed
        function = self.function(samples)
        positional = []
        if self.spread:  # arguments before *args are positional too
            names = list(given)
            for name in names[: names.index(self.spread) + 1]:
                value = given.pop(name)
                positional += [*value] if name == self.spread and name not in changed else [value]
        return function(*positional, **given)


def call(function: Any, kinds: dict[str, str], spread: str = "", /, **arguments: Any) -> Call:
    """Return an entry. An argument or the callable can be a function of the samples, marked by `of`."""

    def resolved(samples: Samples) -> dict[str, Any]:
        return {name: value(samples) if isinstance(value, of) else value for name, value in arguments.items()}

    def called(samples: Samples) -> Callable[..., Any]:
        return function(samples) if isinstance(function, of) else function

    return Call(called, resolved, kinds, spread)


class of:  # noqa: N801
    """A value that is made from the samples."""

    def __init__(self, make: Callable[[Samples], Any]) -> None:
        self.make = make

    def __call__(self, samples: Samples) -> Any:
        return self.make(samples)


# Records that the package creates for you, and hooks that it calls itself. You pass none of their arguments.
NOT_ENTRY_POINTS = {
    "Step", "checking.GradientCheck", "checking.InputCheck", "drawing.Drawing", "drawing.GraphComparison",
    "bridges.Proof", "misconceptions.Comparison",
    "worksheets.Worksheet", "worksheets.Question", "worksheets.ByHand", "worksheets.FindBug",
    "Tensor.view", "Tensor.family", "Value.family",
    "scope.watch", "strict.watch", "trace_lines.watch",
    "misconceptions.Misconception.program", "misconceptions.Misconception.run",
    "testing.RandomProgram.leaf", "testing.RandomProgram.operand_code", "testing.RandomProgram.run",
    "testing.RandomTensorProgram.leaf", "testing.RandomTensorProgram.operand_code", "testing.RandomTensorProgram.run",
    "testing.RandomProgram", "testing.RandomTensorProgram", "datasets.Table", "datasets.Scaler",
}  # fmt: skip
