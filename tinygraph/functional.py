"""Derivatives of functions, with the interface of autograd and JAX, and derivatives along a direction."""

from __future__ import annotations

from tinygraph.engine import autodiff
from tinygraph.engine.backward import as_gradient, compute, seed_of
from tinygraph.engine.clock import clock
from tinygraph.engine.graph import Node, check_fresh, order, require_node
from tinygraph.engine.logits import LogitPair
from tinygraph.engine.operators import Operators
from tinygraph.engine.value import Value
from tinygraph.support.arguments import check_function, check_integer, check_mapping, like
from tinygraph.support.messages import counted, described

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from tinygraph.tensor.tensor import Tensor

    Function = Callable[..., Any]
    Tree = Any  # a number, a node, or a nested list, tuple, namedtuple or dict of numbers or nodes


def value_and_grad(f: Function, argnums: int | Sequence[int] = 0) -> Callable[..., tuple[float, Tree]]:
    """Return a function that computes the value and the gradient of `f`.

    The interface is the same as in autograd and JAX.

    Args:
        f: Function to differentiate. `f` receives Values, or Tensors if an argument that `argnums` selects contains an
            array.
        argnums: Position of the argument to differentiate with respect to, or a sequence of positions. Each of these
            arguments is a number or an array, or a nested list, tuple or dict of them. Defaults to 0.

    Returns:
        A function that takes the same arguments as `f` and returns the value and the gradient. The gradient has the
        same structure as the argument. If `argnums` is a sequence, the gradient is a tuple with one element per
        position.

    Raises:
        TypeError: If `f` is not a function, or if `argnums` contains something other than integers. The returned
            function raises this error if `f` returns something other than a node, for example a plain number that was
            computed from `.data`, or a node whose graph contains none of the arguments. If `f` is constant, it must
            return a constant, such as `Value(0.0, constant=True)`, and the gradient is zero.
        ValueError: If no positional argument is passed for one of the positions. The returned function raises this
            error.

    Examples:
        >>> value_and_grad(lambda w, x: w[0] * x + w[1])([2.0, 1.0], 5.0)
        (11.0, [5.0, 1.0])
        >>> import numpy as np
        >>> value_and_grad(lambda w: (w * w).sum())(np.array([1.0, 2.0]))
        (5.0, array([2., 4.]))
    """
    check_function("f", f)
    several = isinstance(argnums, (list, tuple))
    chosen = tuple([check_integer("argnums", i) for i in (argnums if several else (argnums,))])  # type: ignore[union-attr]

    def wrapped(*args: Tree, **options: Any) -> tuple[float, Tree]:
        if not all(0 <= i < len(args) for i in chosen):
            count = counted(len(args), "positional argument")
            raise ValueError(f"argnums is {argnums!r}, but the function got {count}, and positions are counted from 0")
        given = [args[i] for i in chosen]
        numbers = list(numbers_of(given))
        kind = node_class(numbers)
        leaves = [x if isinstance(x, Node) else kind(x) for x in numbers]
        inputs = dict(zip(chosen, refilled(given, leaves), strict=True))
        y = f(*[inputs.get(i, arg) for i, arg in enumerate(args)], **options)
        if not isinstance(y, Operators):
            raise _not_connected(y, kind)
        found = autodiff.grad(y, leaves)
        if not y.constant and leaves and not any(map(_is_nonzero, found)):
            _check_connected(y, [*leaves, *numbers_of(args)])
        gradients = refilled(given, found)
        return y.item(), tuple(gradients) if several else gradients[0]

    return wrapped


def _not_connected(result: object, kind: type[Value | Tensor]) -> TypeError:
    """Return the error for a function whose result is not a node, so that its gradient would silently be zero."""
    found = f"f must return a {kind.__name__}, but returned {described(result)}"
    if str(getattr(result, "dtype", "")) == "object":
        return TypeError(f"{found}, an array of objects: return one of them, or their sum, result.sum()")
    if not (hasattr(result, "dtype") or hasattr(result, "as_integer_ratio")):
        return TypeError(f"{found}: return one scalar that is computed from the arguments")
    return TypeError(
        f"{found}, which is not connected to the arguments: compute with the arguments themselves, not with their "
        f".data or .item(). If f is constant, return {kind.__name__}(..., constant=True)"
    )


def _is_nonzero(gradient: Any) -> bool:
    """Return whether a gradient is certainly not zero. Other arrays than those of NumPy are not computed."""
    if type(gradient).__module__ == "numpy":
        return bool(gradient.any())
    return isinstance(gradient, float) and gradient != 0.0


def _check_connected(y: Node, arguments: Iterable[object]) -> None:
    """Raise TypeError if the graph of a result contains no argument, so that its gradient would silently be zero."""
    known = {x for x in arguments if isinstance(x, Node)}
    if known.isdisjoint(order(y)):
        raise TypeError(
            f"f returned {described(y)}, whose graph contains none of the arguments: compute with the arguments "
            "themselves, not with new nodes that contain their .data. If f is constant, return result.detach()"
        )


def node_class(numbers: Iterable[object]) -> type[Value | Tensor]:
    """Return the class of the nodes that a function of the given inputs gets.

    Args:
        numbers: Numbers, arrays and nodes.

    Returns:
        Tensor if the inputs include an array or a Tensor, otherwise Value.
    """
    others = [x for x in numbers if not isinstance(x, Value)]
    if not any(isinstance(x, Node) or bool(getattr(x, "shape", ())) for x in others):
        return Value
    from tinygraph.tensor.tensor import Tensor

    return Tensor


# --- nested lists, tuples and dicts of numbers ------------------------------------------------------


def numbers_of(tree: Tree) -> Iterator[Any]:
    """Yield the numbers in a nested list, tuple or dict, in order.

    Args:
        tree: Number, or nested list, tuple or dict of numbers.

    Yields:
        The numbers.

    Examples:
        >>> list(numbers_of({"w": [1.0, 2.0], "b": 3.0}))
        [1.0, 2.0, 3.0]
    """
    for _, number in named_numbers("", tree):
        yield number


def named_numbers(name: str, tree: Tree) -> Iterator[tuple[str, Any]]:
    """Yield the numbers in a nested list, tuple or dict, each with the code that selects it.

    Args:
        name: Code for the whole structure.
        tree: Number, or nested list, tuple or dict of numbers.

    Yields:
        A pair (code, number) for each number.

    Examples:
        >>> list(named_numbers("p", {"w": [1.0, 2.0], "b": 3.0}))
        [("p['w'][0]", 1.0), ("p['w'][1]", 2.0), ("p['b']", 3.0)]
    """
    if isinstance(tree, dict):
        for key, branch in tree.items():
            yield from named_numbers(f"{name}[{key!r}]", branch)
    elif isinstance(tree, (list, tuple)):
        fields = getattr(tree, "_fields", None)  # of a namedtuple
        for i, branch in enumerate(tree):
            yield from named_numbers(f"{name}.{fields[i]}" if fields else f"{name}[{i}]", branch)
    else:
        yield name, tree


def paired(name: str, tree: Tree, other: Tree) -> Iterator[tuple[Any, Any]]:
    """Yield each number of a nested list, tuple or dict with the part of another structure in the same place.

    Args:
        name: Code for the other structure, for messages.
        tree: Number, or nested list, tuple or dict of numbers.
        other: Structure that has the same sequences and dicts down to the numbers of `tree`.

    Yields:
        A pair (number, part) for each number of `tree`.

    Raises:
        ValueError: If the other structure has other keys, or another number of parts.

    Examples:
        >>> list(paired("p", {"w": 1.0, "b": 2.0}, {"b": [3.0], "w": "four"}))
        [(1.0, 'four'), (2.0, [3.0])]
    """
    if isinstance(tree, dict):
        if not isinstance(other, dict) or other.keys() != tree.keys():
            raise ValueError(f"{name} must be a dict with the keys {', '.join(map(repr, tree))}, got {other!r}")
        for key, branch in tree.items():
            yield from paired(f"{name}[{key!r}]", branch, other[key])
    elif isinstance(tree, (list, tuple)):
        if isinstance(other, (dict, str)) or not hasattr(other, "__len__") or len(other) != len(tree):
            needed = counted(len(tree), "part")
            raise ValueError(f"{name} has parts of different shapes, so it needs {needed}, got {other!r}")
        for i, (branch, part) in enumerate(zip(tree, other, strict=True)):
            yield from paired(f"{name}[{i}]", branch, part)
    else:
        yield tree, other


def refilled(tree: Tree, numbers: Iterable[object]) -> Tree:
    """Return a copy of a nested list, tuple or dict, with its numbers replaced.

    Args:
        tree: Number, or nested list, tuple or dict of numbers.
        numbers: New numbers, in order.

    Returns:
        The new structure.

    Examples:
        >>> refilled({"w": [1.0, 2.0], "b": 3.0}, [4.0, 5.0, 6.0])
        {'w': [4.0, 5.0], 'b': 6.0}
    """
    return _refilled(tree, iter(numbers))


def _refilled(tree: Tree, numbers: Iterator[object]) -> Tree:
    if isinstance(tree, dict):
        return {key: _refilled(branch, numbers) for key, branch in tree.items()}
    if isinstance(tree, (list, tuple)):
        branches = [_refilled(branch, numbers) for branch in tree]
        return like(tree, branches) if hasattr(tree, "_fields") else type(tree)(branches)
    return next(numbers)


def jvp(y: Node, tangents: Mapping[Any, Any]) -> Any:
    """Return the derivative of `y` along the given direction: a Jacobian-vector product (JVP), in forward mode.

    Args:
        y: Output to differentiate.
        tangents: Mapping from nodes to their rates of change along the direction. Each rate has its node's shape.

    Returns:
        A float, or an array with the shape of `y` for Tensors.

    References:
        A. G. Baydin, B. A. Pearlmutter, A. A. Radul and J. M. Siskind, "Automatic differentiation in machine learning:
        a survey", Journal of Machine Learning Research 18(153), 1-43, 2018.

    Examples:
        >>> from tinygraph import Value
        >>> a, b = Value(2.0), Value(3.0)
        >>> jvp(a * b, {a: 1.0, b: 10.0})
        23.0
    """
    nodes = order(require_node(y, "jvp: y"))
    check_mapping("tangents", tangents, "a dict from nodes to rates of change")
    known: dict[Node, Any] = {
        x: seed_of(require_node(x, "each key of tangents"), t, "tangent") for x, t in tangents.items()
    }

    def push() -> None:
        for node in reversed(nodes):
            if any(operand in known for operand in node.operands) and node not in tangents:
                moved = [
                    _moved(local, operand, known, tangents)
                    for operand, local in zip(node.args, node.multipliers, strict=True)
                    if local is not None and operand in known
                ]
                if moved:
                    known[node] = sum(moved, start=-0.0)

    with clock.lock:
        check_fresh(nodes)
        compute(y, push)
        check_fresh(nodes)
    return as_gradient(y, known.get(y))


def _moved(local: Any, operand: Node, known: Mapping[Node, Any], tangents: Mapping[Any, Any]) -> Any:
    """Return the contribution of an operand to a tangent. An activation contributes the tangent of its logit."""
    if type(local) is LogitPair:
        moves, x = [], operand
        while x not in tangents and x.op is not None and x.op.moves:
            moves.append(x.op)
            x = x.x
        if x not in tangents and x.x in known:
            tangent = known[x.x]
            for op in reversed(moves):
                tangent = op(tangent)
            return local.logit * tangent
        local = local.activation
    return local * known[operand]
