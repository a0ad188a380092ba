"""`from_torch`: a PyTorch function or module as an ordinary graph of Tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module

from tinygraph.bridges.frameworks import framework
from tinygraph.bridges.names import check_call, names_of_arguments
from tinygraph.bridges.operands import Entry, Imported
from tinygraph.bridges.proof import Proof
from tinygraph.bridges.pytorch.building import build
from tinygraph.bridges.pytorch.capture import GivenTensor, capture
from tinygraph.bridges.pytorch.checks import prove
from tinygraph.bridges.pytorch.names import Names
from tinygraph.bridges.pytorch.ops.entries import TABLE
from tinygraph.bridges.pytorch.ops.table import TorchTensor, found
from tinygraph.support.arguments import check_function, check_mapping, like
from tinygraph.support.messages import described
from tinygraph.tensor.tensor import Tensor


def from_torch(
    f: Callable[..., object],
    *args: object,
    mapping: Mapping[object, Entry] | None = None,
    check: bool = True,
    report: Callable[[Proof], object] | None = None,
) -> Tensor:
    """Return the graph of a PyTorch function, such as the loss of your model, at the given arguments.

    The result is an ordinary graph of Tensors. You can draw it, step through it, diagnose it, save it, and compute
    second derivatives. It computes with float64. Parameters have their qualified names, each submodule is a scope, and
    each node knows the source line of your program (`node.line`). `tinygraph.bridges.named_leaves` returns the leaves
    by name.

    A tensor with `requires_grad` gets a gradient, and other tensors become constants. If no tensor has `requires_grad`,
    each argument of floats gets a gradient.

    Args:
        f: Function or module (`torch.nn.Module`) that returns one tensor of floats. It is called twice.
        *args: Arguments of f: tensors, lists, tuples and dicts of tensors, and any other objects.
        mapping: Dict from ATen ops, such as `torch.ops.aten.erfinv`, to functions of Tensors that replace or complete
            the table of ops. Defaults to no functions.
        check: If true, compare the value of each op, and each gradient, with those of PyTorch. Defaults to true.
        report: Function that is called with the `Proof`, for example `print`. Defaults to no report.

    Returns:
        The root of the graph.

    Raises:
        DisagreementError: If a value or a gradient differs from PyTorch's. The message names the first op that differs,
            or the custom `torch.autograd.Function` whose backward pass is not the derivative of its forward pass.
        NotImplementedError: If the table does not contain an op that f runs.
        ValueError: If f is random, as with dropout in training mode, or changes its arguments or buffers in place.
        TypeError: If f does not return one tensor of floats, or needs the number of a tensor, as `if x.sum() > 0` does.
        ImportError: If PyTorch is not installed.

    Examples:
        >>> from tinygraph import from_torch
        >>> import torch  # doctest: +SKIP
        >>> x = torch.tensor([1.0, 2.0])  # doctest: +SKIP
        >>> from_torch(lambda x: (x**2).sum(), x)  # doctest: +SKIP
        Tensor(5.0, op='sum')
    """
    check_function("f", f)
    if report is not None:
        check_function("report", report)
    table = _table(mapping)
    framework("torch")
    check_call(f, args, "from_torch")
    program = _Program(f, args)

    def mapped(name: str, overload: str) -> Entry | None:
        return found(table, name, overload)

    before = program.versions()
    captured = capture(program.call, program.inputs, program.names, mapped)
    for (name, version), (_, now) in zip(before, program.versions(), strict=True):
        if version != now:
            raise ValueError(
                f"f changes {name} in place, but a graph has no state: pass x.clone() for an argument, and call "
                ".eval() on a model with running statistics"
            )
    built = build(captured, mapped)
    if check:
        proof = prove(captured, built, program.call)
        if report is not None:
            report(proof)
    return built.root


class _Program:
    """A function with its arguments, as a function of the tensors among them."""

    def __init__(self, f: Callable[..., object], args: Sequence[object]) -> None:
        self.f, self.args = f, args
        self.names = Names(f)
        self.inputs: list[GivenTensor] = []
        for name, arg in zip(names_of_arguments(f, args), args, strict=True):
            for place, tensor in _tensors(name, arg):
                if tensor.is_complex():
                    raise TypeError(
                        f"the argument {place} is complex, but a graph has real numbers: use x.real, x.imag"
                    )
                self.inputs.append(GivenTensor(place, tensor, True))

    def versions(self) -> list[tuple[str, int]]:
        """Return how often each known tensor was changed in place."""
        arguments = [(given.name, given.tensor) for given in self.inputs]
        return [(name, tensor._version) for name, tensor in (*arguments, *self.names.known)]

    def call(self, *tensors: TorchTensor) -> object:
        """Call the function with the tensors in the places of the original ones."""
        waiting = iter(tensors)
        return self.f(*[_filled(arg, waiting) for arg in self.args])


def _tensors(name: str, arg: object) -> Iterator[tuple[str, TorchTensor]]:
    """Yield the tensors of an argument, with their names."""
    if isinstance(arg, import_module("torch").Tensor):
        yield name, arg
    elif isinstance(arg, dict):
        for key, entry in arg.items():
            yield from _tensors(f"{name}[{key!r}]", entry)
    elif isinstance(arg, (list, tuple)):
        for i, entry in enumerate(arg):
            yield from _tensors(f"{name}[{i}]", entry)


def _filled(arg: Imported, tensors: Iterator[TorchTensor]) -> Imported:
    """Return an argument with the next tensors in the places of the original ones."""
    if isinstance(arg, import_module("torch").Tensor):
        return next(tensors)
    if isinstance(arg, dict):
        return {key: _filled(entry, tensors) for key, entry in arg.items()}
    if isinstance(arg, (list, tuple)):
        entries = [_filled(entry, tensors) for entry in arg]
        return like(arg, entries) if hasattr(arg, "_fields") else type(arg)(entries)
    return arg


def _table(mapping: Mapping[object, Entry] | None) -> dict[str, Entry]:
    """Return the table with the user's functions."""
    if mapping is None:
        return TABLE
    check_mapping("mapping", mapping, "a dict from ATen ops, such as torch.ops.aten.erfinv, to functions of Tensors")
    table = dict(TABLE)
    for op, function in mapping.items():
        name = str(op)
        if not name.startswith("aten."):
            raise TypeError(f"each key of mapping must be an op such as torch.ops.aten.erfinv, not {described(op)}")
        check_function(f"mapping[{name}]", function)
        table[name.removeprefix("aten.").removesuffix(".default")] = function
    return table
