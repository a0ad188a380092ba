"""The exercise in Python and in a terminal: its order, score and state."""

import io
import json
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import tinygraph
from tinygraph import Stepper, Tensor, Value
from tinygraph.cli.expressions import parse
from tinygraph.engine.graph import order
from tinygraph.testing import graphs
from tinygraph.worksheets import by_hand


def lecture():
    return parse("u = b*c; v = a + u; J = 3*v", {"a": 5.0, "b": 3.0, "c": 2.0})


@given(program=st.one_of(graphs(integers=True), graphs()))
def test_the_right_answers_make_a_full_score(program):
    root, _ = program.record()
    assume(root.op is not None and len(Stepper(root)) > 1)
    exercise = by_hand(root)
    contributions = [step for step in Stepper(root) if step.kind == "backward"]
    for k, step in enumerate(contributions):
        assert exercise.index == k
        assert exercise.question.step.operand is step.operand
        assert exercise.answer(float(step.after)).right
    score = exercise.score
    assert (score.total, score.right, score.left, score.mistakes) == (len(contributions), len(contributions), 0, {})
    assert exercise.question is None
    assert all(node.grad is None for node in order(root)), "nothing is written"


def test_a_score_names_the_mistakes():
    exercise = by_hand(lecture())
    for given_ in (0, "3", "1/0.3", "-3", 3, Fraction(9, 3), "6.0"):
        exercise.answer(given_)
    exercise.show()
    assert str(exercise.score) == (
        "2 of 5 right at the first answer, 2 after a mistake, 1 shown\n"
        "  1 time: left out the contribution\n  1 time: wrong sign"
    )
    with pytest.raises(ValueError, match="all 5 questions are answered: call by_hand again"):
        exercise.answer("1")
    with pytest.raises(ValueError, match="all 5 questions are answered"):
        exercise.show()


def test_what_is_not_a_number_is_no_mistake():
    exercise = by_hand(lecture())
    with pytest.raises(ValueError, match="a decimal point instead of a comma"):
        exercise.answer("3,0")
    with pytest.raises(TypeError, match="answer: "):
        exercise.answer([3.0])
    exercise.answer("3")
    assert exercise.score.right == 1
    assert repr(exercise) == "<by hand: J, 1 of 5 questions answered>"


ANSWERS = st.lists(st.sampled_from(["3", "9", "0", "-3", "6", "1/3", "100", None]), max_size=12)


@given(answers=ANSWERS)
def test_a_state_restores_everything(answers):
    exercise = by_hand(lecture())
    for given_ in answers:
        if exercise.question is not None:
            exercise.show() if given_ is None else exercise.answer(given_)
    other = by_hand(lecture(), exercise.state())
    assert json.loads(other.state()) == json.loads(exercise.state())
    assert (other.score, other.index) == (exercise.score, exercise.index)


def test_a_state_of_something_else_is_refused():
    state = by_hand(lecture()).state()
    other = parse("u = b*c; v = a + u; J = 3*v", {"a": 5.0, "b": 3.0, "c": 2.5})
    with pytest.raises(ValueError, match="the state belongs to another graph"):
        by_hand(other, state)
    good = json.loads(state)
    bad = [
        "", "{}", "[]", "null", "x", "[" * 100_000, json.dumps(good | {"by_hand": 2}), json.dumps(good | {"given": 3}),
        json.dumps(good | {"given": [[]]}), json.dumps(good | {"given": [[3.0], [], [], [], []]}),
        json.dumps(good | {"given": "abcde"}),
    ]  # fmt: skip
    for text in bad:
        with pytest.raises(ValueError, match="the state is not one that state"):
            by_hand(lecture(), text)
    with pytest.raises(TypeError, match="state must be the text that state"):
        by_hand(lecture(), 3)
    too_much = json.dumps(good | {"given": [["3", "3", "3", "6", "9", "1"], [], [], [], []]})
    with pytest.raises(ValueError, match="all 5 questions are answered"):
        by_hand(lecture(), too_much)


def test_the_terminal(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("4\n3,0\n3\n\nscore\nshow\n3\n9\n6\n9"))
    by_hand(lecture()).repl()
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "question 1/5  What is dJ/dv after this step?"
    assert told[2] == "  Not yet: dJ/dv is not 4. You added dJ/dJ and ∂J/∂v. Multiply them."
    assert "  the answer needs a decimal point instead of a comma, such as 1.5, not '3,0'" in told
    assert told.count("question 1/5  What is dJ/dv after this step?") == 1
    assert "  dJ/da += dJ/dv · ∂v/∂a = 3 × 1 = 3" in told
    assert told[-4:-2] == [
        "  Right: dJ/dc = 9. dJ/dc += dJ/du · ∂u/∂c = 3 × 3 = 9 (∂u/∂c = b = 3)",
        "2 of 5 right at the first answer, 2 after a mistake, 1 shown",
    ]
    for end in ("q\n", "quit\n", ""):
        monkeypatch.setattr("sys.stdin", io.StringIO(end))
        by_hand(lecture()).repl()
        assert capsys.readouterr().out.endswith("0 of 5 right at the first answer, 5 to go\n")


def test_what_has_no_questions_is_refused():
    with pytest.raises(TypeError, match="by_hand: root must be a node"):
        by_hand(3.0)
    with pytest.raises(ValueError, match="needs a graph of scalars"):
        by_hand(Tensor([1.0], "t") * 2.0)
    with pytest.raises(ValueError, match="has no gradient to compute"):
        by_hand(Value(2.0, "x"))
    x = Value(1.0, "x")
    y = x * 2.0
    x.data = 3.0
    with pytest.raises(tinygraph.StaleGraphError):
        by_hand(y)
