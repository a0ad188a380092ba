"""The ATen ops that a PyTorch function runs, as a graph of `torch.fx` without changes in place.

The function runs once, on the given tensors, and a `Recorder` records its ATen ops. A mode notes the source line of
each call, and hooks note the modules that are running. A second run of the recorded ops, under
`torch.func.functionalize`, replaces each change in place by an op that returns a new tensor, and decomposes ops that
the table does not contain.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import NamedTuple

from tinygraph.bridges.names import numbered
from tinygraph.bridges.operands import Entry, Imported
from tinygraph.bridges.pytorch.names import Names
from tinygraph.bridges.pytorch.ops.table import SHAPES_ONLY, FxGraph, FxNode, Module, TorchTensor, op_of
from tinygraph.bridges.pytorch.recording import Place, Recorder, place_of
from tinygraph.bridges.variables import Variables
from tinygraph.support.messages import described

_PACKAGE = str(Path(__file__).parents[2] / "bridges")


class GivenTensor(NamedTuple):
    """A tensor that the graph reads: an argument, a parameter, a buffer, or another tensor of the program."""

    name: str
    tensor: TorchTensor
    is_argument: bool


class Captured(NamedTuple):
    """A function as a graph of ATen ops.

    Attributes:
        graph: The graph of `torch.fx`.
        inputs: The inputs: arguments, and other tensors that the graph reads.
        sources: The nodes that stand for inputs, each with the index of its input.
        variables: Names of the local variables of the program, and their values, by the numbers of the calls.
    """

    graph: FxGraph
    inputs: list[GivenTensor]
    sources: dict[FxNode, int]
    variables: dict[int, tuple[str, TorchTensor]]

    def needed(self) -> list[FxNode]:
        """Return the nodes on which the result depends, in order.

        Returns:
            The nodes.
        """
        wanted: set[FxNode] = set()
        for node in reversed(self.graph.nodes):
            if node.op == "output" or node in wanted:
                wanted.update(node.all_input_nodes)
        return [node for node in self.graph.nodes if node in wanted]

    def output(self) -> FxNode:
        """Return the node whose value the function returns.

        Returns:
            The node.
        """
        (output,) = [node for node in self.graph.nodes if node.op == "output"]
        return output.args[0][0]


def capture(
    call: Callable[..., object], inputs: Sequence[GivenTensor], names: Names, mapped: Callable[[str, str], Entry | None]
) -> Captured:
    """Run a function, and return the ATen ops that it ran.

    Args:
        call: Function of tensors.
        inputs: The arguments.
        names: Names of the modules and tensors of the program.
        mapped: Function that returns the table's entry for the name and the overload of an op, or None.

    Returns:
        The graph.

    Raises:
        TypeError: If the function does not return a real tensor.
        ValueError: If a module is in training mode, and its result therefore random.
    """
    torch = import_module("torch")
    if tuple(map(int, torch.__version__.split(".")[:2])) < (2, 9):
        raise ImportError(f"from_torch needs PyTorch 2.9 or newer, not {torch.__version__}: pip install -U torch")
    tensors = [given.tensor for given in inputs]
    first = Recorder(tensors)
    with ExitStack() as stack:
        stack.enter_context(torch.enable_grad())
        stack.enter_context(_plain_kernels())
        variables: dict[int, tuple[str, TorchTensor]] = {}
        watched = stack.enter_context(_watched(call, names, first, variables))
        with first.recording():
            result = watched(*tensors)
    graph = first.finish(result)
    constants = list(first.constants.values())
    given = [*inputs, *_named(constants, names)]
    if not any(_is_open(node, mapped) for node in graph.nodes):
        read = {node: i for i, node in enumerate(first.constants, len(inputs))}
        return Captured(graph, given, _placeholders(graph) | read, variables)
    second = Recorder([*tensors, *constants], _decompositions(mapped))

    def again(*values: TorchTensor) -> Imported:
        read = dict(zip(first.constants, values[len(inputs) :], strict=True))
        return _run(second, graph, values[: len(inputs)], read)

    with torch.no_grad(), _plain_kernels(), second.recording():
        result = torch.func.functionalize(again, remove="mutations")(*tensors, *constants)
    graph = second.finish(result)
    given += _named(second.constants.values(), names)
    read = {node: i for i, node in enumerate(second.constants, len(inputs) + len(constants))}
    return Captured(graph, given, _placeholders(graph) | read, variables)


def _is_open(node: FxNode, mapped: Callable[[str, str], Entry | None]) -> bool:
    """Return whether a node changes a tensor in place, or needs a decomposition."""
    name, overload = op_of(node.target)
    if node.op != "call_function" or not name:
        return False
    if node.target._schema.is_mutable:
        return True
    known = mapped(name, overload) or name in SHAPES_ONLY
    return bool(node.all_input_nodes) and not known


def _placeholders(graph: FxGraph) -> dict[FxNode, int]:
    return {node: i for i, node in enumerate([node for node in graph.nodes if node.op == "placeholder"])}


def _named(tensors: Iterable[TorchTensor], names: Names) -> list[GivenTensor]:
    """Return the tensors that a program reads besides its arguments, with their names."""
    found = [(tensor, names.of(tensor)) for tensor in tensors]
    return [
        GivenTensor(name or (f"tensor{i}" if tensor.requires_grad else ""), tensor, False)
        for i, (tensor, name) in enumerate(found)
    ]


def _run(
    recorder: Recorder, graph: FxGraph, inputs: Sequence[TorchTensor], constants: dict[FxNode, TorchTensor]
) -> TorchTensor:
    """Run a graph, and give the nodes that are recorded meanwhile the places of its nodes."""
    map_arg = import_module("torch.fx.node").map_arg
    values: dict[FxNode, Imported] = dict(constants)
    waiting = iter(inputs)
    for node in graph.nodes:
        args = map_arg((node.args, node.kwargs), values.__getitem__)
        if node.op == "placeholder":
            values[node] = next(waiting)
        elif node.op == "output":
            return args[0][0][0]
        elif node.op == "call_function":
            with recorder.at(place_of(node)):
                values[node] = node.target(*args[0], **args[1])
    raise AssertionError("a graph ends with its output")


def _decompositions(mapped: Callable[[str, str], Entry | None]) -> dict[object, Callable[..., Imported]]:
    """Return PyTorch's decompositions to core ops, without the ops that the table contains."""
    table = import_module("torch._decomp").core_aten_decompositions()
    return {op: decompose for op, decompose in table.items() if op_of(op)[0] and mapped(*op_of(op)) is None}


@contextmanager
def _plain_kernels() -> Iterator[None]:
    """Let PyTorch run attention and recurrent layers as plain ATen ops, not as one fused op."""
    torch = import_module("torch")
    attention = import_module("torch.nn.attention")
    mha = torch.backends.mha
    was_fast = mha.get_fastpath_enabled()
    mha.set_fastpath_enabled(False)
    try:
        with attention.sdpa_kernel(attention.SDPBackend.MATH):
            yield
    finally:
        mha.set_fastpath_enabled(was_fast)


# --- where ops are called ------------------------------------------------------------------------------


class _Running:
    """The modules that are running. A second call of a module in the same scope gets a number, as in "layer[1]".

    Args:
        names: Names of the modules.
    """

    def __init__(self, names: Names) -> None:
        self._names = names
        self._stack: list[tuple[str, tuple[str, ...]]] = [("", ())]
        self._counts: dict[tuple[str, ...], int] = {}

    @property
    def scope(self) -> tuple[str, ...]:
        """The scopes of what is called now, outermost first."""
        return self._stack[-1][1]

    def start(self, module: Module) -> None:
        """Note that a module starts to run."""
        outer, scope = self._stack[-1]
        name, shown, kind = self._names.called(module, outer)
        self._stack.append((name, (*scope, numbered(shown, scope, self._counts) + kind) if shown else scope))

    def end(self) -> None:
        """Note that the innermost module has run."""
        self._stack.pop()


@contextmanager
def _module_hooks(running: _Running, names: Names) -> Iterator[None]:
    """Note which modules start and end inside the context."""
    hooks = import_module("torch.nn.modules.module")
    thread = threading.get_ident()

    def before(module: Module, _: object) -> None:
        if threading.get_ident() == thread:
            running.start(module)
            _check_deterministic(module, names)

    def after(*_: object) -> None:
        if threading.get_ident() == thread:
            running.end()

    handles = [
        hooks.register_module_forward_pre_hook(before),
        hooks.register_module_forward_hook(after, always_call=True),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def _watched(
    call: Callable[..., object], names: Names, recorder: Recorder, variables: dict[int, tuple[str, TorchTensor]]
) -> Iterator[Callable[..., TorchTensor]]:
    """Return a function that runs `call`, and notes the place of each ATen op, and what variables contain."""
    torch = import_module("torch")
    running = _Running(names)
    numbers, results = count(), dict[int, tuple[int, TorchTensor]]()  # the results are kept, so that their ids stay

    def noted(
        _: object,
        function: Callable[..., object],
        __: object,
        args: tuple[object, ...] = (),
        kwargs: dict[str, object] | None = None,
    ) -> object:
        line, custom = _position()
        scope, number = running.scope, next(numbers)
        grad = torch.is_grad_enabled() or bool(custom)
        with recorder.at(Place((*scope, custom) if custom else scope, line, custom, grad, number)):
            result = function(*args, **(kwargs or {}))
        if torch.is_tensor(result):
            results[id(result)] = number, result
        return result

    mode = type("Watching", (torch.overrides.TorchFunctionMode,), {"__torch_function__": noted})

    def watched(*tensors: TorchTensor) -> TorchTensor:
        with mode(), Variables(lambda x: id(x) in results) as found:
            result = _checked(call(*tensors))
        variables.update({results[id(x)][0]: (name, x.detach()) for name, x in found.found() if not x._version})
        return result

    with _module_hooks(running, names):
        yield watched


def _checked(result: object) -> TorchTensor:
    """Return the result of a function if it is a real tensor."""
    torch = import_module("torch")
    if not torch.is_tensor(result):
        raise TypeError(f"f must return one tensor, not {described(result)}: return the tensor that you want to see")
    if not result.is_floating_point():  # type: ignore[attr-defined]
        raise TypeError(f"f must return a tensor of floats, not of {result.dtype}")  # type: ignore[attr-defined]
    return result


def _is_library(file: str) -> bool:
    """Return whether a file is part of PyTorch or of this folder, and not the user's."""
    return file.startswith((str(Path(import_module("torch").__file__ or "").parent), _PACKAGE, "<frozen"))


def _position() -> tuple[str, str]:
    """Return the innermost source line outside PyTorch, and the custom autograd Function that is running, or ""."""
    frame, line, custom = sys._getframe(2), "", ""
    while frame is not None:
        code = frame.f_code
        if code.co_filename.startswith(_PACKAGE):
            break
        if not _is_library(code.co_filename):
            line = line or f"{code.co_filename}:{frame.f_lineno}"
        elif code.co_name == "apply" and code.co_filename.endswith("function.py") and not custom:
            custom = getattr(frame.f_locals.get("cls"), "__name__", "")
        if frame.f_back is None:
            break
        frame = frame.f_back
    return line, custom


def _check_deterministic(module: Module, names: Names) -> None:
    """Raise ValueError for a layer whose result is random, or that changes its buffers, in training mode."""
    nn = import_module("torch").nn
    if not module.training:
        return
    name = names.modules.get(id(module), "")
    called = f"the module {name} ({type(module).__name__})" if name else f"the module {type(module).__name__}"
    dropouts = nn.Dropout, nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.AlphaDropout, nn.FeatureAlphaDropout
    if isinstance(module, dropouts) and module.p > 0:
        raise ValueError(f"{called} is in training mode, so its result is random: call .eval() on the model first")
    if getattr(module, "running_mean", None) is not None:
        raise ValueError(
            f"{called} is in training mode, so a call changes its running statistics: call .eval() on the model first"
        )
