"""Names of tensors and modules: what the user's program calls them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from tinygraph.bridges.names import used
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
        found = list(used(f))
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

    def called(self, module: Module, outer: str) -> tuple[str, str, str]:
        """Return what a module is called that starts to run.

        Args:
            module: The module.
            outer: Qualified name of the module that calls it, or "".

        Returns:
            Its qualified name, the name of its scope, relative to the module around it, and its class in parentheses
            if the name ends with a number, else "". A module that is imported alone has no scope, because its scope
            would contain the whole graph.
        """
        kind = type(module).__name__
        name = self.modules.get(id(module), kind)
        shown = name.removeprefix(f"{outer}.") if outer else name
        return name, shown, f" ({kind})" if shown.rpartition(".")[2].isdecimal() else ""


def _joined(prefix: str, name: str) -> str:
    return ".".join([part for part in (prefix, name) if part])
