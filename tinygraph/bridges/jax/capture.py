"""The primitives that a JAX function runs, in order, with nested calls, loops and branches replaced by their content.

`jax.make_jaxpr` traces the function once. Its equations then run one by one in float64, because a loop is unrolled, and
a branch chosen, by the values. The result is a list of calls without any control flow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import Any

import numpy as np

from tinygraph.bridges.jax.names import Calls, is_of_jax, name_of, names_of_arrays, source_of
from tinygraph.bridges.jax.ops.table import WHOLE, Equation, JaxArray, Jaxpr, Params
from tinygraph.bridges.jax.program import Call, EquationPlace, GivenArray, TracedFunction
from tinygraph.bridges.jax.reference import compute, in_float64, is_low
from tinygraph.bridges.names import numbered
from tinygraph.bridges.variables import Variables
from tinygraph.support.messages import described


def capture(
    f: Callable[..., object], call: Callable[..., object], inputs: Sequence[GivenArray], limit: int
) -> TracedFunction:
    """Trace a function, and return the primitives that it runs.

    Args:
        f: The user's function.
        call: The function of arrays.
        inputs: The arguments.
        limit: Largest number of iterations of a loop.

    Returns:
        The primitives.

    Raises:
        TypeError: If the function does not return one array of floats.
        ValueError: If a loop has more iterations.
    """
    jax = import_module("jax")
    variables: list[str] = []

    def traced(*arrays: JaxArray) -> tuple[object, list[JaxArray]]:
        with Variables(lambda x: _is_of_level(x, arrays)) as found:
            y = call(*arrays)
        variables[:] = [name for name, _ in found.found()]
        return y, [x for _, x in found.found()]

    try:
        closed = jax.make_jaxpr(traced)(*[given.array for given in inputs])
    except jax.errors.ConcretizationTypeError as error:
        raise TypeError(
            "f needs the numbers of an array while JAX traces it, for example in an `if`: use jax.lax.cond, jnp.where "
            f"or jax.lax.while_loop ({str(error).partition(chr(10))[0]})"
        ) from error
    _check_result(closed.out_avals[: len(closed.out_avals) - len(variables)])
    recorder = _Recorder(limit)
    names = names_of_arrays(f, closed.consts)
    with x64():
        given = [*inputs, *[GivenArray(name, x, False) for name, x in zip(names, closed.consts, strict=True)]]
        numbers = [recorder.constant(x.array) for x in given]
        named = {number: x for number, x in zip(numbers, given, strict=True) if x.name}
        found = recorder.run(closed.jaxpr, numbers[len(inputs) :], numbers[: len(inputs)], EquationPlace((), ""))
    calls = _needed(recorder.calls, [found[0], *recorder.guards])
    low = recorder.low | {np.dtype(x.array.dtype) for x in given if hasattr(x.array, "dtype") and is_low(x.array.dtype)}
    dtype = str(min(low, key=lambda dtype: dtype.itemsize)) if low else "float64"
    called = dict(zip(found[1:], variables, strict=True))
    return TracedFunction(calls, recorder.values, recorder.originals, named, found[0], called, recorder.custom, dtype)


def _is_of_level(x: object, arrays: Sequence[JaxArray]) -> bool:
    """Return whether a value is a traced array that the traced function itself can return.

    Inside of `jit`, `grad` or `scan`, the traced arrays belong to another trace.
    """
    trace = getattr(x, "_trace", None)
    return trace is not None and any(getattr(array, "_trace", None) is trace for array in arrays)


def x64() -> Any:
    """Return a context in which JAX has float64.

    Returns:
        The context.
    """
    jax = import_module("jax")
    if not hasattr(jax, "enable_x64"):
        raise ImportError(f"from_jax needs JAX 0.8 or newer, not {jax.__version__}: pip install -U jax")
    return jax.enable_x64(True)


def _check_result(results: Sequence[Any]) -> None:
    """Raise TypeError if a function does not return one real array of floats."""
    jnp = import_module("jax.numpy")
    if len(results) != 1:
        raise TypeError(f"f must return one array, not {len(results)}: return the array that you want to see")
    if not jnp.issubdtype(results[0].dtype, jnp.floating):
        raise TypeError(f"f must return an array of floats, not of {results[0].dtype}")


def _needed(calls: Sequence[Call], wanted: Iterable[int]) -> list[Call]:
    """Return the calls on which some results depend, in order."""
    needed, kept = set(wanted), []
    for call in reversed(calls):
        if needed.intersection(call.writes):
            needed.update(call.reads)
            kept.append(call)
    return kept[::-1]


_INLINED = (
    *("jit", "pjit", "closed_call", "core_call", "core_closed_call", "custom_jvp_call", "custom_vjp_call"),
    *("custom_vjp_call_jaxpr", "remat", "remat2", "checkpoint", "custom_lin"),
)


class _Recorder:
    """Runs jaxprs in float64, and notes each primitive. Each value has a number.

    Args:
        limit: Largest number of iterations of a loop.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.calls: list[Call] = []
        self.values: dict[int, JaxArray] = {}
        self.originals: dict[int, JaxArray] = {}
        self.guards: list[int] = []
        self.custom: dict[str, str] = {}
        self.low: set[Any] = set()
        self._counts: dict[tuple[str, ...], int] = {}

    def constant(self, x: JaxArray) -> int:
        """Return the number of a new value that no primitive computes."""
        number = len(self.values)
        self.originals[number] = x
        self.values[number] = in_float64(x)
        return number

    def add(
        self,
        name: str,
        params: Params,
        reads: Sequence[int],
        place: EquationPlace,
        primitive: Any = None,
        count: int = 1,
    ) -> list[int]:
        """Run a primitive, and return the numbers of its results."""
        writes = [len(self.values) + i for i in range(count)]
        call = Call(name, primitive, params, tuple(reads), tuple(writes), place)
        for number, x in zip(writes, compute(call, [self.values[i] for i in reads]), strict=True):
            self.values[number] = in_float64(x)
        self.calls.append(call)
        return writes

    def run(self, jaxpr: Jaxpr, constants: Sequence[int], args: Sequence[int], outer: EquationPlace) -> list[int]:
        """Run a jaxpr, and return the numbers of its results."""
        known: dict[Any, int] = dict(zip((*jaxpr.constvars, *jaxpr.invars), (*constants, *args), strict=True))

        def number(x: Any) -> int:
            return self.constant(_literal(x)) if hasattr(x, "val") else known[x]

        calls = Calls(jaxpr, outer, self._counts)
        for equation in jaxpr.eqns:
            self.low.update(x.aval.dtype for x in equation.outvars if is_low(getattr(x.aval, "dtype", None)))
            found = self._equation(equation, [number(x) for x in equation.invars], calls.place(equation))
            known.update(zip(equation.outvars, found, strict=True))
        return [number(x) for x in jaxpr.outvars]

    def _equation(self, equation: Equation, reads: list[int], place: EquationPlace) -> list[int]:
        name, params = equation.primitive.name, equation.params
        if name in _INLINED:
            return self._call(equation, reads, place)
        if name == "cond":
            return self._cond(params, reads, place)
        if name == "scan":
            return self._scan(params, reads, place)
        if name == "while":
            return self._while(params, reads, place)
        return self.add(name, params, reads, place, equation.primitive, len(equation.outvars))

    def _closed(self, closed: Any, args: Sequence[int], place: EquationPlace) -> list[int]:
        """Run a jaxpr with its constants, in the given place."""
        jaxpr = getattr(closed, "jaxpr", closed)
        return self.run(jaxpr, [self.constant(x) for x in getattr(closed, "consts", ())], args, place)

    def _call(self, equation: Equation, reads: list[int], place: EquationPlace) -> list[int]:
        params = equation.params
        closed = next(params[key] for key in ("call_jaxpr", "jaxpr", "fun_jaxpr") if key in params)
        jaxpr = getattr(closed, "jaxpr", closed)
        called = name_of(jaxpr).lstrip("_")
        if called in WHOLE and is_of_jax(jaxpr) and len(equation.outvars) == 1:
            axis = _axis(jaxpr) if WHOLE[called].axis else None
            if axis is not None or not WHOLE[called].axis:
                return self.add(called, {} if axis is None else {"axis": axis}, reads, place)
        name, line = source_of(jaxpr)
        if equation.primitive.name.startswith("custom_") and not is_of_jax(jaxpr):
            self.custom[name or "a lambda"] = line
        return self._closed(closed, reads, self._inside(place, name))

    def _inside(self, place: EquationPlace, name: str, index: int | None = None) -> EquationPlace:
        """Return the place of what a function runs. A second call in the same scope gets a number."""
        if not name:
            return place
        shown = numbered(name, place.scope, self._counts) if index is None else f"{name}[{index}]"
        return EquationPlace((*place.scope, shown), place.line)

    def _cond(self, params: Params, reads: list[int], place: EquationPlace) -> list[int]:
        index, *args = reads
        self.guards.append(index)
        branches = params["branches"]
        chosen = branches[min(max(int(self.values[index]), 0), len(branches) - 1)]
        return self._closed(chosen, args, self._inside(place, source_of(chosen.jaxpr)[0]))

    def _scan(self, params: Params, reads: list[int], place: EquationPlace) -> list[int]:
        consts, carry = params["num_consts"], params["num_carry"]
        fixed, state, xs = reads[:consts], reads[consts : consts + carry], reads[consts + carry :]
        self._check_length(params["length"], "scan", place)
        closed, outputs = params["jaxpr"], []
        name = source_of(closed.jaxpr)[0] or "scan"
        for i in range(params["length"])[:: -1 if params["reverse"] else 1]:
            inside = self._inside(place, name, i)
            elements = [self.add("element", {"index": i}, [x], inside)[0] for x in xs]
            found = self._closed(closed, [*fixed, *state, *elements], inside)
            state = found[:carry]
            outputs.append(found[carry:])
        if params["reverse"]:
            outputs.reverse()
        if not outputs:
            raise NotImplementedError(f"the scan{place.text()} has no iterations: leave it out")
        return [*state, *[self.add("stack", {}, ys, place)[0] for ys in zip(*outputs, strict=True)]]

    def _while(self, params: Params, reads: list[int], place: EquationPlace) -> list[int]:
        first, second = params["cond_nconsts"], params["cond_nconsts"] + params["body_nconsts"]
        of_condition, of_body, state = reads[:first], reads[first:second], reads[second:]
        name = source_of(params["body_jaxpr"].jaxpr)[0] or "while"
        for i in range(self.limit + 1):
            (going,) = self._closed(params["cond_jaxpr"], [*of_condition, *state], place)
            self.guards.append(going)
            if not bool(self.values[going]):
                return list(state)
            self._check_length(i + 1, "while_loop", place)
            state = self._closed(params["body_jaxpr"], [*of_body, *state], self._inside(place, name, i))
        raise AssertionError("the loop ends, or `_check_length` raises")

    def _check_length(self, length: int, kind: str, place: EquationPlace) -> None:
        """Raise ValueError for a loop that is too long."""
        if length > self.limit:
            raise ValueError(
                f"the {kind}{place.text()} has more than {self.limit:,} iterations, and each of them would be drawn: "
                "pass fewer, or max_iterations= with a larger number"
            )


def _literal(x: Any) -> JaxArray:
    return np.asarray(x.val, dtype=x.aval.dtype) if not hasattr(x.val, "dtype") else x.val


def _axis(jaxpr: Jaxpr) -> int | None:
    """Return the axis of the only maximum in a jaxpr, or None."""
    axes = [equation.params["axes"] for equation in jaxpr.eqns if equation.primitive.name == "reduce_max"]
    return int(axes[0][0]) if len(axes) == 1 and len(axes[0]) == 1 else None


def check_one_array(y: object) -> None:
    """Raise TypeError if the result of a function is not one array.

    Args:
        y: The result.

    Raises:
        TypeError: If it is not an array.
    """
    if not hasattr(y, "dtype"):
        raise TypeError(f"f must return one array, not {described(y)}: return the array that you want to see")
