"""Names of tensors and modules: what the user's program calls them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib import import_module

from tinygraph.bridges.pytorch.ops.table import Module, TorchTensor


class Names:
    """The names of the modules, parameters and buffers that a function uses.

    A module that is imported alone gives its qualified names ("0.weight"). If a function uses several modules, the name
    of the variable comes first ("encoder.0.weight").

    Args:
        f: Function, or module.

    Attributes:
        modules: Qualified names of the modules, by `id`.
        tensors: Names of the tensors, by `id`.
        known: The tensors, with their names.
    """

    def __init__(self, f: Callable[..., object]) -> None:
        torch = import_module("torch")
        self.modules: dict[int, str] = {}
        self.tensors: dict[int, str] = {}
        self.known: list[tuple[str, TorchTensor]] = []
        found = list(_used(f))
        modules = {id(x): (name, x) for name, x in reversed(found) if isinstance(x, torch.nn.Module)}
        inside = {id(m) for _, x in modules.values() for m in x.modules() if m is not x}
        outermost = [(name, x) for name, x in reversed(modules.values()) if id(x) not in inside]
        for name, module in outermost:
            prefix = "" if len(outermost) == 1 else name
            for inner, part in module.named_modules():
                self.modules.setdefault(id(part), _joined(prefix, inner))
            for inner, tensor in (*module.named_parameters(), *module.named_buffers()):
                self._add(_joined(prefix, inner), tensor)
        for name, tensor in found:
            if isinstance(tensor, torch.Tensor):
                self._add(name, tensor)

    def _add(self, name: str, tensor: TorchTensor) -> None:
        if id(tensor) not in self.tensors:
            self.tensors[id(tensor)] = name
            self.known.append((name, tensor))

    def of(self, tensor: TorchTensor) -> str:
        """Return the name of a tensor, or "" if no variable refers to it.

        Args:
            tensor: Tensor.

        Returns:
            The name.
        """
        return self.tensors.get(id(tensor), "")

    def scope(self, stack: Sequence[Module]) -> tuple[str, ...]:
        """Return the scopes for the modules that are running, outermost first.

        Args:
            stack: Running modules, outermost first.

        Returns:
            One name per module, relative to the module around it. A module that is imported alone has no scope, because
            its scope would contain the whole graph.
        """
        outer, scopes = "", []
        for module in stack:
            name = self.modules.get(id(module), type(module).__name__)
            scopes.append(name.removeprefix(f"{outer}.") if outer else name)
            outer = name
        return tuple([name for name in scopes if name])


def _joined(prefix: str, name: str) -> str:
    return ".".join([part for part in (prefix, name) if part])


def _used(f: object) -> Iterator[tuple[str, object]]:
    """Yield the values that a function refers to, with the names of their variables, also through other functions."""
    waiting, seen = [f], set()
    while waiting:
        for name, value in _referred(waiting.pop(0)):
            yield name, value
            if inspect.isfunction(value) and value not in seen:
                seen.add(value)
                waiting.append(value)


def _referred(f: object) -> Iterator[tuple[str, object]]:
    """Yield the values that a function refers to itself."""
    while isinstance(f, partial):
        for i, given in enumerate(f.args):
            yield f"args[{i}]", given
        yield from f.keywords.items()
        f = f.func
    owner = getattr(f, "__self__", None)
    if owner is not None and not inspect.ismodule(owner):
        yield "self", owner
        yield from _attributes(owner)
    if inspect.isfunction(f) or inspect.ismethod(f):
        variables = inspect.getclosurevars(inspect.unwrap(f))
        for namespace in (variables.nonlocals, variables.globals):
            for name, value in namespace.items():
                yield name, value
                yield from _parts(name, value)
    else:
        yield "", f
        if not inspect.isroutine(f):
            yield from _attributes(f)


def _attributes(owner: object) -> Iterator[tuple[str, object]]:
    for name, value in getattr(owner, "__dict__", {}).items():
        yield name, value
        yield from _parts(name, value)


def _parts(name: str, value: object) -> Iterator[tuple[str, object]]:
    """Yield the elements of a list, a tuple or a dict, with their names, such as `w[1]`."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, (list, tuple)) else ()
    for key, entry in items:
        yield f"{name}[{key!r}]", entry


def names_of_arguments(f: Callable[..., object], args: Sequence[object]) -> list[str]:
    """Return the names of the parameters to which a function binds its positional arguments.

    Args:
        f: Function, or module, whose method `forward` has the parameters.
        args: Positional arguments.

    Returns:
        One name per argument.

    Examples:
        >>> names_of_arguments(lambda x, *rest: x, (1, 2, 3))
        ['x', 'rest[0]', 'rest[1]']
    """
    try:
        parameters = list(inspect.signature(getattr(f, "forward", f)).parameters.values())
    except (TypeError, ValueError):
        parameters = []
    names = []
    for i, _ in enumerate(args):
        if i < len(parameters) and parameters[i].kind in (
            parameters[i].POSITIONAL_ONLY,
            parameters[i].POSITIONAL_OR_KEYWORD,
        ):
            names.append(parameters[i].name)
        else:
            rest = [(k, p.name) for k, p in enumerate(parameters) if p.kind is p.VAR_POSITIONAL]
            names.append(f"{rest[0][1]}[{i - rest[0][0]}]" if rest else f"args[{i}]")
    return names
