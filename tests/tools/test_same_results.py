"""The accelerator gives the same values, gradients, diagrams, files and errors as pure Python."""

import importlib.util

import pytest

from tools.same_results import both, differences, shown


def test_random_programs_and_operands_give_the_same_results():
    if importlib.util.find_spec("tinygraph.engine._speed") is None:
        pytest.skip("the accelerator is not built: install a C compiler, and run pip install -e . again")
    pure, fast = both(40)
    assert len(pure) > 40
    assert differences(pure, fast) == []


def test_a_difference_is_found_and_shown():
    pure = [["0", "def f(a): ...", {"values": "1\n2", "grad": "3"}], ["1", "def f(b): ...", {"values": "4"}]]
    fast = [["0", "def f(a): ...", {"values": "1\n5", "grad": "3"}], ["1", "def f(b): ...", {"values": "4"}]]
    assert differences(pure, pure) == []
    assert differences(pure, fast) == ["0: values\ndef f(a): ..."]
    assert [line for line in shown(pure, fast) if line[0] in "+-" and line[1] not in "+-"] == ["-2", "+5"]
    assert differences(pure, fast[:1]) == ["the two processes drew different programs"]
