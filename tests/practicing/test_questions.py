"""Right answers are accepted, each kind of wrong answer gets its hint, and nothing else gets one."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import tinygraph
from tinygraph import Tensor, Value
from tinygraph.cli.expressions import parse
from tinygraph.engine.graph import order
from tinygraph.explaining.step import Steps
from tinygraph.explaining.walk import Walk
from tinygraph.practicing.answers import read
from tinygraph.practicing.mistakes import GENERAL, MISTAKES
from tinygraph.practicing.questions import GradientQuestions, Verdict
from tinygraph.testing import graphs

PROGRAMS = st.one_of(graphs(integers=True), graphs())


def questions_of(root):
    return GradientQuestions(Steps(Walk(root, 1.0)))


def asked(program):
    """Return the questions of a program."""
    root, _ = program.record()
    assume(root.op is not None and len(Walk(root, 1.0)))
    return [*questions_of(root)]


def judged(question, number):
    text = repr(float(number))
    return question.judge(read(text), text)


def lecture():
    return parse("u = b*c; v = a + u; J = 3*v", {"a": 5.0, "b": 3.0, "c": 2.0})


def test_the_lecture():
    found = [(question.text, question.answer) for question in questions_of(lecture())]
    assert found == [
        ("What is dJ/dv after this step?", 3.0),
        ("What is dJ/da after this step?", 3.0),
        ("What is dJ/du after this step?", 3.0),
        ("What is dJ/db after this step?", 6.0),
        ("What is dJ/dc after this step?", 9.0),
    ]
    db = questions_of(lecture())[3]
    assert db.given == "dJ/db += dJ/du · ∂u/∂b, and dJ/db is 0 so far"
    assert db.solution == "dJ/db += dJ/du · ∂u/∂b = 3 × 2 = 6 (∂u/∂b = c = 2)"
    assert db.judge(read("9"), "9").text == (
        "Not yet: dJ/db is not 9. You used ∂u/∂c, the local derivative for c. You need ∂u/∂b = c."
    )
    assert db.judge(read("7"), "7").text == "Not yet: dJ/db is not 7. Compute dJ/du · ∂u/∂b, and add it to dJ/db."


@given(program=PROGRAMS)
def test_the_right_answer_is_accepted_in_every_spelling(program):
    for question in asked(program):
        assert question.slack >= 0.0
        for text in {repr(question.answer), question.shown, f" {question.answer!r}/1 "}:
            verdict = question.judge(read(text), text)
            assert verdict == Verdict(True, True, (), f"Right: {question.symbol} = {question.shown}.")


@given(program=PROGRAMS)
def test_the_last_answers_are_the_gradients(program):
    root, _ = program.record()
    assume(root.op is not None and len(Walk(root, 1.0)))
    last = {question.step.operand: question.answer for question in questions_of(root)}
    nodes = [node for node in order(root) if node is not root and node in last]
    assert [last[node] for node in nodes] == pytest.approx(tinygraph.grad(root, nodes), rel=1e-12, abs=0.0, nan_ok=True)


def planted(question, root):
    """Yield pairs (kind, number) of wrong answers, from nothing but the edges of the graph and its gradients."""
    step = question.step
    node, slot, x = step.result, step.slot, step.operand
    before = float(step.before or 0.0)
    upstream, local = tinygraph.grad(root, node), node.partials[slot]
    added = question.answer - before if node.op in (tinygraph.add, tinygraph.mul) else upstream * local
    yield "nothing", before
    yield "sign", before - added
    yield "upstream", before + local
    yield "local", before + upstream
    yield "sum", before + upstream + local
    yield "value", x.data
    yield "ahead", tinygraph.grad(root, x)
    if step.before is not None:
        yield "add", added
        yield "product", before * added
    for k, other in enumerate(node.partials):
        if k != slot and other is not None:
            yield "operand", before + upstream * other
            if step.before is not None:
                yield "add", upstream * other
    parts = [part.contribution for part in Steps(Walk(root, 1.0)).into(node)]
    if len(parts) > 1:
        yield from (("part", before + part * local) for part in parts[:8])


@given(program=PROGRAMS)
def test_each_planted_mistake_gets_its_hint(program):
    root, _ = program.record()
    assume(root.op is not None and len(Walk(root, 1.0)))
    for question in questions_of(root):
        step = question.step
        scale = max(abs(float(x)) for x in (question.answer, step.before or 0.0, step.contribution))
        for kind, number in planted(question, root):
            if not math.isfinite(number) or not math.isfinite(scale):
                continue
            if abs(number - question.answer) <= 1e-8 * scale or f"{number:.4g}" == f"{question.answer:.4g}":
                continue  # it is shown like the right answer
            verdict = judged(question, number)
            assert not verdict.right, (question, kind, number)
            named = set(verdict.mistakes)
            is_sign = "sign" in named and kind in ("local", "operand")  # a factor of -1 that is left out
            is_special = kind in GENERAL and named - set(GENERAL)
            assert kind in named or is_sign or is_special or (kind == "add" and named), (question, kind, number)
            assert verdict.text.startswith(f"Not yet: {question.symbol} is not {number!r}.")


@given(program=PROGRAMS, away=st.floats(1.5, 1e3), sign=st.sampled_from([-1, 1]))
def test_a_number_without_an_explanation_gets_no_hint(program, away, sign):
    for question in asked(program):
        known = [question.answer, *[wrong.number for wrong in question.wrong]]
        if not all(map(math.isfinite, known)):
            continue
        number = sign * away * (max(map(abs, known)) + 1.0)
        verdict = judged(question, number)
        assert verdict == Verdict(False, True, (), verdict.text)
        assert verdict.text.endswith(question.advice)


@given(program=PROGRAMS)
def test_no_wrong_answer_is_shown_like_the_right_one_or_listed_twice(program):
    for question in asked(program):
        shown = [f"{wrong.number:.4g}" for wrong in question.wrong]
        assert question.shown not in [text.replace("-0", "0") if text == "-0" else text for text in shown]
        assert len({wrong.number for wrong in question.wrong}) == len(question.wrong)
        for wrong in question.wrong:
            assert wrong.mistakes
            assert set(wrong.mistakes) <= set(MISTAKES)
            assert len(set(wrong.mistakes)) == len(wrong.mistakes)
            assert math.isfinite(wrong.number)
            assert wrong.hint


CASES = {
    # expression, derivative, wrong answer: kinds of mistakes, and a part of the hint
    ("J = x**3", "dJ/dx", 4.0): (["factor"], "left out the factor 3: x**3 has the derivative 3*x**2"),
    ("J = x**2", "dJ/dx", 8.0): (["rule"], "kept the exponent: x**2 has the derivative 2*x."),
    ("J = sigmoid(x)", "dJ/dx", 0.8807970779778823): (["factor"], "with a = sigmoid(z), the derivative is a*(1 - a)"),
    ("J = tanh(x)", "dJ/dx", 1 - 0.9640275800758169): (["factor"], "left out the square"),
    ("J = exp(x)", "dJ/dx", 5.43656365691809): (["rule"], "exp is not a power"),
    ("J = sqrt(x)", "dJ/dx", 0.7071067811865475): (["factor"], "left out the factor 1/2"),
    ("J = y/x", "dJ/dx", -2.5): (["factor"], "left out the square"),
    ("J = y/x", "dJ/dx", -0.25): (["factor"], "left out the numerator"),
    ("J = y/x", "dJ/dx", 1.25): (["sign"], "look at the sign of ∂J/∂x"),
    ("J = y/x", "dJ/dy", 2.0): (["rule"], "multiplied by the divisor"),
    ("J = y - x", "dJ/dx", 1.0): (["sign"], "look at the sign of ∂J/∂x"),
    ("J = y - x", "dJ/dx", 5.0): (["value", "rule"], "as for a product"),
    ("J = y*x", "dJ/dx", 2.0): (["operand"], "You used ∂J/∂y, the local derivative for y. You need ∂J/∂x = y."),
    ("u = x*x; J = u*3", "dJ/du", 12.0): (["value"], "the value of J"),
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case[0]}, {case[1]}")
def test_the_rule_of_an_op(case):
    expression, symbol, number = case
    kinds, hint = CASES[case]
    inputs = {name: value for name, value in {"x": 2.0, "y": 5.0}.items() if name in expression}
    question = next(question for question in questions_of(parse(expression, inputs)) if question.symbol == symbol)
    verdict = judged(question, number)
    assert set(verdict.mistakes) <= {*kinds}, verdict
    assert verdict.mistakes
    assert hint in verdict.text


def test_a_value_used_twice_is_a_sum():
    first, second = questions_of(parse("y = x*x", {"x": 3.0}))
    assert judged(first, 6.0).mistakes == ("ahead",)
    assert judged(second, 3.0).mistakes == ("add", "nothing")
    assert judged(second, 3.0).text.startswith(
        "Not yet: dy/dx is not 3.0. 2 mistakes lead to this number. (1) That is "
    )
    assert second.solution.endswith("so dy/dx = 3 + 3 = 6")


def test_an_incomplete_upstream_gradient():
    question = questions_of(parse("b = a + a; c = b + b", {"a": 2.0}))[3]
    assert question.symbol == "dc/da"
    assert "part" in judged(question, 3.0).mistakes


def test_two_mistakes_at_once():
    root = parse("J = x*y + x*z", {"x": 2.0, "y": 7.0, "z": 5.0})
    question = [question for question in questions_of(root) if question.symbol == "dJ/dx"][-1]
    assert (question.answer, question.step.before) in {(12.0, 5.0), (12.0, 7.0)}
    verdict = judged(question, question.step.before - 12.0)  # a wrong sign, and it replaces the gradient
    assert verdict.mistakes == ("add", "sign")
    assert verdict.text.endswith("Also add the contribution to dJ/dx, which is not 0 before this step.")


def test_a_wrong_answer_near_the_right_one_is_not_rounding():
    root = parse("y = 200*x + 0.5*x", {"x": 1.0})
    question = [question for question in questions_of(root) if question.symbol == "dy/dx"][-1]
    assert question.answer == 200.5
    assert judged(question, 200.0).mistakes == (("nothing",) if question.step.before == 200.0 else ("add",))
    assert judged(question, 200.5).right


def test_numbers_that_are_computed_from_the_shown_digits_count():
    question = questions_of(parse("u = x/3; y = 3*u", {"x": 1.0}))[1]
    assert question.answer == 1.0
    assert judged(question, 3 * 0.3333).right
    assert not judged(question, 0.98).right


def test_a_number_that_is_rounded_too_much_is_no_mistake():
    question = questions_of(parse("y = x/7", {"x": 3.0}))[0]
    verdict = question.judge(read("0.14"), "0.14")
    assert verdict == Verdict(False, False, (), "0.14 is rounded too much: write three digits, or a fraction.")
    assert question.judge(read("0.143"), "0.143").right
    assert question.judge(read("1/7"), "1/7").right
    assert question.judge(read("0.15"), "0.15").counts


def test_gradients_that_are_not_finite():
    question = questions_of(parse("y = log(x)", {"x": 0.0}))[0]
    assert question.judge(read("inf"), "inf").right
    assert not question.judge(read("-inf"), "-inf").right
    question = questions_of(parse("y = log(x)", {"x": -1.0}))[0]
    assert question.judge(read("nan"), "nan").right


def test_what_has_no_questions_is_refused():
    with pytest.raises(ValueError, match=r"by hand needs a graph of scalars, but t has the shape \(2,\)"):
        questions_of(Tensor([1.0, 2.0], "t").sum())
    with pytest.raises(ValueError, match="the graph of x has no gradient to compute: pass a computed node"):
        questions_of(Value(1.0, "x"))
    with pytest.raises(IndexError):
        questions_of(lecture())[5]
    assert len(questions_of(lecture())) == 5
