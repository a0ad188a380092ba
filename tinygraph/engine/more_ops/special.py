"""Special functions: the error function and the activation GELU, the logarithm of the gamma function, and sinc.

The derivatives of each function are a parametrized op, so that a derivative of high order is one node.
"""

from __future__ import annotations

from functools import lru_cache

from tinygraph.engine import domain
from tinygraph.engine.op import Op, define
from tinygraph.engine.registry import is_order, parametrized
from tinygraph.kernels.more_floats import gaussian
from tinygraph.kernels.more_floats import special as kernels

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# fmt: off

__all__ = ["digamma", "erf", "erfc", "gelu", "lgamma", "sinc"]

erf: Op = Op("erf", gaussian.erf, analytic=lambda m, x: m.erf(x), partials=(lambda out, x: erf_dx(x),))
erfc: Op = Op("erfc", gaussian.erfc, partial_forms=("-2*exp(-x**2)/sqrt(pi)",), analytic=lambda m, x: m.erfc(x), partials=(lambda out, x: -erf_dx(x),))
gelu: Op = Op("gelu", gaussian.gelu, form="x*Phi(x)", analytic=lambda m, x: 0.5 * x * m.erfc(-m.sqrt(0.5) * x), partials=(lambda out, x: gelu_dx(x),))
sinc: Op = Op("sinc", kernels.sinc, analytic=lambda m, x: m.sincpi(x), partials=(lambda out, x: sinc_dx(x),))
lgamma: Op = Op("lgamma", kernels.lgamma, form="log(abs(gamma(x)))", domain=domain.POLES_AT_INTEGERS_TO_0, analytic=lambda m, x: 0.5 * m.log(m.gamma(x) ** 2),
                partials=(lambda out, x: digamma(x),))
digamma: Op = Op("digamma", kernels.digamma, form="digamma(x)", domain=domain.POLES_AT_INTEGERS_TO_0, analytic=lambda m, x: m.psi(0, x),
                 partials=(lambda out, x: trigamma(x),))

# --- private ops: derivatives of any order ---------------------------------------------------------


@parametrized(is_order)
@lru_cache(maxsize=64)
def erf_partial(n: int) -> Op:
    """Return the op for the n-th derivative of erf."""
    return Op("erf_" + "dx" * n, lambda x: gaussian.erf_partial(x, n), form="2*exp(-x**2)/sqrt(pi)" if n == 1 else f"prime(erf, {n})(x)", maker=erf_partial, parameters=(n,),
              analytic=lambda m, x: 2.0 * m.exp(-x * x) / m.sqrt(m.pi) * (-1.0) ** (n - 1) * (m.hermite(n - 1, x) if n > 1 else 1.0),
              partials=(lambda out, x: erf_partial(n + 1)(x),)) if n else erf


@parametrized(is_order)
@lru_cache(maxsize=64)
def gelu_partial(n: int) -> Op:
    """Return the op for the n-th derivative of gelu."""
    return Op("gelu_" + "dx" * n, lambda x: gaussian.gelu_partial(x, n), form="Phi(x) + x*phi(x)" if n == 1 else f"prime(gelu, {n})(x)", maker=gelu_partial, parameters=(n,),
              analytic=_gelu_dx_analytic if n == 1 else None,
              partials=(lambda out, x: gelu_partial(n + 1)(x),)) if n else gelu


@parametrized(is_order)
@lru_cache(maxsize=64)
def sinc_partial(n: int) -> Op:
    """Return the op for the n-th derivative of sinc."""
    return Op("sinc_" + "dx" * n, lambda x: kernels.sinc_partial(x, n), form="(cos(pi*x) - sinc(x))/x if x != 0 else 0" if n == 1 else f"prime(sinc, {n})(x)", maker=sinc_partial, parameters=(n,),
              analytic=_sinc_dx_analytic if n == 1 else None,
              partials=(lambda out, x: sinc_partial(n + 1)(x),)) if n else sinc


@parametrized(is_order)
@lru_cache(maxsize=64)
def polygamma(n: int) -> Op:
    """Return the op for the n-th derivative of digamma. No `analytic`: far below 0, mpmath would take as many steps as x has."""
    return Op(f"polygamma({n})" if n > 1 else "trigamma", lambda x: kernels.polygamma(x, n), form=f"prime(digamma, {n})(x)", symbol=f"polygamma({n})({{}})" if n > 1 else "",
              domain=domain.POLES_AT_INTEGERS_TO_0, maker=polygamma, parameters=(n,),
              partials=(lambda out, x: polygamma(n + 1)(x),)) if n else digamma


def _gelu_dx_analytic(m: Any, x: Any) -> Any:
    return 0.5 * m.erfc(-m.sqrt(0.5) * x) + x * m.exp(-0.5 * x * x) / m.sqrt(2.0 * m.pi)


def _sinc_dx_analytic(m: Any, x: Any) -> Any:
    """Return the derivative as a hypergeometric function, because (cos(pi x) - sinc(x)) / x loses digits near 0."""
    u = m.pi * x
    return m.hyp0f1(2.5, -0.25 * u * u) * u * m.pi / -3.0


erf_dx: Op = erf_partial(1)
gelu_dx: Op = gelu_partial(1)
sinc_dx: Op = sinc_partial(1)
trigamma: Op = polygamma(1)

# fmt: on

define(globals())
