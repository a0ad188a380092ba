"""Reading the answers of students, in Python and in the script of the pages."""

import json
import math
import re
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygraph
from tinygraph.practicing.answers import fits, is_shown, read, slack

SCRIPT = Path(tinygraph.__file__).parent / "practicing" / "answers.js"
TEXTS = {
    "6": 6.0, " - 0.5 ": -0.5, "−1/3": -1 / 3, "2/3": 2 / 3, "-.333": -0.333, "-3.33e-1": -0.333, "5.": 5.0,
    "+4": 4.0, "1E2": 100.0, "1/4/2": None, "third": None, "": None, "/": None, "1/": None, "1,5": None,
    "1.000,5": None, "--1": None, "1e": None, ".": None, "0x10": None, "1_000": None, "٣": None, "inf": math.inf,
    "-∞": -math.inf, "Infinity": math.inf, "nan": math.nan, "1/0": math.inf, "-1/0": -math.inf, "1/-0": -math.inf,
    "0/0": math.nan, "1e999": math.inf, "3 1/2": 31 / 2, "2*3": None, "1e-999": 0.0, "π": None, "1e5/2e2": 500.0,
    "9" * 50: float("9" * 50),
}  # fmt: skip


def in_python(text):
    try:
        return list(read(text))
    except ValueError:
        return None


@pytest.mark.parametrize("text", TEXTS)
def test_texts_of_numbers(text):
    found, wanted = in_python(text), TEXTS[text]
    assert (found is None) == (wanted is None)
    if found is not None:
        assert repr(found[0]) == repr(wanted)


def test_a_decimal_comma_gets_a_sentence_of_its_own():
    for text in ("1,5", "-0,25", ",5", "1,000"):
        with pytest.raises(ValueError, match=f"needs a decimal point instead of a comma, such as 1.5, not '{text}'"):
            read(text)
    with pytest.raises(ValueError, match=re.escape("'six' is not a number: write a number such as 6, -0.5 or 1/3")):
        read("six")
    with pytest.raises(ValueError, match=r"'x{37}\.\.\.' is not a number"):
        read("x" * 1000)


@given(x=st.floats(allow_nan=False), digits=st.integers(1, 15))
def test_half_a_unit_of_the_last_digit_bounds_the_error_of_a_rounded_number(x, digits):
    text = f"{x:.{digits}g}"
    number, unit = read(text)
    assert number == float(text)
    if math.isfinite(number) and "e" not in text:
        assert abs(Fraction(number) - Fraction(x)) <= Fraction(unit) * (1 + Fraction(1, 10**9))


@given(x=st.floats(-1e6, 1e6), digits=st.integers(3, 15))
def test_three_digits_are_enough_unless_the_answer_is_an_integer(x, digits):
    rounded = float(f"{x:.{digits}g}")
    assert fits(rounded, x, slack(x)) or (x == round(x) and rounded != x)
    assert not fits(x + 0.0051 * abs(x) + 1e-300, x, slack(x))


@given(p=st.integers(-(10**6), 10**6), q=st.integers(1, 1000))
def test_a_fraction_is_as_good_as_its_decimals(p, q):
    assert read(f"{p}/{q}") == (p / q, 0.0)
    assert read(f" {p} / -{q}").number == -p / q


def test_infinities_and_nan_are_equal_only_to_themselves():
    for answer in (math.inf, -math.inf, math.nan):
        for number in (math.inf, -math.inf, math.nan, 1e308, 0.0):
            assert fits(number, answer, slack(answer)) == (repr(number) == repr(answer))


def test_a_number_is_shown_with_all_its_digits():
    assert is_shown(0.25, ".4g")
    assert not is_shown(1 / 3, ".4g")
    assert not is_shown(1.25, ".1f")
    assert not is_shown(0.5, ".1%")


def test_the_script_reads_the_same_numbers():
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node: apt-get install nodejs")
    texts = [*TEXTS, "1.25", "12e3", "-0.500", "1" * 29, "1." + "1" * 29, " 1 2 ", "1,5"]
    program = f"""{SCRIPT.read_text(encoding="utf-8")}
    const found = {json.dumps(texts)}.map((text) => ANSWERS.read(text));
    console.log(JSON.stringify(found.map((x) => (x.problem ? null : [String(x.number), String(x.unit)]))));
    const numbers = [1, 1.004, 0, Infinity, -Infinity, NaN];
    console.log(JSON.stringify(numbers.map((x) => numbers.map((y) => ANSWERS.fits(x, y, 0.005)))));"""
    out = subprocess.run([node, "-e", program], capture_output=True, text=True, check=True).stdout.splitlines()
    for text, found in zip(texts, json.loads(out[0]), strict=True):
        read_here = in_python(text)
        assert (found is None) == (read_here is None), text
        if found is not None:
            assert [repr(float(x.replace("Infinity", "inf"))) for x in found] == [repr(x) for x in read_here], text
    numbers = [1.0, 1.004, 0.0, math.inf, -math.inf, math.nan]
    assert json.loads(out[1]) == [[fits(x, y, 0.005) for y in numbers] for x in numbers]
