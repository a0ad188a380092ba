"""Turn functions of PyTorch, JAX and autograd into functions that return their value and their gradients."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from importlib import import_module
from inspect import Signature, signature
from typing import TYPE_CHECKING

import numpy as np

from tinygraph.checking.flat import cotangent
from tinygraph.functional import numbers_of, refilled
from tinygraph.support.arguments import check_function
from tinygraph.support.messages import described
from tinygraph.testing.examining.differentiated import Differentiated

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from tinygraph.functional import Function, Tree

    Flat = Callable[[Sequence[Any]], Any]  # a function of a flat list of the framework's arrays, whose result is scalar
    Pair = tuple[object, list[Any]]


class _Framework(ABC):
    """How a framework computes with a function of a flat list of its arrays."""

    name: str

    @abstractmethod
    def value(self, f: Flat, arrays: list[Any]) -> object:
        """Return the value, without gradients."""

    @abstractmethod
    def both(self, f: Flat, arrays: list[Any]) -> Pair:
        """Return the value and the gradients."""

    def pullback(self, f: Flat, arrays: list[Any]) -> Callable[[float], list[Any]]:
        """Return a function of a factor of the cotangent, whose result is the gradients."""
        return lambda factor: self.both(lambda xs: f(xs) * factor, arrays)[1]

    @abstractmethod
    def second(self, f: Flat, arrays: list[Any], direction: Sequence[Any]) -> Pair:
        """Return the derivative along a direction, and its gradients."""

    def compiled(self, f: Flat, arrays: list[Any]) -> Callable[[list[Any]], object] | None:  # noqa: ARG002
        """Return a faster function for the value, or None if there is none."""
        return None

    def call(self, f: Function, args: Sequence[Tree]) -> Any:
        """Return the result of a function of the framework's arrays."""
        return f(*args)

    @abstractmethod
    def scalar(self, f: Differentiated, y: Any) -> Any:
        """Return a result as a scalar: an array is projected on the random cotangent."""


def _adapted(f: Function, load: Callable[[], _Framework]) -> Differentiated:
    """Return a function of nested arrays whose value and gradients another framework computes."""
    check_function("f", f)

    def parts(args: tuple[Tree, ...]) -> tuple[_Framework, Flat, list[Any]]:
        framework = load()  # not before the first call, so that the framework is imported late

        def flat(xs: Sequence[Any]) -> Any:
            return framework.scalar(adapted, framework.call(f, refilled(args, xs)))

        return framework, flat, [np.array(x, dtype=float) for x in numbers_of(args)]

    def value(*args: Tree) -> object:
        framework, flat, arrays = parts(args)
        return framework.value(flat, arrays)

    def both(*args: Tree) -> tuple[object, list[Tree]]:
        framework, flat, arrays = parts(args)
        found, gradients = framework.both(flat, arrays)
        for arg, array in zip(numbers_of(args), arrays, strict=True):
            if isinstance(arg, np.ndarray) and not np.array_equal(arg, array, equal_nan=True):
                arg[...] = array  # f changed its input in place
        return found, refilled(list(args), gradients)

    def second(direction: Sequence[Any], *args: Tree) -> tuple[object, list[Tree]]:
        framework, flat, arrays = parts(args)
        try:
            found, gradients = framework.second(flat, arrays, direction)
        except Exception as error:  # each framework has its own exceptions, such as a missing double backward pass
            reason = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
            raise TypeError(
                f"{framework.name} cannot differentiate f twice, so leave out order=2 ({reason})"
            ) from error
        return found, refilled(list(args), gradients)

    def faster(*args: Tree) -> Callable[..., object] | None:
        framework, flat, arrays = parts(args)
        if (compiled := framework.compiled(flat, arrays)) is None:
            return None
        return lambda *moved: compiled([np.array(x, dtype=float) for x in numbers_of(moved)])

    def pullback(*args: Tree) -> Callable[[float], list[Tree]]:
        framework, flat, arrays = parts(args)
        found = framework.pullback(flat, arrays)
        return lambda factor: refilled(list(args), found(factor))

    adapted = Differentiated(f, both, value, second)
    adapted.pullback, adapted.faster = pullback, faster
    return adapted


class _Torch(_Framework):
    name = "PyTorch"

    def __init__(self) -> None:
        self.torch = import_module("torch")

    def call(self, f: Function, args: Sequence[Tree]) -> Any:
        owner = f if isinstance(f, self.torch.nn.Module) else getattr(f, "__self__", None)
        if isinstance(owner, self.torch.nn.Module):
            for kind, tensors in (("parameters", owner.parameters()), ("buffers", owner.buffers())):
                for dtype in [x.dtype for x in tensors if x.is_floating_point() and x.dtype != self.torch.float64]:
                    raise TypeError(
                        f"the module {type(owner).__name__} has {str(dtype).rpartition('.')[2]} {kind}, but the check "
                        "computes with float64: call .double() on it"
                    )
        try:
            return f(*args)
        except RuntimeError as error:
            if "dtype" in str(error) and "ouble" in str(error):  # PyTorch does not mix dtypes in a product of matrices
                raise TypeError(
                    "a tensor in f has another dtype than float64: call .double() on each module and tensor "
                    f"({str(error).partition(chr(10))[0]})"
                ) from error
            raise

    def scalar(self, f: Differentiated, y: Any) -> Any:
        if not self.torch.is_tensor(y) or y.is_complex():
            kind = f"a tensor of dtype {y.dtype}" if self.torch.is_tensor(y) else type(y).__name__
            raise TypeError(f"f must return a real torch tensor, not {kind}")
        if shape := f.note_shape(y.shape):
            dtype = y.dtype if y.is_floating_point() else self.torch.float64
            return (y * self.torch.tensor(cotangent(shape, 0), dtype=dtype)).sum()
        return y

    def value(self, f: Flat, arrays: list[Any]) -> object:
        with self.torch.no_grad():
            return f([self.torch.tensor(array) for array in arrays]).numpy(force=True)

    def both(self, f: Flat, arrays: list[Any]) -> Pair:
        leaves, y = self._recorded(f, arrays)
        return y.numpy(force=True), [gradient.numpy(force=True) for gradient in self._gradients(y, leaves, False)]

    def second(self, f: Flat, arrays: list[Any], direction: Sequence[Any]) -> Pair:
        leaves, y = self._recorded(f, arrays)
        partials = self._gradients(y, leaves, True)
        along = sum([(g * self.torch.as_tensor(v)).sum() for g, v in zip(partials, direction, strict=True)])
        return along.numpy(force=True), [
            gradient.numpy(force=True) for gradient in self._gradients(along, leaves, False)
        ]

    def _recorded(self, f: Flat, arrays: list[Any]) -> tuple[list[Any], Any]:
        """Return the leaves and the result. What f does to its inputs in place is done to the arrays too."""
        leaves = [self.torch.tensor(array, requires_grad=True) for array in arrays]
        copies = [leaf * 1.0 for leaf in leaves]  # because PyTorch refuses changes of a leaf
        y = f(copies)
        for array, copy in zip(arrays, copies, strict=True):
            array[...] = copy.numpy(force=True)
        return leaves, y

    def _gradients(self, y: Any, leaves: list[Any], again: bool) -> list[Any]:
        """Return the gradients; they are 0 where f cuts the graph."""
        found = [None] * len(leaves)
        if y.requires_grad:
            found = self.torch.autograd.grad(y, leaves, allow_unused=True, create_graph=again)
        return [self.torch.zeros_like(x) if g is None else g for x, g in zip(leaves, found, strict=True)]


class _Jax(_Framework):
    name = "JAX"

    def __init__(self) -> None:
        self.jax = import_module("jax")

    def scalar(self, f: Differentiated, y: Any) -> Any:
        return _projected(f, y)

    def _arrays(self, arrays: list[Any]) -> list[Any]:
        if not self.jax.config.jax_enable_x64:
            raise TypeError('JAX computes with float32: first call jax.config.update("jax_enable_x64", True)')
        return [self.jax.numpy.asarray(x) for x in arrays]

    def value(self, f: Flat, arrays: list[Any]) -> object:
        return np.asarray(f(self._arrays(arrays)))

    def compiled(self, f: Flat, arrays: list[Any]) -> Callable[[list[Any]], object] | None:
        jitted = self.jax.jit(f)
        right = self.value(f, arrays)
        try:
            found = jitted(arrays)
        except Exception:  # f needs numbers, for example in an `if`, and the code of a user can raise any error
            return None
        # A jitted function takes NumPy arrays faster than JAX arrays that must be made first.
        return (lambda xs: np.asarray(jitted(xs))) if np.allclose(found, right, rtol=1e-12, atol=0.0) else None  # type: ignore[arg-type]

    def both(self, f: Flat, arrays: list[Any]) -> Pair:
        value, gradients = self.jax.value_and_grad(f)(self._arrays(arrays))
        return np.asarray(value), [np.asarray(gradient) for gradient in gradients]

    def pullback(self, f: Flat, arrays: list[Any]) -> Callable[[float], list[Any]]:
        value, vjp = self.jax.vjp(f, self._arrays(arrays))  # one call of f, which takes most of the time
        return lambda factor: [np.asarray(x) for x in vjp(factor * self.jax.numpy.ones_like(value))[0]]

    def second(self, f: Flat, arrays: list[Any], direction: Sequence[Any]) -> Pair:
        def along(xs: Sequence[Any]) -> Any:
            return sum([(g * v).sum() for g, v in zip(self.jax.grad(f)(xs), direction, strict=True)])

        return self.both(along, arrays)


class _Autograd(_Framework):
    name = "autograd"

    def __init__(self) -> None:
        self.autograd = import_module("autograd")

    def scalar(self, f: Differentiated, y: Any) -> Any:
        return _projected(f, y)

    def value(self, f: Flat, arrays: list[Any]) -> object:
        return f(self._leaves(arrays))

    def both(self, f: Flat, arrays: list[Any]) -> Pair:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Output seems independent")  # the gradient is then 0, which is checked
            value, gradients = self.autograd.value_and_grad(f)(self._leaves(arrays))
        return value, list(gradients)

    def second(self, f: Flat, arrays: list[Any], direction: Sequence[Any]) -> Pair:
        total = import_module("autograd.numpy").sum

        def along(xs: Sequence[Any]) -> Any:
            return sum([total(g * v) for g, v in zip(self.autograd.grad(f)(xs), direction, strict=True)])

        return self.both(along, arrays)

    @staticmethod
    def _leaves(arrays: list[Any]) -> list[Any]:
        return [array if array.ndim else float(array) for array in arrays]  # a 0-d array is a float for autograd


def _projected(f: Differentiated, y: Any) -> Any:
    """Return an array of JAX or autograd as a scalar."""
    if isinstance(y, (tuple, list, dict)) or y is None:
        raise TypeError(f"f must return one array, not {described(y)}")
    shape = f.note_shape(np.shape(y))
    return (y * cotangent(shape, 0)).sum() if shape else y


def from_torch(f: Function) -> Differentiated:
    """Return a function that computes the value and the gradients of a PyTorch function, to test its gradients.

    To see the graph of a PyTorch function, use `tinygraph.from_torch(f, *args)`.

    Args:
        f: Function of float64 torch tensors, or a module after `.double()`. `torch.autograd.Function.apply` is one too.
            If its result is not a scalar, it is multiplied by random weights (`numpy.random.default_rng(0)`) and
            summed.

    Returns:
        A function of numbers and arrays, for `assert_value_and_grad`. It also has second derivatives, for `order=2`.

    Examples:
        >>> import numpy as np
        >>> from_torch(lambda x: (x * x).sum())(np.array([1.0, 2.0]))  # doctest: +SKIP
        (array(5.), [array([2., 4.])])
    """
    adapted = _adapted(f, _Torch)
    owner = getattr(f, "__self__", None)
    if isinstance(owner, type) and hasattr(owner, "forward"):  # the `apply` of a torch.autograd.Function
        parameters = list(signature(owner.forward).parameters.values())
        with_context = all(
            "setup_context" not in vars(kind) for kind in owner.__mro__ if kind.__module__[:6] != "torch."
        )
        adapted.__signature__ = Signature(parameters[with_context:])
    return adapted


def from_jax(f: Function) -> Differentiated:
    """Return a function that computes the value and the gradients of a JAX function.

    To see the graph of a JAX function, use `tinygraph.from_jax(f, *args)`.

    Args:
        f: Function of float64 JAX arrays, for example a `jax.custom_vjp`. If its result is not a scalar, it is
            multiplied by random weights (`numpy.random.default_rng(0)`) and summed.

    Returns:
        A function of numbers and arrays, for `assert_value_and_grad`. It also has second derivatives, for `order=2`. It
        raises `TypeError` if JAX computes with float32.

    Examples:
        >>> import numpy as np
        >>> from_jax(lambda x: (x * x).sum())(np.array([1.0, 2.0]))  # doctest: +SKIP
        (array(5.), [array([2., 4.])])
    """
    return _adapted(f, _Jax)


def from_autograd(f: Function) -> Differentiated:
    """Return a function that computes the value and the gradients of a function for HIPS autograd.

    Args:
        f: Function that uses `autograd.numpy`, for example a `primitive` with `defvjp`. If its result is not a scalar,
            it is multiplied by random weights (`numpy.random.default_rng(0)`) and summed.

    Returns:
        A function of numbers and arrays, for `assert_value_and_grad`. It also has second derivatives, for `order=2`.

    Examples:
        >>> import numpy as np
        >>> from_autograd(lambda x: (x * x).sum())(np.array([1.0, 2.0]))  # doctest: +SKIP
        (5.0, [array([2., 4.])])
    """
    return _adapted(f, _Autograd)
