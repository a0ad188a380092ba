"""A short run of the fuzzer, with other inputs each time, and the faults that it once found."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygraph.cli.expressions import ExpressionError, parse
from tinygraph.cli.main import main
from tinygraph.datasets import Scaler
from tinygraph.saving.format import GraphFileError
from tinygraph.saving.reader import load
from tools.fuzzing import TARGETS, corpus, damaged, one


@pytest.fixture(scope="module")
def good():
    return corpus()


@pytest.mark.parametrize("kind", TARGETS)
@given(seed=st.integers(0, 10**9))
def test_whatever_comes_in_there_is_a_result_or_one_error(kind, good, seed):
    data = damaged(random.Random(seed), kind, good[kind])
    outcome, _, wrong = one(kind, data)
    assert not wrong, (data, wrong)
    assert outcome


@pytest.mark.parametrize("kind", TARGETS)
def test_what_is_not_damaged_is_taken(kind, good):
    outcomes = {one(kind, data)[0] for data in good[kind]}
    assert outcomes & {"loaded", "drawn", "trained", "run"}


@pytest.mark.parametrize(
    "text", ["a" * 10**7, "(" * 10**7, "a**" + "9" * 400, "a**10**9", "-" * 10**6 + "a"], ids=lambda text: text[:8]
)
def test_resources_are_bounded_for_expressions(text):
    try:
        assert parse(text, {"a": 1.0}) is not None
    except ExpressionError as error:
        assert len(str(error)) < 500  # noqa: PT017


@pytest.mark.parametrize(
    "text",
    ["[" * 10**7, "[" * 10**6 + "]" * 10**6, '{"format":' + "9" * 10**6 + "}", '{"a":' * 10**5 + "1" + "}" * 10**5],
    ids=["open", "closed", "digits", "objects"],
)
def test_resources_are_bounded_for_files(text, tmp_path):
    path = tmp_path / "j.json"
    path.write_text(text)
    with pytest.raises(GraphFileError):
        load(path)


def test_columns_whose_squares_no_float_holds_are_brought_to_one_scale():
    X = [[1e308, 1e200], [-1e308, -1e200], [0.0, 0.0]]
    scaled = Scaler.fit(X).transform(X)
    assert [row[0] for row in scaled] == pytest.approx([1.5**0.5, -(1.5**0.5), 0.0])
    assert [row[1] for row in scaled] == pytest.approx([1.5**0.5, -(1.5**0.5), 0.0])


def test_long_names_are_cut_in_sentences(tmp_path, capsys):
    path = tmp_path / "t.csv"
    path.write_text("x" * 10_000 + ",y\n1,2\n", encoding="utf-8")
    assert main(["fit", str(path), "--target", "z"]) == 2
    assert len(capsys.readouterr().err) < 400
    with pytest.raises(ExpressionError) as caught:
        parse("x" * 5000, {"a": 1.0})
    assert len(str(caught.value)) < 400


def test_the_parser_warns_of_nothing(recwarn):
    with pytest.raises(ExpressionError):
        parse("1if a else 2", {"a": 1.0})
    assert not recwarn.list
