"""compile: a recorded graph as a function of its inputs.

The function runs the source text of the vectorized graph and of its derivative. The derivative comes from the
ops' local derivatives, so this file does not depend on any particular op.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from tinygraph.engine.graph import Node
from tinygraph.engine.ops import add, mul
from tinygraph.engine.value import Value
from tinygraph.functional import numbers_of, paired, refilled
from tinygraph.kernels.quiet import quietly
from tinygraph.support.arguments import check_function
from tinygraph.support.messages import counted, described
from tinygraph.support.progress import OnProgress
from tinygraph.tensor.linalg import matmul
from tinygraph.tensor.tensor import Tensor
from tinygraph.vectorizing.codegen import Writer
from tinygraph.vectorizing.flat import Array
from tinygraph.vectorizing.guards import check, comparisons
from tinygraph.vectorizing.inputs import Block, Function, recomputed, tree_of
from tinygraph.vectorizing.program import Line, Program
from tinygraph.vectorizing.vectorized import Vectorized
from tinygraph.vectorizing.views import Shape

LONGEST = 20_000  # maximum number of groups in a program; a graph with more groups is recomputed node by node


Inputs = Value | Tensor | Iterable[Any]  # leaves, nested to any depth


class Compiled:
    """A recorded graph as a function of its inputs: `f(*numbers)` returns (value, gradients).

    The function does not keep a reference to the recorded graph.

    Args:
        root: Root of a graph of Values, or of Tensors. A Tensor must be a scalar.
        inputs: A leaf, or a sequence of leaves, which can be nested.
        on_progress: Function that gets reports, as in `compile`.

    Attributes:
        text: The source text of the function, or "" if the graph is recomputed node by node, as a graph of Tensors is.
    """

    def __init__(self, root: Value | Tensor, inputs: Inputs, on_progress: OnProgress | None = None) -> None:
        kind = Tensor if isinstance(root, Tensor) else Value
        if isinstance(root, Tensor) and root.shape:
            raise ValueError(f"root must be a scalar, but it has shape {root.shape}: call .sum() or .mean() first")
        if on_progress is not None:
            check_function("on_progress", on_progress)
        self._alone = isinstance(inputs, kind)
        self._pack: Callable[..., Any] = getattr(type(inputs), "_make", tuple)  # the gradients of a namedtuple are one
        if isinstance(inputs, kind):
            inputs = [inputs]
        elif isinstance(inputs, (Node, str, bytes, dict, type)) or not isinstance(inputs, Iterable):
            raise TypeError(f"inputs must be a leaf of the graph, or a sequence of leaves, not {described(inputs)}")
        self._trees = [tree_of(nodes, f"inputs[{i}]", kind) for i, nodes in enumerate(inputs)]
        self._inputs: list[Block] = list(numbers_of(self._trees))
        self._flat = all(isinstance(tree, Block) for tree in self._trees)
        marks: dict[Node, int] = {}
        for k, block in enumerate(self._inputs):
            for node in block.nodes:
                if node in marks:
                    raise ValueError(f"{block.place}: {node!r} is an input twice")
                marks[node] = k
        self.text = ""
        if isinstance(root, Tensor):
            self._run = recomputed(root, self._inputs)
            return
        # Not stored, because it refers to all nodes of the graph.
        found = Vectorized(root, marks, only=True, on_progress=on_progress)
        if len(found.groups) > LONGEST:
            self._run = recomputed(root, self._inputs)
        else:
            self._run, self.text = _Composer(found, self._inputs, marks).function()

    def __call__(self, *numbers: Any) -> tuple[float, Any]:
        """Return the value of the graph and its gradients at these numbers.

        Args:
            *numbers: One number or array per input, with the input's shape.

        Returns:
            The value and the gradients. The gradients are a tuple, or a namedtuple like `inputs`, with one gradient per
            input, in the input's shape. If `inputs` was a single leaf, the gradient of this leaf replaces the tuple.

        Raises:
            TypeError: If the number of arguments differs from the number of inputs.
            ValueError: If an array does not have the shape of its input.
            FrozenBranchError: If a comparison between nodes has a different outcome than when the graph was recorded.
        """
        if len(numbers) != len(self._trees):
            raise TypeError(f"the function takes {counted(len(self._trees), 'input')}, got {len(numbers)}")
        if self._flat:
            given = [block.array(part) for block, part in zip(self._inputs, numbers, strict=True)]
        else:
            given = [block.array(part) for block, part in paired("inputs", self._trees, numbers)]
        value, gradients = quietly(self._run, *given)
        if self._alone:
            return float(value), gradients[0]
        if not self._flat:
            gradients = refilled(self._trees, gradients)
        return float(value), self._pack(gradients)


def compile(root: Value | Tensor, inputs: Inputs, *, on_progress: OnProgress | None = None) -> Compiled:
    """Turn a graph into a function f(*numbers) that returns (value, gradients).

    For a graph of Values, the function uses the vectorized graph. For a graph of Tensors, it recomputes a copy of the
    graph, and returns the same bits as `forward()` and `backward()`. Leaves that are not inputs keep their current
    values.

    Args:
        root: Root of a graph of Values, or of Tensors. A Tensor must be a scalar.
        inputs: A leaf, or a sequence of leaves and of nested sequences and dicts of leaves. The function takes one
            number or array per input, or a nested sequence or dict of them, and returns gradients of the same
            structure. The gradient of a constant is 0.
        on_progress: Function that gets reports while a graph of Values is vectorized, as in `vectorize`. Defaults to no
            reports.

    Returns:
        The function. It raises FrozenBranchError if a comparison between nodes has a different outcome than when the
        graph was recorded.

    Raises:
        ValueError: If `root` is a Tensor that is not a scalar, or an input is a computed node, contains no nodes, or is
            given twice.
        TypeError: If `root` is not a node, or an input is not a leaf or a sequence of leaves.

    Examples:
        >>> w, b = [Value(0.5), Value(-0.5)], Value(0.1)
        >>> J = (w[0] * 1.0 + w[1] * 2.0 + b).sigmoid() + (w[0] * 3.0 + w[1] * 4.0 + b).sigmoid()
        >>> f = compile(J, [w, b])
        >>> value, (dw, db) = f([0.0, 0.0], 0.0)
        >>> value, dw, db
        (1.0, array([1. , 1.5]), 0.5)
        >>> w = Tensor([1.0, 2.0])
        >>> compile((w * w).sum(), w)([3.0, 4.0])
        (25.0, array([6., 8.]))
    """
    return Compiled(root, inputs, on_progress)


# --- the source text of a function ------------------------------------------------------------------


class _Variable(NamedTuple):
    """A leaf that is read from an input, and the derivative with respect to this leaf."""

    leaf: Tensor
    block: int  # index of the input
    where: Array  # positions of its elements in the input
    gradient: Line | None


class _Composer:
    """Composes the function for a vectorized graph from inputs, the lines of its program, comparisons and gradients."""

    def __init__(self, found: Vectorized, inputs: Sequence[Block], marks: Mapping[Node, int]) -> None:
        self.inputs = inputs
        program = Program()
        position: dict[Node, int] = {node: k for block in inputs for k, node in enumerate(block.nodes)}
        read: list[tuple[Tensor, list[Node]]] = []
        for name, leaf in found.leaves.items():
            nodes = found.nodes_of(name)
            if nodes[0] in marks:
                program.add_input(leaf, "leaf")
                read.append((leaf, nodes))
        self.root = program.add_result(found.root, {})
        derivatives = found.derivatives()
        self.variables = [
            _Variable(
                leaf,
                marks[nodes[0]],
                np.array([position[node] for node in nodes]),
                program.add_result(derivatives[leaf], {}) if leaf in derivatives else None,
            )
            for leaf, nodes in read
        ]
        self.comparisons = list(comparisons(found))
        for group in self.comparisons:
            group.add_to(program)
        program.finish()
        self.program, self.writer = program, Writer(program, fast=True)

    def function(self) -> tuple[Function, str]:
        """Return the function and its source text."""
        writer, body = self.writer, []
        for line, variable in zip(self.program.inputs, self.variables, strict=True):
            body.append(f"{writer.names[line]} = {self._read(variable)}")
        body += writer.text
        body += [group.text(writer) for group in self.comparisons]
        results = [self._gradient(k, block, body) for k, block in enumerate(self.inputs)]
        body.append(f"return {writer.name(self.root)}, ({''.join(f'{result}, ' for result in results)})")
        parameters = ", ".join([f"given{k}" for k in range(len(self.inputs))])
        text = "\n    ".join([f"def f({parameters}):", *body])
        names: dict[str, Any] = {"np": np, "check": check, **writer.functions, **writer.constants}
        exec(builtins.compile(text, "<tinygraph.compile>", "exec"), names)
        return names["f"], text

    def _read(self, variable: _Variable) -> str:
        """Return code for the elements of an input that form a leaf, in the leaf's shape."""
        block, where, shape = self.inputs[variable.block], variable.where, variable.leaf.shape
        given = f"given{variable.block}"
        if not block.shape:
            return given
        if not shape:
            return f"{given}.item({int(where[0])})"
        if _is_whole(where, block):
            return given if block.shape == shape else f"{given}{_reshaped(shape)}"
        if _is_transpose(where, block, shape):
            return f"{given}.T"
        return f"{given}.ravel()[{self.writer.constant(where.reshape(shape), 'k')}]"

    def _gradient(self, k: int, block: Block, body: list[str]) -> str:
        """Return code that assembles the gradient of input k from its leaves' gradients, always as a new array."""
        writer = self.writer
        parts = [(v.where, v.gradient) for v in self.variables if v.block == k and v.gradient is not None]
        if not block.shape:
            return f"float({writer.name(parts[0][1])})" if parts else "0.0"
        if len(parts) == 1 and (text := self._gradient_of_one(block, *parts[0])):
            return text
        if parts and all(len(where) == 1 and not line.shape for where, line in parts):
            entries = {int(where[0]): writer.name(line) for where, line in parts}
            listed = ", ".join([entries.get(i, "0.0") for i in range(block.size)])
            return f"np.array([{listed}]){'' if len(block.shape) == 1 else _reshaped(block.shape)}"
        body.append(f"gradient{k} = np.zeros({block.shape})")
        for where, line in parts:
            body.append(f"gradient{k}.put({writer.constant(where, 'k')}, {writer.name(line)})")
        return f"gradient{k}"

    def _gradient_of_one(self, block: Block, where: Array, line: Line) -> str:
        """Return code for the gradient of an input that consists of one leaf, or "" for other inputs."""
        name = self.writer.name(line)
        if _is_whole(where, block):
            if not line.shape:
                return f"np.full({block.shape}, {name})"
            same = name if line.shape == block.shape else f"{name}{_reshaped(block.shape)}"
        elif _is_transpose(where, block, line.shape):
            same = f"{name}.T"
        else:
            return ""
        fresh = line.op in (add, mul, matmul) and line.uses == 1
        return same if fresh else f"np.array({same})"


def _is_whole(where: Array, block: Block) -> bool:
    """Return whether the positions cover all elements of an input, in order."""
    return len(where) == block.size and bool((where == np.arange(block.size)).all())


def _is_transpose(where: Array, block: Block, shape: Shape) -> bool:
    """Return whether the positions cover all elements of an input, in the order of its transpose."""
    if len(where) != block.size or len(shape) != 2 or block.shape != shape[::-1]:
        return False
    return bool((where.reshape(shape) == np.arange(block.size).reshape(block.shape).T).all())


def _reshaped(shape: Shape) -> str:
    return f".reshape({', '.join(map(str, shape))})"
