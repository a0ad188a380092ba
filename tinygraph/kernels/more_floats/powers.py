"""Powers and logarithms with base 2 and 10, and the cube root, of floats, as in `floats`."""

from __future__ import annotations

import math
from math import inf, isfinite, nan

from tinygraph.kernels.exact import two_product
from tinygraph.kernels.floats import divide, maximum, pow, share

LN2, LN10 = math.log(2.0), math.log(10.0)


def square(x: float) -> float:
    """Return x * x."""
    return x * x


def reciprocal(x: float) -> float:
    """Return 1 / x. The reciprocal of a zero is an infinity with its sign."""
    return divide(1.0, x)


def cbrt(x: float) -> float:
    """Return the real cube root. The C library's cube root alone is accurate only to 2.7 ULP."""
    return _cbrt_and_rest(x)[0]


def _cbrt_and_rest(x: float) -> tuple[float, float]:
    """Return the cube root of x, and what is missing to its exact value.

    Both are steps of Newton's method from the C library's cube root.
    """
    size = abs(x)
    if size < 1e-200 or size > 1e200:  # the cube of the root would leave the range of `two_product`
        if x == 0 or not isfinite(x):
            return x, 0.0
        up = 300 if size < 1.0 else -300
        root, rest = _cbrt_and_rest(math.ldexp(x, up))
        return math.ldexp(root, -up // 3), math.ldexp(rest, -up // 3)
    root = math.cbrt(x)
    root += _newton_step(root, x)
    return root, _newton_step(root, x)


def _newton_step(root: float, x: float) -> float:
    """Return the step from an approximate cube root of x, computed from the cube without rounding errors."""
    square, error = two_product(root, root)
    cube, more = two_product(square, root)
    return ((x - cube) - (more + error * root)) / (3.0 * square)


def cbrt_derivative(x: float, n: int) -> float:
    """Return the n-th derivative of the cube root, which is infinite at 0.

    Args:
        x: Number.
        n: Order of the derivative, at least 1.
    """
    root, rest = _cbrt_and_rest(x)
    if n == 1:
        square, error = two_product(root, root) if isfinite(root) else (inf, 0.0)
        below, more = 3.0 * square, 3.0 * error
        more += two_product(3.0, square)[1] if isfinite(root) else 0.0
        out = divide(1.0, below)
        return out - out * (more / below + 2.0 * rest / root) if rest else out
    out = math.prod([1.0 / 3.0 - i for i in range(n)]) * pow(root, 1.0 - 3.0 * n)
    return out + out * ((1.0 - 3.0 * n) * rest / root) if rest and isfinite(out) else out


def exp2(x: float) -> float:
    """Return 2 to the power x."""
    return pow(2.0, x)


def exp2_derivative(x: float, n: int) -> float:
    """Return the n-th derivative of 2^x. It can be finite where 2^x itself overflows.

    Args:
        x: Number.
        n: Order of the derivative, at least 1.
    """
    if x > 1000.0:
        return (2.0 * LN2) ** n * pow(2.0, x - n)
    return LN2**n * pow(2.0, x)


def log2(x: float) -> float:
    """Return the logarithm with base 2, which is -inf at 0 and NaN below 0."""
    return math.log2(x) if x > 0 else -inf if x == 0 else nan


def log10(x: float) -> float:
    """Return the logarithm with base 10, which is -inf at 0 and NaN below 0."""
    return math.log10(x) if x > 0 else -inf if x == 0 else nan


def log2_partial(x: float) -> float:
    """Return the derivative of log2: inf at 0, and NaN below 0."""
    return 1.0 / LN2 / x if x > 0 else inf if x == 0 else nan


def log10_partial(x: float) -> float:
    """Return the derivative of log10: inf at 0, and NaN below 0."""
    return 1.0 / LN10 / x if x > 0 else inf if x == 0 else nan


def logaddexp2(x: float, y: float) -> float:
    """Return log2(2^x + 2^y), computed like `logaddexp`.

    If the result is near 0, two terms cancel, and the error is up to 4 ULP of max(|x|, |y|, 1).
    """
    if x == y:  # including infinities, whose difference would be NaN
        return x + 1.0
    return maximum(x, y) + math.log1p(pow(2.0, -abs(x - y))) / LN2


def logaddexp2_partial(x: float, y: float) -> float:
    """Return 2^x / (2^x + 2^y), computed from the exact difference x - y."""
    return share(x, y, exp2, LN2)


def deg2rad(x: float) -> float:
    """Return an angle in radians, given in degrees."""
    return x * (math.pi / 180.0)


def rad2deg(x: float) -> float:
    """Return an angle in degrees, given in radians."""
    return x * (180.0 / math.pi)
