"""Every example runs by itself, warns of nothing, says what it found, and writes a picture, with or without engine."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tinygraph.drawing import EngineNotFoundError
from tinygraph.drawing.rendering import find_engine

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.py"))
PICTURES = {".svg", ".html", ".dot"}
FOUND = {  # what an example must have found out
    "backprop_in_the_repl": r"\(3\.0, 6\.0, 9\.0\)",
    "broadcasting": r"Carb +94\.9 +0\.0 +2\.8 +88\.4",
    "draw_a_neuron": r"w1 +data -3\.0 +grad 0\.99999",
    "logistic_regression": r"after 1000 steps: 9[78]\.\d% right in training, (9[6-9]|100)",
    "loops_to_vectors": r"42,021 nodes .* 10 nodes of arrays[\s\S]*dw = X @ dZ\.T[\s\S]*differ by \de-1[5-7]",
    "misconceptions": r"a +4 +6 +<-",
    "newton": r"step 5: x = 1\.41421356237309\d\d, off by (0e\+00|2e-16)[\s\S]*gradient descent takes \d{2,} steps",
    "pictures_of_the_lecture": r"computation_graph-light\.\w+: <drawing of J: 7 cards",
    "property_test": r"is 2\.0\s+mpmath says 3\.0[\s\S]*return tinygraph\.wrong_cube\(a\)[\s\S]*mended op:\s+passed",
    "two_moons": r"(9[5-9]|100)\.\d% of the 100 points are right, and 9\d\.\d% of 1,000 new ones",
}


def run(path, folder, *arguments, **environment):
    command = [sys.executable, "-W", "error", str(path), *arguments]
    settings = {**os.environ, "PYTHONIOENCODING": "utf-8", **environment}
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=folder, env=settings)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout


def test_every_example_says_something_that_is_checked():
    assert {path.stem for path in EXAMPLES} == FOUND.keys()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_by_itself_and_writes_a_picture(path, tmp_path):
    elsewhere, here = tmp_path / "pictures", tmp_path / "here"
    elsewhere.mkdir(), here.mkdir()
    said = run(path, here, str(elsewhere))
    assert re.search(FOUND[path.stem], said), said
    assert {path.name for path in here.iterdir()} <= {".hypothesis"}, "it writes into the folder that it is given"
    if path.stem == "two_moons" and importlib.util.find_spec("matplotlib") is None:
        assert "pip install 'tinygraph-autodiff[plot]'" in said
        return
    written = list(elsewhere.iterdir())
    assert written
    for picture in written:
        assert picture.suffix in PICTURES
        assert picture.stat().st_size > 300
        assert picture.name in said
    try:
        find_engine()
    except EngineNotFoundError:
        return
    assert not [picture for picture in written if picture.suffix == ".dot"]


@pytest.mark.parametrize("name", ["draw_a_neuron", "loops_to_vectors", "backprop_in_the_repl"])
def test_without_an_engine_it_writes_the_dot_text(name, tmp_path):
    path = next(path for path in EXAMPLES if path.stem == name)
    said = run(path, tmp_path, TINYGRAPH_DOT="no-such-engine")
    assert list(tmp_path.glob("*.dot"))
    assert ".dot" in said
