"""scope, trace_lines and strict affect only their own thread or task, and cost nothing afterwards."""

import asyncio
import contextlib
import contextvars
import copy
import inspect
import math
import pickle
import threading

import pytest

import tinygraph
from tinygraph import Tensor, Value, scope, strict, trace_lines
from tinygraph.engine import contexts
from tinygraph.engine.clock import clock


def test_scopes_nest_and_end():
    with scope("net"):
        w = Value(1.0)
        with scope("layer"):
            y = w * 2.0
        z = y + w
    after = z + 1.0
    assert (w.scope, y.scope, z.scope, after.scope) == (("net",), ("net", "layer"), ("net",), ())
    assert clock.watch is None


def test_a_scope_can_be_entered_again():
    layer = scope("layer")
    with layer, layer:
        x = Value(1.0)
    with layer:
        y = Value(1.0)
    assert (x.scope, y.scope) == (("layer", "layer"), ("layer",))
    with pytest.raises(TypeError, match="the name of a scope must be a str"):
        scope(3)


def test_a_scope_that_was_entered_twice_ends_the_inner_one_first():
    net, layer = scope("net"), scope("layer")
    with layer, net:
        with layer:
            inner = Value(1.0)
        outer = Value(1.0)
    assert (inner.scope, outer.scope) == (("layer", "net", "layer"), ("layer", "net"))


@pytest.mark.parametrize("name", ["a", "z"])
def test_a_scope_can_be_renamed(name):
    layer = scope("layer")
    with layer:
        before = Value(1.0)
    layer.name = name
    with layer:
        after = Value(1.0)
    assert (before.scope, after.scope) == (("layer",), (name,))


@pytest.mark.parametrize("name", ["a", "contextlib2", "z"])
def test_a_generator_of_any_module_suspends_its_scope(name):
    """Only `contextlib` runs a generator whose context stays active while it is suspended."""

    def generator():
        with scope("inside"):
            yield Value(1.0)
            yield Value(1.0)

    module = {"__name__": name}
    exec("def advance(steps):\n    return next(steps)", module)
    steps = generator()
    assert module["advance"](steps).scope == ("inside",)
    assert Value(1.0).scope == ()
    assert module["advance"](steps).scope == ("inside",)
    steps.close()


def test_nodes_share_the_metadata_of_their_scope_until_one_of_them_changes():
    net, layer = scope("net"), scope("layer")
    with net, layer:
        first = [Value(1.0) * 2.0 for _ in range(3)]
    with net:
        outside = Value(1.0)
        with layer:
            second = Value(1.0)
    with layer:
        alone = Value(1.0)
    assert len({id(node.metadata) for node in [*first, second]}) <= 2
    x, *rest = first
    x.name = "x"
    assert second > 0.5  # a comparison is metadata too
    with scope("later"):
        y = x * second
    assert [node.name for node in [*rest, second, outside, alone, y]] == [""] * 6
    assert [bool(node.metadata.compared) for node in [*first, second]] == [False, False, False, True]
    assert [node.scope for node in (x, *rest, second)] == [("net", "layer")] * 4
    assert (outside.scope, alone.scope, y.scope) == (("net",), ("layer",), ("later",))
    layer.name = "renamed"
    with layer:
        assert Value(1.0).scope == ("renamed",)


def test_copies_of_nodes_in_a_scope_do_not_share_names():
    with scope("s"):
        x = Value(2.0)
        y = x * x
    for again in (copy.copy(y), copy.deepcopy(y), pickle.loads(pickle.dumps(y))):
        again.name = "again"
        assert (again.scope, again.name, y.name, x.name, again.args[0].name) == (("s",), "again", "", "", "")


def test_every_way_of_recording_is_watched():
    x = Value(2.0)
    with scope("s"):
        nodes = [x + 1.0, x + x, x - x, x * x, 2.0 * x, x / x, x**2, 2.0**x, -x, abs(x), x.exp(), 1 + x, 1 - x, 1 / x]
        nodes += [
            tinygraph.total([x]),
            tinygraph.dot([x], [x]),
            tinygraph.grad(x * x, x, create_graph=True),
            Value(1.0),
        ]
        nodes += [x - 1.0, x / 2.0, Value(1.0, constant=True) * 2.0]
    assert [node.scope for node in nodes] == [("s",)] * len(nodes)


def test_lines_are_those_of_the_program():
    with trace_lines():
        x = Value(2.0)
        here = inspect.currentframe().f_lineno
        y = x * x
        z = tinygraph.total([tinygraph.sigmoid(y), x**2])
    assert x.line == f"{__file__}:{here - 1}"
    assert y.line == f"{__file__}:{here + 1}"
    assert z.line == f"{__file__}:{here + 2}"
    assert z.args[1].line == z.line
    assert Value(1.0).line == ""


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (lambda x: x / 0.0, r"^x / 0.0 = inf, where x = 1.0$"),
        (lambda x: 1.0 / (x - 1.0), r"1.0 / 0.0 = inf"),
        (lambda x: tinygraph.exp(x * 1000.0), r"exp\(1000.0\) = inf"),
        (lambda x: tinygraph.log(-x), r"log\(-1.0\) = nan"),
        (lambda x: tinygraph.sqrt(x - 1.0), r"the local derivative of sqrt\(0.0\) with respect to 0.0 is inf"),
        (lambda x: x * 1e200 * 1e200, r"inf"),
        (lambda x: tinygraph.total([x, 1e308, 1e308]), r"total\(\[x, 1e\+308, 1e\+308\]\) = inf"),
    ],
)
def test_strict_names_op_and_operands(program, message):
    x = Value(1.0, name="x")
    program(x)
    with strict(), pytest.raises(FloatingPointError, match=message):
        program(x)
    program(x)


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (lambda: tinygraph.log(Value(0.0, name="%p")), "log(%p) = -inf, where %p = 0.0"),
        (lambda: tinygraph.log(Tensor([0.0, 1.0])), "log(an array (2,)) = an array (2,) with -inf"),
        (
            lambda: Tensor([1.0, 1.0], "a") / Tensor([0.0, -0.0], "b"),
            "a / b = an array (2,) with inf, where a = an array (2,), b = an array (2,)",
        ),
        (
            lambda: tinygraph.sqrt(Tensor([4.0, 0.0], "p")),
            "the local derivative of sqrt(p) with respect to p is an array (2,) with inf, where p = an array (2,)",
        ),
        (
            lambda: Tensor(1e-200, "p") ** -1.9,
            "p**-1.9 = an array () with inf, where p = an array ()",
        ),
        (
            lambda: Tensor(1e-200, "p") ** -1.1,
            "the local derivative of p**-1.1 with respect to p is -inf, where p = an array ()",
        ),
    ],
)
def test_the_message_of_strict_shows_one_element_of_an_array(program, message):
    with strict(), pytest.raises(FloatingPointError) as found:
        program()
    assert str(found.value) == message


def test_strict_lets_through_what_was_not_finite_before():
    infinite = Value(float("inf"))
    with strict():
        assert (infinite + 1.0).data == float("inf")
        assert tinygraph.exp(-infinite).data == 0.0
        assert (Value(2.0) * 3.0).data == 6.0
        hidden = tinygraph.binary_cross_entropy(Value(0.0), 0.0)  # the label's derivative is infinite, but not needed
    assert hidden.data == 0.0


def test_strict_looks_at_gradients():
    x = Value(1e-200, name="x")
    y = (x * 1e200) * 1e200
    z = y * 1e-200
    z.backward()
    with strict():
        z.backward()
        with pytest.raises(FloatingPointError, match=r"gradient of Value\(1e-200, name='x'.*inf"):
            y.backward(seed=1e10)
    y.backward(seed=1e10)


def test_the_message_of_strict_names_the_op_of_a_contribution():
    x = Value(1e-300, name="x")
    with strict(), pytest.raises(FloatingPointError) as found:
        (tinygraph.log(x) * 1e10).backward()
    text = "10000000000.0 × 9.999999999999999e+299 = inf"
    assert str(found.value).startswith("backward of log: the contribution to the gradient of Value(1e-300, name='x'")
    assert str(found.value).endswith(f"is {text}")


def test_contexts_reach_only_their_thread():
    inside, done = threading.Event(), threading.Event()
    found = []

    def other():
        inside.wait(10)
        x = Value(0.0)
        found.append((x.scope, x.line, tinygraph.log(x).data))
        with scope("theirs"):
            found.append(Value(1.0).scope)
        done.set()

    thread = threading.Thread(target=other)
    thread.start()
    with scope("ours"), strict(), trace_lines():
        inside.set()
        done.wait(10)
        assert Value(1.0).scope == ("ours",)
    thread.join()
    assert found == [((), "", -float("inf")), ("theirs",)]
    assert clock.watch is None


def test_contexts_reach_only_their_task():
    async def work(name):
        with scope(name):
            await asyncio.sleep(0)
            x = Value(1.0)
            await asyncio.sleep(0)
            return (x * x).scope

    async def both():
        return await asyncio.gather(work("a"), work("b"))

    assert asyncio.run(both()) == [("a",), ("b",)]
    assert clock.watch is None


def test_one_context_object_serves_threads_at_once():
    shared = scope("shared")
    barrier = threading.Barrier(3)
    found = []

    def work():
        for _ in range(50):
            barrier.wait(10)
            with shared:
                found.append(Value(1.0).scope)
            found.append(Value(1.0).scope)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found.count(("shared",)) == found.count(()) == 150


def test_an_exception_ends_the_context():
    with pytest.raises(KeyError), scope("s"), strict():
        raise KeyError
    assert clock.watch is None
    assert Value(1.0).scope == ()


def test_name_from_refuses_what_has_no_names():
    with pytest.raises(TypeError, match=r"namespace must be a mapping .* not 3"):
        tinygraph.name_from(3)


# --- generators and coroutines


def lines_of(value):
    """Record inside each context, in a generator that is suspended in the middle."""
    with scope("inside"), strict(), trace_lines():
        yield value * 2.0
        yield value * 3.0


def test_a_suspended_generator_keeps_its_contexts_to_itself():
    x = Value(1.0)
    generator = lines_of(x)
    first = next(generator)
    outside = x * 4.0
    assert tinygraph.log(x * 0.0).data == -math.inf, "strict is not active here"
    second = next(generator)
    assert [node.scope for node in (first, outside, second)] == [("inside",), (), ("inside",)]
    assert [bool(node.line) for node in (first, outside, second)] == [True, False, True]
    generator.close()
    assert (x * 5.0).scope == ()


def test_contexts_of_generators_interleave():
    """Each generator is resumed inside a context of its caller, and closed in another order."""
    x = Value(1.0)

    def numbered(name):
        with scope(name):
            while True:
                yield x * 2.0

    one, two = numbered("one"), numbered("two")
    with scope("outer"):
        assert next(one).scope == ("outer", "one")
        assert next(two).scope == ("outer", "two")
        assert (x * 2.0).scope == ("outer",)
        one.close()
        assert next(two).scope == ("outer", "two")
    two.close()
    assert (x * 2.0).scope == ()


def test_a_generator_that_makes_a_context_manager_works_as_one():
    @contextlib.contextmanager
    def layer(name):
        with scope("network"), scope(name):
            yield

    with layer("first"):
        assert (Value(1.0) * 2.0).scope == ("network", "first")
    with contextlib.ExitStack() as stack:
        stack.enter_context(scope("stack"))
        stack.enter_context(layer("second"))
        assert (Value(1.0) * 2.0).scope == ("stack", "network", "second")
    assert (Value(1.0) * 2.0).scope == ()


def test_a_suspended_coroutine_keeps_its_contexts_to_itself():
    class Pause:
        def __await__(self):
            yield

    async def work(x, found):
        with scope("coroutine"):
            found.append(x * 2.0)
            await Pause()
            found.append(x * 3.0)

    async def numbers(x):
        with scope("async generator"):
            yield x * 2.0
            yield x * 3.0

    x, found = Value(1.0), []
    coroutine = work(x, found)
    coroutine.send(None)
    found.append(x * 4.0)
    with pytest.raises(StopIteration):
        coroutine.send(None)
    assert [node.scope for node in found] == [("coroutine",), (), ("coroutine",)]

    async def loop():
        async for node in numbers(x):
            assert node.scope == ("async generator",)
            assert (x * 5.0).scope == ()

    asyncio.run(loop())


def test_a_generator_can_be_closed_where_its_context_was_never_active():
    generator = contextvars.copy_context().run(lambda: (g := lines_of(Value(1.0)), next(g)))[0]
    generator.close()
    assert (Value(1.0) * 2.0).scope == ()


def test_the_code_flags_are_those_of_inspect():
    assert contexts._SUSPENDS == inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR


@pytest.mark.parametrize("entering", [True, False])
def test_an_interrupted_context_does_not_come_back_with_a_later_one(entering, monkeypatch):
    def interrupted(_):
        raise KeyboardInterrupt

    context = tinygraph.strict()
    if not entering:
        context.__enter__()
    with monkeypatch.context() as patch:
        patch.setattr(contexts, "_activate", interrupted)
        with pytest.raises(KeyboardInterrupt):
            context.__enter__() if entering else context.__exit__()
    if not entering:
        contexts._activate(-1)  # the step that was interrupted
    with tinygraph.scope("later"):
        assert tinygraph.log(Value(0.0)).data == -math.inf
    assert contexts._count == 0
