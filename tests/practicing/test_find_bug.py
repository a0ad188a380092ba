"""The opponents make their mistake where the lab finds it, and nowhere else."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph
from tinygraph import Stepper, Tensor, Value, misconceptions
from tinygraph.cli.expressions import parse
from tinygraph.practicing.find_bug import NAMES, opponents
from tinygraph.testing import graphs
from tinygraph.worksheets import find_bug

PASSES = {lab.name: lab for lab in misconceptions.LAB[:4]}


def steps_of(root):
    return Stepper(root).steps


def example():
    return parse("u = b*c; v = a - u; J = 3*v + u*u", {"a": 5.0, "b": 3.0, "c": 2.0})


def test_the_opponents_are_the_lab():
    assert [lab.name for lab in misconceptions.LAB] == list(NAMES)
    assert set(opponents(steps_of(example()))) == set(NAMES)
    firsts = {name: opponent.first for name, opponent in opponents(steps_of(example())).items()}
    assert firsts == {"depth first": 6, "= for +=": 5, "forgetting to zero": 2, "a wrong sign": 8, "* for dot": 4}


@given(program=graphs(integers=True))
def test_the_first_wrong_step_is_that_of_the_lab(program):
    root, _ = program.record()
    found = opponents(steps_of(root))
    for name, lab in PASSES.items():
        comparison = lab.compare(root)
        if name not in found:
            assert comparison.first is None, "integers are exact, so every difference is visible"
            continue
        opponent = found[name]
        expected, wrong = comparison.first
        step = opponent.steps[opponent.first - 1]
        fields = ("result", "slot", "upstream", "local", "contribution", "before", "after")
        assert [getattr(step, field) for field in fields] == [getattr(wrong, field) for field in fields]
        assert (opponent.expected is None) == (expected is None)


@given(program=st.one_of(graphs(), graphs(integers=True)))
def test_all_steps_before_the_first_wrong_one_are_right(program):
    root, _ = program.record()
    rule = {(step.result, step.slot): step for step in Stepper(root) if step.kind == "backward"}
    for opponent in opponents(steps_of(root)).values():
        assert [step.index for step in opponent.steps] == [*range(1, len(opponent.steps) + 1)]
        sums = {}
        for step in opponent.steps[1 : opponent.first - 1]:
            right = rule[step.result, step.slot]
            assert step.contribution == pytest.approx(right.contribution, rel=1e-9, nan_ok=True)
            sums[step.operand] = sums.get(step.operand, 0.0) + step.contribution
            assert step.after == pytest.approx(sums[step.operand], rel=0.0, abs=0.0, nan_ok=True)


def test_a_saturated_neuron_has_no_false_mistake():
    root = parse("a = sigmoid(w*x); L = -log(a)", {"w": 700.0, "x": 2.0})  # a rounds to 1
    assert set(opponents(steps_of(root))) <= {"forgetting to zero"}


def test_find_it_and_name_it():
    bug = find_bug(example(), seed=0)
    name = next(name for name, opponent in opponents(steps_of(example())).items() if opponent.steps[1:] and
                [repr(step) for step in opponent.steps] == [repr(step) for step in bug.steps])  # fmt: skip
    first = opponents(steps_of(example()))[name].first
    with pytest.raises(ValueError, match="first pick the step that is wrong"):
        bug.name(name)
    assert bug.question == "Which step is the first wrong one?"
    assert bug.pick(1).text == "Step 1 is right. Look at the steps after it."
    assert bug.pick(len(bug.steps)).text == f"A step before step {len(bug.steps)} is already wrong."
    assert bug.pick(first).text.startswith(f"Right: step {first} is wrong. Step {first} should be dJ/d")
    with pytest.raises(ValueError, match=f"the first wrong step is found: it is step {first}"):
        bug.pick(first)
    other = next(other for other in NAMES if other != name)
    assert bug.name(other).text.startswith(f"It is not '{other}'. Step {first} should be ")
    assert bug.name(name).text.startswith("Right. The misconception is “")
    with pytest.raises(ValueError, match="the mistake is known"):
        bug.name(name)
    assert str(bug.score) == "0 of 2 right at the first answer, 2 after a mistake"
    assert bug.question == ""
    with pytest.raises(ValueError, match="both questions are answered"):
        bug.show()


def test_a_seed_gives_one_opponent_and_all_appear():
    def text(seed):
        return str(find_bug(example(), seed=seed))

    assert text(3) == text(3)
    assert len({text(seed) for seed in range(40)}) == len(NAMES)


def test_a_known_opponent_has_one_question():
    bug = find_bug(example(), "a wrong sign")
    assert bug.pick(8).text.endswith("To fix it: d(a - b)/db is -1: when b grows, the difference falls.")
    assert str(bug.score) == "1 of 1 right at the first answer"
    bug = find_bug(example(), "depth first")
    assert "should be dJ/db += dJ/du · ∂u/∂b = 9 × 2 = 18, so b.grad 0 → 18. The upstream gradient is 9, not -3." in (
        bug.show()
    )


def test_a_step_that_is_repeated():
    a = Value(2.0, "a")
    b = a + a
    bug = find_bug(b * 1.0 + b * 0.0, "depth first")
    assert "repeats an earlier step, so its contribution is added twice" in bug.show()


def test_the_terminal(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("2\nfive\n11\n5\n"))
    find_bug(example(), "= for +=").repl()
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "step  1  dJ/dJ = 1"
    assert told[10] == "Which step is the first wrong one?"
    assert told[11] == "  Step 2 is right. Look at the steps after it."
    assert told[12] == "  the answer must be the number of a step, from 1 to 10"
    assert told[13] == "  step must be from 1 to 10, not 11"
    assert told[-1] == "0 of 1 right at the first answer, 1 after a mistake"
    monkeypatch.setattr("sys.stdin", io.StringIO("show\nwrong\nshow\n"))
    find_bug(example(), seed=1).repl()
    told = capsys.readouterr().out
    assert "mistake must be one of 'depth first'" in told
    assert told.endswith("0 of 2 right at the first answer, 2 shown\n")


def test_what_has_no_bug_is_refused():
    x, y = Value(2.0, "x"), Value(3.0, "y")
    z = x * y
    z.name = "z"
    with pytest.raises(ValueError, match=r"'= for \+=' makes no mistake on the graph of z: choose one of 'forg"):
        find_bug(z, "= for +=")
    with pytest.raises(ValueError, match="no opponent makes a mistake on the graph of z: pass a graph of at most"):
        find_bug(Value(2.0, "z"))
    with pytest.raises(ValueError, match=r"'a wrong sign' makes no mistake on the graph .*: choose one of '= for"):
        find_bug(x * x, "a wrong sign")
    with pytest.raises(ValueError, match="opponent must be one of 'depth first'"):
        find_bug(z, "carelessness")
    with pytest.raises(ValueError, match="finding a bug needs a graph of scalars"):
        find_bug(Tensor([1.0], "t") * 2.0)
    with pytest.raises(TypeError, match="find_bug: root must be a node"):
        find_bug("J")
    with pytest.raises(TypeError, match="seed"):
        find_bug(example(), seed=1.5)
    x.data = 7.0
    with pytest.raises(tinygraph.StaleGraphError):
        find_bug(z)


def test_a_pass_along_too_many_paths_is_no_opponent():
    x = Value(1.0, "x")
    y = x
    for _ in range(20):
        y = y + y
    assert "depth first" not in opponents(steps_of(y))
    assert "= for +=" in opponents(steps_of(y))
