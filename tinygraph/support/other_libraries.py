"""Names of PyTorch and micrograd that nodes do not have, and what to write instead. All hints are in this file."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

OPTIONS = {
    "label": "name= names a node",
    "requires_grad": "every node gets a gradient, unless you pass constant=True",
    "dtype": "data are float64",
    "device": "data are NumPy arrays or floats",
}  # options of the constructors of micrograd and PyTorch

PARAMETERS = {"dim": "axis", "keepdim": "keepdims"}  # parameters of PyTorch, with NumPy's names

_DATA = "use .data"
_IN_PLACE = "a computed node cannot be changed: compute a new node, or edit the .data of a leaf"
_DEVICE = "data are NumPy arrays or floats, so there is no device"
_FLOAT64 = "data are float64"

ATTRIBUTES = {
    # micrograd
    "label": "use .name",
    "_prev": "use .operands",
    "_op": "use .op.name",
    "_backward": "the local derivatives are in .partials",
    "value": _DATA,
    "gradient": "use .grad",
    "zero_grad": "each backward() starts from zero, so you can leave it out",
    # PyTorch
    "requires_grad": "every node gets a gradient, unless you create it with constant=True",
    "requires_grad_": "every node gets a gradient, unless you create it with constant=True",
    "retain_grad": "backward() sets .grad of every node, so you can leave it out",
    "is_leaf": "a leaf has the op None",
    "grad_fn": "use .op and .operands",
    "numpy": _DATA,
    **dict.fromkeys(("cpu", "cuda", "to", "device"), _DEVICE),
    **dict.fromkeys(("float", "double"), _FLOAT64),
    **dict.fromkeys(("add_", "sub_", "mul_", "div_", "zero_", "copy_", "fill_", "clamp_"), _IN_PLACE),
    "unsqueeze": "use np.expand_dims(x, axis)",
    "permute": "use .transpose(axes)",
    "t": "use .T",
    "numel": "use .size",
    "dim": "use .ndim",
    **dict.fromkeys(("mm", "bmm", "matmul", "mv"), "use x @ y"),
    "outer": "use np.outer(x, y)",
    "norm": "use np.linalg.norm(x)",
    "clamp": "use .clip(min, max)",
    "pow": "use x ** y",
    **dict.fromkeys(("add", "sub", "mul", "div"), "use the operators + - * /"),
    "masked_fill": "use tinygraph.where(mask, value, x)",
    "gather": "use np.take_along_axis(x, indices, axis)",
    "expand": "use np.broadcast_to(x, shape)",
    "chunk": "use np.split(x, sections)",
    "contiguous": "you can leave it out",
    "clone": "use .detach() for a constant copy",
}


def check_options(function: str, unknown: Mapping[str, object]) -> None:
    """Raise TypeError if a function got keyword arguments that it does not have.

    Args:
        function: Name of the function.
        unknown: Keyword arguments.

    Raises:
        TypeError: If there are any. The message gives the name of PyTorch's parameters in NumPy.

    Examples:
        >>> check_options("softmax", {"dim": 0})
        Traceback (most recent call last):
        TypeError: softmax has no option dim=: NumPy's name is axis=
    """
    for option in unknown:
        hint = f": NumPy's name is {PARAMETERS[option]}=" if option in PARAMETERS else ""
        raise TypeError(f"{function} has no option {option}={hint}")


class _Elsewhere:
    """A name that another library uses. Access raises AttributeError, so that `hasattr` is false, with a hint.

    A method `__getattr__` would give the same hints, but it slows every attribute of a class down in CPython 3.11, and
    a backward pass then takes twice the time. An instance of a subclass that has a `__dict__` can use the name.
    """

    def __init__(self, name: str, hint: str) -> None:
        self.name, self.hint = name, hint

    def __get__(self, node: Any, kind: type) -> Any:
        found = getattr(node, "__dict__", {})
        if node is not None and self.name in found:
            return found[self.name]
        raise self._error(kind, node)

    def __set__(self, node: Any, value: object) -> None:
        if not hasattr(node, "__dict__"):
            raise self._error(type(node), node)
        node.__dict__[self.name] = value

    def __delete__(self, node: Any) -> None:
        if self.name not in getattr(node, "__dict__", ()):
            raise self._error(type(node), node)
        del node.__dict__[self.name]

    def _error(self, kind: type, node: object) -> AttributeError:
        message = f"{kind.__name__!r} object has no attribute {self.name!r}: {self.hint}"
        return AttributeError(message, name=self.name, obj=kind if node is None else node)


def hint_at(kind: type) -> None:
    """Let a class give hints for the names of other libraries that it does not have.

    Args:
        kind: Class of nodes.

    Examples:
        >>> class Node:
        ...     __slots__ = ()
        >>> hint_at(Node)
        >>> hasattr(Node(), "numpy")
        False
        >>> Node().numpy
        Traceback (most recent call last):
        AttributeError: 'Node' object has no attribute 'numpy': use .data...
    """
    for name, hint in ATTRIBUTES.items():
        setattr(kind, name, _Elsewhere(name, hint))


def without_hints(names: Iterable[str]) -> list[str]:
    """Return the names of attributes, without those that only give a hint.

    Args:
        names: Names of attributes.

    Returns:
        The names.

    Examples:
        >>> without_hints(["data", "numpy"])
        ['data']
    """
    return [name for name in names if name not in ATTRIBUTES]
