"""Edits, recordings, passes and comparisons in several threads, and in a child process."""

import contextlib
import copy
import os
import pickle
import signal
import sys
import threading

import numpy as np
import pytest

import tinygraph
from tinygraph import FrozenBranchError, StaleGraphError, Tensor, Value, load, save
from tinygraph.engine import value
from tinygraph.engine.clock import at_fork, clock, fork_safe_lock
from tinygraph.engine.graph import check_fresh, order
from tinygraph.engine.op import Op


@pytest.fixture
def switching():
    """Let threads take turns as often as possible."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def in_thread(run):
    """Call a function in another thread, and wait for its end."""
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(5.0)
    assert not thread.is_alive()


def in_threads(*runs):
    """Call functions in threads that start at the same time. Raise the first error."""
    errors, barrier = [], threading.Barrier(len(runs))

    def work(run):
        barrier.wait()
        try:
            run()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(run,), daemon=True) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30.0)
    assert not any(thread.is_alive() for thread in threads)
    if errors:
        raise errors[0]


class Edited(float):
    """A number that, while an operator computes with it, is edited by another thread."""

    leaf = None

    def compute(self, *_):
        leaf, self.leaf = self.leaf, None
        if leaf is not None:
            in_thread(lambda: setattr(leaf, "data", 5.0))
        return 1.0

    __add__ = __radd__ = __sub__ = __mul__ = __rmul__ = __truediv__ = compute


OPERATORS = {
    "x + w": lambda x, w: x + w,
    "x - w": lambda x, w: x - w,
    "x * w": lambda x, w: x * w,
    "x / w": lambda x, w: x / w,
    "x * 2.0": lambda x, _: x * 2.0,
    "2.0 * x": lambda x, _: 2.0 * x,
    "2.0 + x": lambda x, _: 2.0 + x,
    "dot": lambda x, w: tinygraph.dot([x, w], [2.0, 3.0]),
}


@pytest.mark.parametrize("name", OPERATORS)
def test_an_edit_while_an_operator_computes_is_noticed(name):
    x, w = Value(2.0), Value(3.0)
    x.raw = Edited(2.0)
    x.raw.leaf = x
    y = OPERATORS[name](x, w)
    with pytest.raises(StaleGraphError):
        y.backward()


@pytest.mark.parametrize("count", [1, 2])
def test_an_edit_while_a_kernel_computes_is_noticed(count):
    x = Value(2.0)

    def kernel(*numbers):
        in_thread(lambda: setattr(x, "data", 5.0))
        return numbers[0]

    op = Op("kernel", kernel, partials=(lambda out, *_: 1.0, lambda out, *_: 0.0)[:count])
    for run in (lambda: op(*[x] * count), lambda: value.record(op, (x,) * count)):
        y = run()
        with pytest.raises(StaleGraphError):
            y.backward()


def test_the_stamp_of_an_edit_is_newer_than_a_node_that_saw_the_old_value(monkeypatch):
    x, found = Value(2.0), []
    tick = clock.tick

    def tick_and_record():
        now = tick()
        found.append(x * 3.0)  # as another thread could do between any two steps of the edit
        return now

    monkeypatch.setattr(clock, "tick", tick_and_record)
    x.data = 5.0
    monkeypatch.undo()
    assert [y.data for y in found] == [6.0, 15.0]
    with pytest.raises(StaleGraphError):
        found[0].backward()


def test_an_interrupted_edit_is_noticed(monkeypatch):
    x = Value(2.0)
    y = x * 3.0
    tick, ticks = clock.tick, []

    def interrupt():
        ticks.append(tick())
        if len(ticks) == 2:
            raise KeyboardInterrupt
        return ticks[-1]

    monkeypatch.setattr(clock, "tick", interrupt)
    with pytest.raises(KeyboardInterrupt):
        x.data = 5.0
    assert x.data == 5.0
    with pytest.raises(StaleGraphError):
        y.backward()


def test_threads_record_at_once(switching):
    def record():
        for _ in range(40):
            x = Value(1.0)
            y = x
            for _ in range(50):
                y = y + 1.0
            assert y.data == 51.0

    in_threads(*[record] * 3)


class Slow(float):
    """A local derivative that makes a pass wait."""

    begun = go_on = None

    def __rmul__(self, other):
        self.begun.set()
        self.go_on.wait(5.0)
        return other * float(self)


def slow(leaf):
    """Return a root whose pass waits, a flag that shows when it waits, and a flag that lets it continue."""
    root = leaf * 3.0
    root.x_partial = Slow(3.0)
    root.x_partial.begun, root.x_partial.go_on = threading.Event(), threading.Event()
    return root, root.x_partial.begun, root.x_partial.go_on


def test_accumulated_gradients_of_two_threads_are_added():
    w = Value(2.0)
    first, begun, go_on = slow(w)
    second = w * 5.0
    threads = [
        threading.Thread(target=root.backward, kwargs={"accumulate": True}, daemon=True) for root in (first, second)
    ]
    threads[0].start()
    assert begun.wait(5.0)
    threads[1].start()
    threads[1].join(0.05)
    go_on.set()
    for thread in threads:
        thread.join(5.0)
        assert not thread.is_alive()
    assert w.grad == 8.0


def test_no_contribution_of_four_threads_is_lost(switching):
    w = Value(2.0)

    def add():
        y = w * 1.0
        for _ in range(150):
            y.backward(accumulate=True)

    in_threads(*[add] * 4)
    assert w.grad == 600.0


def test_an_edit_waits_for_the_pass_of_another_thread():
    w = Value(2.0)
    root, begun, go_on = slow(w)
    threads = [threading.Thread(target=run, daemon=True) for run in (root.backward, lambda: setattr(w, "data", 7.0))]
    threads[0].start()
    assert begun.wait(5.0)
    threads[1].start()
    threads[1].join(0.05)
    assert w.data == 2.0
    go_on.set()
    for thread in threads:
        thread.join(5.0)
        assert not thread.is_alive()
    assert (w.data, w.grad) == (7.0, 3.0)


def test_a_thread_edits_during_its_own_pass():
    """It must not wait for itself."""
    x, w = Value(2.0), Value(3.0)

    class Editing(float):
        def __rmul__(self, other):
            w.data = 7.0
            return other * float(self)

    root = x * 3.0
    root.x_partial = Editing(3.0)
    root.backward()
    assert (w.data, x.grad) == (7.0, 3.0)


def test_a_node_recorded_from_old_values_during_a_recomputation_is_stale(monkeypatch):
    x = Value(2.0)
    u = x * 3.0
    y = u * u
    x.data = 4.0
    recompute, seen = Value._recompute, []

    def recompute_and_record(node):
        seen.append((u + 0.0, y + 0.0))  # as another thread could do
        recompute(node)

    monkeypatch.setattr(Value, "_recompute", recompute_and_record)
    y.forward()
    monkeypatch.undo()
    assert [[node.data for node in nodes] for nodes in seen] == [[6.0, 36.0], [12.0, 36.0]]
    for node in (*seen[0], seen[1][1]):
        with pytest.raises(StaleGraphError):
            node.backward()
    y.backward()
    assert x.grad == 72.0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
@pytest.mark.parametrize("within", [False, True], ids=["another thread's pass", "its own pass"])
def test_a_child_process_does_not_wait_for_a_pass_of_its_parent(within):
    w = Value(2.0)

    def child(run):
        pid = os.fork()
        if pid == 0:
            signal.alarm(5)  # ends a child that waits forever
            try:
                run()
                os._exit(0 if w.grad == 10.0 else 3)
            except BaseException:
                os._exit(4)
        return os.waitpid(pid, 0)[1]

    def work():
        assert all(not leaf.awaited for leaf in (w, root))
        w.data = 5.0
        (w * w).backward()

    if within:
        pids = []

        class Forking(float):
            def __rmul__(self, other):
                pids.append(os.fork())
                if pids[-1] == 0:
                    signal.alarm(5)
                return other * float(self)

        root = w * 5.0 + w * 5.0
        root.x.x_partial = Forking(5.0)
        code = 4
        try:
            root.backward()
            code = 0 if w.grad == 10.0 else 3
        finally:
            if pids and pids[0] == 0:
                os._exit(code)
        assert code == 0
        assert os.waitpid(pids[0], 0)[1] == 0
        return
    root, begun, go_on = slow(w)
    thread = threading.Thread(target=root.backward, daemon=True)
    thread.start()
    assert begun.wait(5.0)
    status = child(work)
    go_on.set()
    thread.join(5.0)
    assert not thread.is_alive()
    assert status == 0
    assert w.grad == 3.0


def test_a_comparison_during_an_edit_does_not_disturb_it():
    x = Value(2.0)
    assert x > 1.0

    class Numbers(list):
        def __setitem__(self, slot, number):
            super().__setitem__(slot, number)
            assert x > 1.5 + len(x.metadata.guards)

    (guard, _), *_ = x.metadata.guards.values()
    guard.numbers = Numbers(guard.numbers)
    x.data = 9.0
    assert len(x.metadata.guards) == 2


def test_threads_compare_while_another_thread_edits(switching):
    x = Value(0.5)
    limits = [float(i) for i in range(1, 300)]

    def compare():
        for limit in limits:
            assert x < limit

    def edit():
        for i in range(300):
            x.data = i / 300

    in_threads(compare, edit)
    assert all(guard.numbers[side] == x.data for guard, side in x.metadata.guards.values())


def test_threads_read_record_and_edit_at_once(switching):
    """A result belongs to one value of the leaf, or the graph is known to be stale."""
    w, done, outcomes = Value(1.0), threading.Event(), []
    shared = w * w * w

    def edit():
        for i in range(2, 200):
            w.data = float(i)
        done.set()

    def differentiate():
        for _ in range(2000):
            if done.is_set():
                break
            try:
                y = w * w * w
                gradient = tinygraph.grad(y, w)
            except StaleGraphError:
                outcomes.append(None)
            else:
                k = round(gradient / 3.0) ** 0.5
                outcomes.append(gradient == 3.0 * round(k) ** 2 and y.data == round(k) ** 3)

    def replay():
        while not done.is_set():
            try:
                gradient = tinygraph.grad(shared.forward(), w)
            except StaleGraphError:
                outcomes.append(None)
            else:
                outcomes.append(gradient == 3.0 * round((gradient / 3.0) ** 0.5) ** 2)

    in_threads(edit, differentiate, differentiate, replay)
    assert False not in outcomes
    assert tinygraph.grad(shared.forward(), w) == 3.0 * 199.0**2


def numbered(kind, number):
    """Return a leaf in which every element is the given number."""
    return kind(np.full(500, number) if kind is Tensor else number)


@pytest.mark.parametrize("kind", [Value, Tensor])
def test_threads_compare_copy_and_save_while_another_thread_edits(kind, switching, tmp_path):
    x, done = numbered(kind, 0.5), threading.Event()
    y = x * 3.0
    y = y if kind is Value else y.sum()
    for limit in range(5):
        assert np.all(x < 2.0 + limit)

    def compare():
        limit = 10.0
        while not done.is_set():
            limit = limit + 1.0 if limit < 40.0 else 10.0
            assert np.all(x < limit)

    def edit():
        for i in range(100):
            x.data = numbered(kind, i / 100).data
            y.forward()

    def copied():
        for _ in range(60):
            with contextlib.suppress(StaleGraphError):
                again = load(save(y, tmp_path / "y.json"))
                (leaf,) = [node for node in order(again) if node.op is None and not node.constant]
                assert np.all(np.abs(3.0 * leaf.data * np.size(leaf.data) - again.data) < 1e-9)
            for again in (copy.deepcopy(y), pickle.loads(pickle.dumps(y))):
                (leaf,) = [node for node in order(again) if node.op is None and not node.constant]
                with contextlib.suppress(StaleGraphError):
                    check_fresh(order(again))
                    assert np.all(np.abs(3.0 * leaf.data * np.size(leaf.data) - again.data) < 1e-9)

    def until_done(*runs):
        try:
            for run in runs:
                run()
        finally:
            done.set()

    in_threads(compare, lambda: until_done(copied, edit), edit)
    for guard, side in x.metadata.guards.values():
        assert np.array_equal(guard.numbers[side], x.raw)


def test_a_pickle_holds_the_comparisons_of_one_moment(monkeypatch):
    """Another thread compares while the metadata are pickled."""
    x = Value(0.5)
    for limit in range(1, 5):
        assert x < float(limit)

    class Comparing:
        """A key of a comparison whose pickling lets another thread compare."""

        def __reduce__(self):
            in_thread(lambda: x < 100.0)
            return float, (1.0,)

    x.metadata.guards = {Comparing(): found for found in x.metadata.guards.values()}
    for again in (pickle.loads(pickle.dumps(x)), copy.deepcopy(x)):
        assert again.metadata.guards
    assert len(x.metadata.guards) == 5


def test_a_comparison_that_an_edit_overtakes_is_known_to_be_unknown(monkeypatch):
    """A comparison that comes between the first step of an edit and the next one saw the old value."""
    x = Value(1.0)
    tick, found = clock.tick, []

    def tick_and_record():
        now = tick()
        if not found:
            found.append(None)
            monkeypatch.undo()
            assert not x > x * x * 3.0  # the graph below does not contain this product
            found.append(x * 1.0)
        return now

    monkeypatch.setattr(clock, "tick", tick_and_record)
    x.data = 2.0
    with pytest.raises(FrozenBranchError, match="unknown"):
        found[1].forward()


@pytest.mark.parametrize("kind", [Value, Tensor])
def test_an_edit_from_within_a_recomputation_is_noticed(kind, monkeypatch):
    x = kind(2.0)
    y = x * 3.0 + 1.0
    x.data = 4.0
    recompute = kind._recompute

    def recompute_and_edit(node):
        recompute(node)
        if node is y:
            x.data = 7.0

    monkeypatch.setattr(kind, "_recompute", recompute_and_edit)
    y.forward()
    monkeypatch.undo()
    with pytest.raises(StaleGraphError):
        y.backward()
    assert y.forward().data == 22.0


@pytest.mark.parametrize("kind", [Value, Tensor])
def test_a_gradient_a_replay_and_a_stepper_belong_to_one_value(kind, switching):
    w, done, outcomes = numbered(kind, 1.0), threading.Event(), []
    shared = w * w * w

    def edit():
        try:
            for i in range(2, 120):
                w.data = numbered(kind, float(i)).data
        finally:
            done.set()

    def attempt(run):
        while not done.is_set():
            with contextlib.suppress(StaleGraphError):
                gradient = np.asarray(run())
                roots = np.sqrt(gradient / 3.0)
                outcomes.append(np.all(roots == np.rint(roots.flat[0])))

    def replayed():
        shared.forward()
        return tinygraph.grad(shared, w, seed=np.ones(shared.shape) if kind is Tensor else None)

    def stepped():
        y = w * w * w if kind is Value else (w * w * w).sum()
        stepper = tinygraph.Stepper(y)
        list(stepper)
        return stepper.grad(w)

    def pushed():
        y = w * w * w
        return tinygraph.jvp(y, {w: np.ones(500) if kind is Tensor else 1.0})

    in_threads(edit, *[lambda run=run: attempt(run) for run in (replayed, stepped, pushed)])
    assert all(outcomes)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*:DeprecationWarning")
def test_a_child_process_compares_edits_and_pickles_while_a_lock_of_its_parent_is_taken():
    x, begun, go_on = Tensor([1.0, 2.0]), threading.Event(), threading.Event()

    def hold():
        with clock.lock, clock.guard_lock:
            begun.set()
            go_on.wait(10.0)

    thread = threading.Thread(target=hold, daemon=True)
    thread.start()
    assert begun.wait(5.0)
    pid = os.fork()
    if pid == 0:
        signal.alarm(5)  # ends a child that waits forever
        code = 4
        try:
            assert (x < 3.0).all()
            x.data = np.array([2.0, 2.5])
            x, y = pickle.loads(pickle.dumps([x, (x * x).sum()]))
            y.forward().backward()
            code = 0 if x.grad.tolist() == [4.0, 5.0] else 3
        finally:
            os._exit(code)
    status = os.waitpid(pid, 0)[1]
    go_on.set()
    thread.join(5.0)
    assert not thread.is_alive()
    assert status == 0


def test_a_lock_of_another_thread_is_free_in_a_child_process(monkeypatch):
    """The other thread does not exist in the child. A lock of the thread that forks stays locked."""
    in_child = []
    monkeypatch.setattr(
        os, "register_at_fork", lambda *, after_in_child: in_child.append(after_in_child), raising=False
    )
    lock = fork_safe_lock()
    with lock:
        in_child[0]()
        assert lock._is_owned()
    thread = threading.Thread(target=lock.acquire)
    thread.start()
    thread.join()
    assert not lock.acquire(blocking=False)
    in_child[0]()
    assert lock.acquire(blocking=False)
    lock.release()


def test_a_system_that_cannot_fork_needs_no_cleanup(monkeypatch):
    monkeypatch.delattr(os, "register_at_fork", raising=False)
    with fork_safe_lock():
        at_fork(pytest.fail)
