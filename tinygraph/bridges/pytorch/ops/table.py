"""The table of the ATen ops that `from_torch` knows. Each entry is a small function of nodes and of plain arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeVar

from tinygraph.bridges.operands import Entry

TorchTensor: TypeAlias = Any  # PyTorch is imported when it is used, so its types have no names here
FxNode: TypeAlias = Any
FxGraph: TypeAlias = Any
Overload: TypeAlias = Any  # an ATen op with its overload, such as aten.add.Tensor
Module: TypeAlias = Any
_E = TypeVar("_E", bound=Entry)

# Ops whose result does not depend on the elements of their operand.
SHAPES_ONLY = (
    *("full_like", "zeros_like", "ones_like", "empty_like", "new_full", "new_zeros", "new_ones", "new_empty"),
    *("new_empty_strided", "sym_size", "sym_numel", "sym_stride", "scalar_tensor"),
)
TABLE: dict[str, Entry] = {}


def aten(*names: str) -> Callable[[_E], _E]:
    """Put a function into the table.

    Args:
        *names: Names of ATen ops without overloads, such as "mul", or with one, such as "max.dim".

    Returns:
        A decorator that returns the function unchanged.

    Examples:
        >>> from tinygraph import Tensor
        >>> found(TABLE, "mul", "Tensor")(Tensor([2.0]), 3.0)
        Tensor([6.0], op='mul')
    """

    def register(function: _E) -> _E:
        for name in names:
            TABLE[name] = function
        return function

    return register


def found(table: Mapping[str, Entry], name: str, overload: str) -> Entry | None:
    """Return the entry for an ATen op, or None.

    Args:
        table: Table of entries.
        name: Name of the op.
        overload: Name of its overload.

    Returns:
        The entry for this overload, or for all overloads of the op.
    """
    return table.get(f"{name}.{overload}") or table.get(name)


def op_of(target: object) -> tuple[str, str]:
    """Return the name and the overload of an ATen op.

    Args:
        target: Op, as `torch.ops.aten.mul.Tensor`.

    Returns:
        The two names, such as ("mul", "Tensor"), or two empty strings for another object.
    """
    namespace, _, name = str(target).partition(".")
    name, _, overload = name.rpartition(".")
    return (name, overload) if namespace == "aten" else ("", "")
