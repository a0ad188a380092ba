"""`gradient_test` finds planted bugs at small examples, passes right functions, and points to the line of the user."""

import inspect
import math
import re
import subprocess
import sys
import textwrap
import unittest

import numpy as np
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st

import tinygraph
from tests.testing.zoo import ZOO
from tinygraph.testing import from_torch, gradient_test

SHAPES = {"w": ("n", 1), "b": (), "X": ("n", "m"), "Y": (1, "m")}
LABELS = {"Y": st.sampled_from([0.0, 1.0])}
# The correct twins of these bugs are right only away from ties and zeros.
AWAY_FROM_KINKS = {
    "max to all elements": "is a tied element counted twice",
    "norm without its square root": "the gradient is nan",
}


def shapes_of(case, f):
    return dict(zip(inspect.signature(f).parameters, case.shapes, strict=True))


def propagate(w, b, X, Y):
    """The cost and the gradients of a course's exercise."""
    m, A = X.shape[1], 1.0 / (1.0 + np.exp(-(w.T @ X + b)))
    cost = -np.mean(Y * np.log(A) + (1.0 - Y) * np.log(1.0 - A))
    return cost, {"dw": X @ (A - Y).T / m, "db": np.sum(A - Y) / m}


def without_mean(w, b, X, Y):
    cost, gradients = propagate(w, b, X, Y)
    return cost, gradients | {"dw": gradients["dw"] * X.shape[1]}


@pytest.fixture
def without_shrinking():
    """Do not look for the smallest example of each failure, which takes most of the time."""
    before = settings.default
    settings.register_profile("without shrinking", before, max_examples=10, phases=[Phase.generate])
    settings.load_profile("without shrinking")
    yield
    settings.load_profile("tinygraph")


@pytest.mark.parametrize("name", ZOO)
@pytest.mark.usefixtures("without_shrinking")
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_planted_bug_is_found_and_its_twin_passes(name):
    case = ZOO[name]
    right, wrong = case.right, case.make()
    test = gradient_test(right, shapes_of(case, right))
    if name in AWAY_FROM_KINKS:
        with pytest.raises(AssertionError, match=AWAY_FROM_KINKS[name]):
            test()
    else:
        test()
    with pytest.raises(AssertionError, match="problem"):
        gradient_test(wrong, shapes_of(case, wrong))()


def product(x, y):
    """A product that broadcasts, with the gradient of x."""
    gradient = y * np.ones_like(x * y)
    gradient = gradient.sum(axis=tuple(range(gradient.ndim - np.ndim(x))))
    repeated = tuple([i for i, n in enumerate(np.shape(x)) if n == 1])
    return np.sum(x * y), [gradient.sum(axis=repeated, keepdims=True) if np.ndim(x) else gradient]


def relu_net(W1, b1, W2, X):
    return ((W2 @ (W1 @ X + b1).relu()) ** 2).mean()


RIGHT = {
    "a course's exercise": (propagate, SHAPES, {"wrt": ["w", "b"], "elements": LABELS}),
    "20 features": (
        propagate, {"w": (20, 1), "b": (), "X": (20, 60), "Y": (1, 60)},
        {"wrt": ["w", "b"], "elements": LABELS | {"w": st.sampled_from([0.0, 0.5, -0.5])}, "max_examples": 5}),
    "a network with kinks": (relu_net, {"W1": ("h", "n"), "b1": ("h", 1), "W2": (1, "h"), "X": ("n", "m")}, {}),
    "Values": (lambda a, b: a * b.exp() + abs(a), {"a": (), "b": ()}, {}),
    "lists and dicts of Values": (
        lambda p, x: p["w"][0] * x + p["w"][1] * p["b"], {"p": {"w": [(), ()], "b": ()}, "x": ()}, {}),
    "a Tensor result": (lambda x, y: np.tanh(x) * y, {"x": (..., "n"), "y": (..., "n")}, {}),
    "broadcasting": (product, {"x": (...,), "y": (...,)}, {"wrt": ["x"]}),
    "numbers of all sizes": (lambda x: x * x.tanh(), {"x": ()}, {"kinds": ["magnitudes", "extremes"]}),
    "a reference": (lambda w: (w**2).sum(), {"w": ("n",)}, {"reference": lambda w: w @ w}),
    "a function that does not depend on its input": (lambda x: 3.0, {"x": ("n",)}, {}),
}  # fmt: skip


@pytest.mark.parametrize("name", RIGHT)
def test_right_functions_pass(name):
    f, shapes, options = RIGHT[name]
    gradient_test(f, shapes, **options)()


def failure(f, shapes, **options):
    with pytest.raises(AssertionError) as caught:
        gradient_test(f, shapes, **options)()
    return str(caught.value), "\n".join(getattr(caught.value, "__notes__", []))


def test_the_message_shows_a_small_example_and_the_pattern_of_a_larger_one():
    text, notes = failure(without_mean, SHAPES, wrt=["w", "b"], elements=LABELS)
    assert text.startswith("without_mean with w (1, 1), b (), X (1, 2), Y (1, 2): 1 problem\n")
    assert re.search(r"\n    w\[0, 0\] = 0: the gradient is \S+, central difference \S+ \(its own error: \S+\)\n", text)
    assert "with w (3, 1), b (), X (3, 4), Y (1, 4), the gradient of w is wrong too: every element is 4 times" in text
    assert "4 is the length of axis 1 of X: a sum where a mean is right?" in text
    assert f"without_mean is at test_gradient_tests.py:{without_mean.__code__.co_firstlineno}" in text
    scope = {"np": np}
    exec(re.search(r"inputs=\.\.\.\n((?:\w+ = .*\n)+)", notes)[1], scope)  # as if a user pasted it
    assert scope["w"].shape == (1, 1)
    assert scope["X"].shape == (1, 2)
    assert np.abs(scope["X"]).sum() == 1.0


def accumulating(x, kept={}):  # noqa: B006
    kept["g"] = kept.get("g", 0.0) + 2.0 * x
    return (x**2).sum(), kept["g"]


def random_value(x, random=np.random.default_rng(0)):  # noqa: B008
    return (x**2).sum() + random.normal(), 2.0 * x


def changes_constant(w, X):
    X *= 2.0
    return (w @ X).sum(), X.sum(axis=1)


def edits_its_leaf(x):
    if isinstance(x, tinygraph.Tensor):
        x.data[0] = 5.0
    return (x**2).sum()


WRONG = {
    "accumulation": (accumulating, {"x": (3,)}, {}, "accumulates over calls"),
    "a random value": (random_value, {"x": (3,)}, {}, r"gives the value .*, not .*: is f random\?"),
    "a changed input": (changes_constant, {"w": ("n",), "X": ("n", "m")}, {"wrt": ["w"]}, "f changes its input X"),
    "a changed leaf": (edits_its_leaf, {"x": (3,)}, {}, r"f changes its input: x\[0\] from 0\.547847 to 5"),
    "a cut graph": (lambda x: (x * x.detach()).sum(), {"x": ("n",)}, {}, r"x \(1,\): 1 problem\n.*the graph is cut"),
    "the value": (lambda x: x * x, {"x": ()}, {"reference": lambda x: 2 * x}, "the value is .*, but reference gives"),
    "too few gradients": (propagate, SHAPES, {}, r"no key 'X' or 'dX'(.*\n)+.*pass their names as wrt="),
    "a dtype": (lambda x: ((x**2).sum(), np.float32(2.0 * x)), {"x": ("n",)}, {}, "has dtype float32"),
    "a shape": (lambda x: ((x**2).sum(), 2.0 * x.T), {"x": ("n", "m")}, {}, r"shape \(1, 2\).*is it transposed"),
    "a kink": (lambda x: (abs(x), np.sign(x) + 5.0 * (x == 0.0)), {"x": ()}, {}, r"\n    x = 0: the gradient is 5"),
    "ties": (lambda x: (x.max(), 1.0 * (x == x.max())), {"x": ("n",)}, {}, r"x \(2,\).*\n.*tied element counted twice"),
    "NaN at 0": (lambda x: ((x**2).sum(), 2.0 * x * x / x), {"x": ("n",)}, {}, r"x\[0\] = 0: the gradient is nan"),
    "a function of PyTorch": (from_torch(lambda x: x * x.detach()), {"x": ("n",)}, {}, "is a factor 2 missing"),
}  # fmt: skip


def test_a_small_example_names_the_other_wrong_gradients_of_the_larger_one():
    def f(x, y, z):
        return (x * y**2 * z).sum(), [y**2 * z + x**3, 2.0 * x * y * z + y**3, x * y**2 + z * x]

    with pytest.raises(AssertionError) as caught:
        gradient_test(f, dict.fromkeys("xyz", ("n",)))()
    text = str(caught.value)
    (small,) = set(re.findall(r"the gradient of (\w) is wrong in", text))
    others = " and ".join(sorted(set("xyz") - {small}))
    assert f"with x (3,), y (3,), z (3,), the gradients of {others} are wrong too" in text


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_wrong_functions_fail(name):
    if "PyTorch" in name:
        pytest.importorskip("torch")
    f, shapes, options, message = WRONG[name]
    text, _ = failure(f, shapes, **options)
    assert re.search(message, text), text


def test_an_exception_of_the_function_is_shown_with_a_small_example():
    def f(x):
        if x.size == 2:
            raise IndexError("an axis of length 2")
        return (x**2).sum(), 2.0 * x

    with pytest.raises(IndexError, match="an axis of length 2") as caught:
        gradient_test(f, {"x": ("n",)})()
    assert "x = np.array([0.0, 0.0])" in "\n".join(caught.value.__notes__)
    assert caught.traceback[-1].name == "f"


def test_a_function_that_is_never_finite_is_refused():
    with pytest.raises(ValueError, match=r"<lambda> was not finite at any of \d+ examples: pass elements="):
        gradient_test(lambda x: (float("nan"), 0.0), {"x": ()})()


def integers_only(k):
    if not float(k).is_integer():
        raise ValueError("k must be an integer")
    return k * k, 777.0


def entropy(p):
    if abs(p.sum() - 1.0) > 1e-12:
        raise ValueError("p must sum to 1")
    return -(p * np.log(p)).sum(), np.zeros_like(p) + 123.0


def power(x, k):
    return x**k + integers_only(k)[0], (k * x ** (k - 1.0), 777.0)


INTEGERS = st.sampled_from([1.0, 2.0, 3.0])
UNCHECKED = {
    "a parameter that must be an integer": (integers_only, {"k": ()}, INTEGERS, "k"),
    "elements that must sum to 1": (entropy, {"p": (2,)}, st.just(0.5), "p"),
    "one of two inputs": (power, {"x": (), "k": ()}, INTEGERS, "k"),
    "a value between NaNs": (
        lambda x: (1.0 if float(x).is_integer() else math.nan, 777.0), {"x": ()}, INTEGERS, "x"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNCHECKED)
def test_a_gradient_that_is_nowhere_compared_is_refused(name):
    f, shapes, elements, missing = UNCHECKED[name]
    with pytest.raises(ValueError, match=rf"the gradient of {missing} could not be checked at any of \d+ points"):
        gradient_test(f, shapes, elements=elements)()


def test_what_cannot_be_compared_can_be_left_out_or_be_empty():
    with pytest.raises(AssertionError, match="the gradient of x is wrong"):
        gradient_test(lambda x, k: (power(x, k)[0], 777.0), {"x": (), "k": ()}, wrt=["x"], elements=INTEGERS)()
    gradient_test(lambda x, k: (power(x, k)[0], power(x, k)[1][0]), {"x": (), "k": ()}, wrt=["x"], elements=INTEGERS)()
    gradient_test(lambda x: ((x * x).sum(), 2.0 * x), {"x": (0,)})()


OUTSIDE = {
    "reciprocal": lambda x, by=1.0: ((1.0 / x).sum(), -by / x**2),
    "log": lambda x, by=1.0: (np.log(x).sum(), by / x),
    "sqrt": lambda x, by=1.0: (np.sqrt(x).sum(), 0.5 * by / np.sqrt(x)),
    "cbrt": lambda x, by=1.0: (np.cbrt(x).sum(), by / (3.0 * np.cbrt(x) ** 2)),
    "x log x": lambda x, by=1.0: ((x * np.log(x)).sum(), by * (np.log(x) + 1.0)),
    "0/0": lambda x, by=1.0: ((1234.48 * x * x / x).sum(), by * 1234.48 * x / x),
}
NODES = {
    "reciprocal": lambda x: (1.0 / x).sum(),
    "log": lambda x: x.log().sum(),
    "sqrt": lambda x: x.sqrt().sum(),
    "x log x": lambda x: (x * x.log()).sum(),
}
ZEROS = st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5])


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", OUTSIDE)
@pytest.mark.parametrize("elements", [None, ZEROS])
def test_points_outside_the_domain_are_skipped_without_warnings(name, elements):
    f = OUTSIDE[name]
    gradient_test(lambda x: f(x), {"x": ("n",)}, elements=elements, max_examples=100)()
    if name in NODES:
        gradient_test(NODES[name], {"x": ("n",)}, elements=elements, max_examples=100)()
    for wrong in (lambda x: f(x, 1.001), lambda x: f(x, -1.0)):
        with pytest.raises(AssertionError, match="the gradient of x is wrong"):
            gradient_test(wrong, {"x": ("n",)}, elements=elements, max_examples=100)()


def test_an_error_for_points_outside_the_domain_remains_if_the_user_asks_for_it():
    with np.errstate(divide="raise", invalid="raise"), pytest.raises(FloatingPointError):
        gradient_test(OUTSIDE["reciprocal"], {"x": ("n",)}, elements=ZEROS)()


def test_a_failure_at_the_end_of_the_domain_suggests_elements():
    f = lambda x: (np.sqrt(x).sum(), 0.5 / np.sqrt(np.maximum(x, 1e-3)))  # noqa: E731
    text, _ = failure(f, {"x": ("n",)}, elements=st.sampled_from([0.0, 1.0]))
    assert "x[0] = 0: the gradient is 15.8" in text
    assert "pass elements= for its domain" in text
    gradient_test(f, {"x": ("n",)}, elements=st.floats(0.5, 2.0))()


def test_what_the_arguments_must_be():
    f = propagate
    with pytest.raises(
        ValueError, match="shapes must contain the parameters of propagate, which are w, b, X, Y, not w"
    ):
        gradient_test(f, {"w": (2,)})
    with pytest.raises(ValueError, match="each element of wrt must be one of 'w', 'b', 'X', 'Y', not 'dw'"):
        gradient_test(f, SHAPES, wrt=["dw"])
    with pytest.raises(ValueError, match="each key of elements must be one of"):
        gradient_test(f, SHAPES, elements={"y": st.floats(0, 1)})
    with pytest.raises(ValueError, match=r"\.\.\. stands for the first axes of a shape"):
        gradient_test(lambda x: x, {"x": (2, ...)})
    with pytest.raises(TypeError, match="not 'n'"):
        gradient_test(lambda x: x, {"x": "n"})
    with pytest.raises(ValueError, match="at least one input"):
        gradient_test(lambda: 0.0, {})
    with pytest.raises(ValueError, match="each length must be an integer of at least 0, not -1"):
        gradient_test(lambda x: x, {"x": (-1,)})


def test_shapes_may_have_another_order_and_leave_out_defaults():
    def f(w, X, scale=2.0):
        z = X @ w
        return scale * (z**2).sum(), {"dX": 2.0 * scale * np.outer(z, w), "dw": 2.0 * scale * X.T @ z}

    gradient_test(f, {"X": ("m", "n"), "w": ("n",)})()
    with pytest.raises(AssertionError, match="the gradient of w is wrong"):
        gradient_test(lambda w, X: (f(w, X)[0], {"w": 2 * w, "X": f(w, X)[1]["dX"]}), {"X": ("m", "n"), "w": ("n",)})()


class TestMethods(unittest.TestCase):
    test_a_method = gradient_test(propagate, SHAPES, wrt=["w", "b"], elements=LABELS, max_examples=5)


def test_a_failure_points_to_the_line_of_the_user(tmp_path):
    (tmp_path / "test_it.py").write_text(
        textwrap.dedent("""
        import unittest
        from tinygraph.testing import gradient_test

        def half(x):
            return (x * x).sum(), x

        test_half = gradient_test(half, {"x": ("n",)})

        class TestCase(unittest.TestCase):
            test_half = gradient_test(half, {"x": ("n",)})
        """)
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    out = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path).stdout
    assert "2 failed" in out
    assert len(re.findall(r'\n> +test_half = gradient_test\(half, {"x": \("n",\)}\)\n', out)) == 2
    assert "test_it.py:8: AssertionError" in out
    assert "test_it.py:11: AssertionError" in out
    assert "gradient_tests.py" not in out
    assert "E       inputs=...\nE   x = np.array([1.0])" in out
    assert "Explanation" not in out
    command[1:] = ["-m", "unittest", "test_it"]
    error = subprocess.run(command[:4], capture_output=True, text=True, cwd=tmp_path).stderr
    assert "AssertionError: half with x (1,): 1 problem" in error
    assert "x = np.array([1.0])" in error
