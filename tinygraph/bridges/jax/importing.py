"""`from_jax`: a JAX function as an ordinary graph of Tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

from tinygraph.bridges.frameworks import framework
from tinygraph.bridges.jax.building import build
from tinygraph.bridges.jax.capture import capture, check_one_array
from tinygraph.bridges.jax.checks import prove
from tinygraph.bridges.jax.names import leaves_of
from tinygraph.bridges.jax.ops.entries import TABLE
from tinygraph.bridges.jax.ops.table import JaxArray
from tinygraph.bridges.jax.program import GivenArray
from tinygraph.bridges.names import check_call, names_of_arguments
from tinygraph.bridges.operands import Entry
from tinygraph.bridges.proof import Proof
from tinygraph.support.arguments import check_function, check_integer, check_mapping
from tinygraph.support.messages import described
from tinygraph.tensor.tensor import Tensor


def from_jax(
    f: Callable[..., object],
    *args: object,
    argnums: int | Sequence[int] | None = None,
    mapping: Mapping[object, Entry] | None = None,
    max_iterations: int = 1000,
    check: bool = True,
    report: Callable[[Proof], object] | None = None,
) -> Tensor:
    """Return the graph of a JAX function, such as the loss of your model, at the given arguments.

    The result is an ordinary graph of Tensors. You can draw it, step through it, diagnose it, save it, and compute
    second derivatives. It computes with float64, also if JAX computes with float32. The call
    `jax.config.update("jax_enable_x64", True)` lets JAX itself compute with float64. Nested calls (`jit`, `vmap`,
    `custom_vjp`, `checkpoint`) are replaced by what they run, loops are unrolled, and a branch is the one that was
    taken. Each function that f calls is a scope, and each node knows the source line of your program (`node.line`).
    `tinygraph.bridges.named_leaves` returns the leaves by name.

    Arrays of floats in the arguments, and numbers of type float, become leaves. Their names are their paths, such as
    `params.dense.kernel`. Arrays that f refers to from outside become constants.

    Args:
        f: Function that returns one array of floats. It is called twice.
        *args: Arguments of f: arrays, numbers, pytrees of them, and any other objects.
        argnums: Position of the argument that gets gradients, or several positions. The arrays of other arguments
            become constants. Defaults to all arguments.
        mapping: Dict from JAX primitives, such as `jax.lax.erf_inv_p`, to functions of Tensors that replace or complete
            the table of primitives. Defaults to no functions.
        max_iterations: Largest number of iterations of a loop. Defaults to 1000.
        check: If true, compare the value of each primitive, and each gradient, with those of JAX. Defaults to true.
        report: Function that is called with the `Proof`, for example `print`. Defaults to no report.

    Returns:
        The root of the graph.

    Raises:
        DisagreementError: If a value or a gradient differs from JAX's. The message names the first primitive that
            differs, or the function whose `custom_vjp` or `custom_jvp` is not the derivative of its body.
        NotImplementedError: If the table does not contain a primitive that f runs.
        ValueError: If a loop has more iterations, or if the result does not depend on the arguments.
        TypeError: If f does not return one array of floats, or needs the numbers of an array while JAX traces it.
        ImportError: If JAX is not installed.

    Examples:
        >>> from tinygraph import from_jax
        >>> import jax.numpy as jnp  # doctest: +SKIP
        >>> from_jax(lambda x: (x**2).sum(), jnp.array([1.0, 2.0]))  # doctest: +SKIP
        Tensor(5.0, op='sum')
    """
    check_function("f", f)
    if report is not None:
        check_function("report", report)
    check_integer("max_iterations", max_iterations, 1)
    table = _table(mapping)
    framework("jax")
    check_call(f, args, "from_jax")
    program = _Call(f, args, _positions(argnums, len(args)))
    captured = capture(f, program.call, program.inputs, max_iterations)
    built = build(captured, table, program.wanted)
    if check:
        proof = prove(captured, built, program.call)
        if report is not None:
            report(proof)
    return built.root


def _positions(argnums: object, count: int) -> Sequence[int]:
    """Return the positions of the arguments that get gradients."""
    if argnums is None:
        return range(count)
    positions = list(argnums) if isinstance(argnums, (list, tuple)) else [argnums]
    whole = [i for i in positions if isinstance(i, int) and not isinstance(i, bool) and -count <= i < count]
    if not positions or len(whole) < len(positions):
        raise ValueError(
            f"argnums must be the position of an argument, or several of them, below {count}, not {described(argnums)}"
        )
    return [i % count for i in whole]


class _Call:
    """A function with its arguments, as a function of the arrays of floats among them."""

    def __init__(self, f: Callable[..., object], args: Sequence[object], positions: Sequence[int]) -> None:
        tree = import_module("jax.tree_util")
        self.f = f
        names = names_of_arguments(f, args)
        leaves, self._structure = leaves_of(names, args)
        counts = [tree.tree_structure(arg).num_leaves for arg in args]
        owners = [i for i, count in enumerate(counts) for _ in range(count)]
        self._leaves = [leaf for _, leaf in leaves]
        self._places = [i for i, (name, leaf) in enumerate(leaves) if _is_float(name, leaf)]
        self.inputs = [GivenArray(leaves[i][0], leaves[i][1], True) for i in self._places]
        self.wanted = {k for k, i in enumerate(self._places) if owners[i] in positions}

    def call(self, *arrays: JaxArray) -> JaxArray:
        """Call the function with the arrays in the places of the original ones."""
        leaves = list(self._leaves)
        for i, array in zip(self._places, arrays, strict=True):
            leaves[i] = array
        y: Any = self.f(*import_module("jax.tree_util").tree_unflatten(self._structure, leaves))
        check_one_array(y)
        return y


def _is_float(name: str, leaf: object) -> bool:
    """Return whether a leaf of the arguments is an array of floats, or a float."""
    dtype = getattr(leaf, "dtype", None)
    jnp = import_module("jax.numpy")
    if isinstance(leaf, complex) or (dtype is not None and jnp.issubdtype(dtype, jnp.complexfloating)):
        raise TypeError(f"the argument {name} is complex, but a graph has real numbers: use x.real, x.imag")
    return isinstance(leaf, float) or (dtype is not None and bool(jnp.issubdtype(dtype, jnp.floating)))


def _table(mapping: Mapping[object, Entry] | None) -> dict[str, Entry]:
    """Return the table with the user's functions."""
    if mapping is None:
        return TABLE
    check_mapping("mapping", mapping, "a dict from JAX primitives, such as jax.lax.erf_inv_p, to functions of Tensors")
    table = dict(TABLE)
    for op, function in mapping.items():
        name = getattr(op, "name", None)
        if not isinstance(name, str) or not hasattr(op, "bind"):
            raise TypeError(f"each key of mapping must be a primitive such as jax.lax.erf_inv_p, not {described(op)}")
        check_function(f"mapping[{name}]", function)
        table[name] = function
    return table
