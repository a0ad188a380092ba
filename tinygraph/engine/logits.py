"""Ops of an activation that know its logit, so that no digits are lost where the activation rounds to 1.

A float near 1 cannot tell how far it is from 1. So if an op such as `binary_cross_entropy` is recorded on an activation
a = sigmoid(z), its value and its local derivative dL/da are computed from z. The product dL/da × da/dz would still lose
digits in second derivatives, and it overflows for |z| > 709. So the gradient of `a` is a `LogitPair` during a pass: it
also contains dL/dz, which the node `a` then passes to z. A pass over Values needs no pairs up to `PLAIN_LIMIT`.
"""

from __future__ import annotations

from contextvars import Context

from tinygraph.engine.op import _NOTHING, TABLE, Op, Traced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any


PLAIN_LIMIT = 300.0  # up to this size of z, dL/da × da/dz stays in range, also after it is scaled by up to 1e170


class LogitPair:
    """A derivative with respect to an activation, together with the derivative with respect to its logit.

    The chain rule uses a pair like a number: `upstream * pair` scales both derivatives, `+` adds the contributions
    of other nodes, and `pair * local` returns the contribution to the logit. That contribution is the known
    derivative, plus `others * local`.

    Args:
        activation: Derivative with respect to the activation.
        logit: Part of the derivative with respect to the logit that is already known.
        others: Contributions to the activation whose derivative with respect to the logit is not known, or None.
        owner: Node of the activation, whose `.grad` becomes `activation` when the node passes its gradient on.

    Examples:
        >>> pair = 0.5 * LogitPair(4.0, 1.0) + 3.0
        >>> pair.activation, pair.logit, pair.others, pair * 0.25
        (5.0, 0.5, 3.0, 1.25)
    """

    __slots__ = ("activation", "logit", "others", "owner")
    __array_ufunc__ = None  # makes NumPy call our __rmul__ and __radd__

    def __init__(self, activation: Any, logit: Any, others: Any = None, owner: Any = None) -> None:
        self.activation, self.logit, self.others, self.owner = activation, logit, others, owner

    def through(self, function: Callable[[Any], Any]) -> LogitPair:
        """Return the pair with a linear function applied to each part."""
        others = None if self.others is None else function(self.others)
        pair = LogitPair(function(self.activation), function(self.logit), others)
        self.settle()
        return pair

    def settle(self) -> None:
        """Replace the pair by a plain gradient in its owner, when the owner has passed its gradient on."""
        if self.owner is not None:
            self.owner.raw_grad = self.owner._gradient(self.activation)

    def __rmul__(self, upstream: Any) -> LogitPair:
        return LogitPair(upstream * self.activation, upstream * self.logit, None, self.owner)

    def __add__(self, other: Any) -> LogitPair:
        owner = self.owner
        if type(other) is LogitPair:
            return LogitPair(
                self.activation + other.activation, self.logit + other.logit, _sum(self.others, other.others), owner
            )
        if type(other) is float and other == 0.0:  # the start of a sum
            return LogitPair(other + self.activation, other + self.logit, self.others, owner)
        return LogitPair(self.activation + other, self.logit, _sum(self.others, other), owner)

    __radd__ = __add__

    def __mul__(self, local: Any) -> Any:
        if getattr(type(local), "linear_map", False):  # the Jacobian of an op that moves elements
            return self.through(lambda part: part * local)
        self.settle()
        return self.logit if self.others is None else self.logit + self.others * local


def _sum(x: Any, y: Any) -> Any:
    return y if x is None else x if y is None else x + y


def plain(derivative: Any) -> Any:
    """Return a derivative without the derivative with respect to a logit."""
    return derivative.activation if type(derivative) is LogitPair else derivative


class ActivationOp(Op):
    """An op whose first operand is an activation. If this is the sigmoid of a node, the op is computed from that node.

    Args:
        name: Name of the op.
        floats: Kernel for floats, for an activation without a known logit.
        of_logit: Op that computes the same from the logit.
        **columns: Other arguments of `Op`.

    Examples:
        >>> from tinygraph import Value
        >>> from tinygraph.engine.ops import binary_cross_entropy, sigmoid
        >>> z = Value(800.0)
        >>> L = binary_cross_entropy(sigmoid(z), 0.0)
        >>> L.backward()
        >>> L.data, z.grad
        (800.0, 1.0)
    """

    __slots__ = ("of_logit",)

    def __init__(self, name: str, floats: Callable[..., float], *, of_logit: Op, **columns: Any) -> None:
        super().__init__(name, floats, **columns)
        self.detour = self.of_logit = of_logit

    def partials_at(self, out: Any, operands: Sequence[Any], wanted: list[bool]) -> tuple[Any, ...]:
        """Return the local derivatives. The first one is a `LogitPair` if the operands are nodes with a known logit."""
        z = logit_of(operands[0])
        if z is None:
            return super().partials_at(out, operands, wanted)
        # dL/da can overflow where dL/dz does not, so contexts such as strict() do not see the nodes of dL/da
        found = list(Context().run(super().partials_at, out, operands, wanted))
        if wanted[0]:
            found[0] = LogitPair(found[0], self.of_logit.partials[0](out, z, *operands[1:]))
        return tuple(found)

    def read_at(self, args: Sequence[Any]) -> Sequence[Any]:
        """Return what a node is computed from: its operands, and the logit if it is known."""
        source = _source(args[0])
        return args if source is None else (*args, source.x)

    def value_at(self, args: Sequence[Any]) -> Any:
        """Return the value at a node's operands, computed from the logit, or None if the logit is not known."""
        z = _logit_number(args[0])
        if z is None:
            return None
        numbers = [getattr(arg, "raw", arg) for arg in args[1:]]
        return self.of_logit.floats(z, *numbers) if type(z) is float else self.of_logit.arrays(z, *numbers)

    def pairs_at(self, out: Any, args: Sequence[Any], wanted: list[bool]) -> tuple[Any, ...] | None:
        """Return the local derivatives at a node's operands, or None if the logit is not known.

        The first one is a `LogitPair`, except if the logit is a float up to `PLAIN_LIMIT`. It is then dL/dz divided by
        the local derivative of the sigmoid, so a pass that multiplies these two floats gets dL/dz again.
        """
        z = _logit_number(args[0])
        if z is None:
            return None
        numbers = [getattr(arg, "raw", arg) for arg in args[1:]]
        found = list(super().partials_at(out, [_Activation(z), *numbers], wanted))
        if wanted[0]:
            local = self.of_logit.partials[0](out, z, *numbers)
            small = type(z) is float and abs(z) <= PLAIN_LIMIT and args[0].x_partial  # 0 only in a damaged file
            found[0] = local / args[0].x_partial if small else LogitPair(found[0], local)
        return tuple(found)

    def numbers_at(self, a: Any, y: float) -> tuple[float, float] | None:
        """Return the value and the first local derivative at a Value and a number, as `value_at` and `pairs_at` do.

        This is the fast version for recording. The result is None if the logit is larger than `PLAIN_LIMIT`.
        """
        z = a.x.raw
        if not -PLAIN_LIMIT <= z <= PLAIN_LIMIT:
            return None
        out = self.of_logit.floats(z, y)
        return out, self.of_logit.partials[0](out, z, y) / a.x_partial

    def paired(self, local: float, out: float, args: Sequence[Any]) -> float | LogitPair:
        """Return the stored local derivative as a pair that belongs to the activation, if the logit is known."""
        pairs = self.pairs_at(out, args, [True, False][: len(args)])
        pair = pairs[0] if pairs else local
        return LogitPair(local, pair.logit, None, args[0]) if type(pair) is LogitPair else local

    def _call(self, x: Any = _NOTHING, y: Any = None, *more: Any) -> Any:
        """Compute on plain numbers and arrays, or record a node if an operand is a node."""
        if isinstance(x, Traced) and not more and self.arity == 2 - (y is None) and _source(x) is not None:
            return x._record_activation(self, x, y)  # type: ignore[attr-defined]  # a node
        return super()._call(x, y, *more)


class _Activation(Traced):
    """A substitute for the sigmoid of a number. Ops of an activation compute from the number."""

    __slots__ = ("logit",)

    def __init__(self, logit: Any) -> None:
        self.logit = logit

    @staticmethod
    def _record(op: Any, x: Any, y: Any = None) -> Any:
        return op.of_logit(x.logit) if y is None else op.of_logit(x.logit, y)


def _source(x: Any) -> Any:
    """Return the sigmoid node that contains the elements of the given operand, or None if there is none."""
    op = getattr(x, "op", None)
    while op is not None and op.moves:
        x = x.x
        op = x.op
    return x if op is not None and op is TABLE["sigmoid"] else None


def logit_of(x: Any) -> Any:
    """Return the node whose sigmoid is the given node, or None if there is none.

    Args:
        x: Operand of an op. For a reshaped, transposed, indexed or broadcast sigmoid, the logit is recorded.

    Examples:
        >>> from tinygraph import Value
        >>> z = Value(2.0)
        >>> logit_of(z.sigmoid()) is z, logit_of(z)
        (True, None)
    """
    source = _source(x)
    if source is None:
        return None
    z = source.x
    for op in _moves(x, source):
        z = op(z)
    return z


def _logit_number(x: Any) -> Any:
    """Return the value of `logit_of(x)`, without recording."""
    source = _source(x)
    if source is None:
        return None
    number = source.x.raw
    for op in _moves(x, source):
        number = op.compute(number)
    return number


def _moves(x: Any, source: Any) -> list[Any]:
    """Return the ops that move elements between a sigmoid and the given node, the first op first."""
    found = []
    while x is not source:
        found.append(x.op)
        x = x.x
    return found[::-1]
