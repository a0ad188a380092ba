"""Every example runs alone and without warnings, prints its results, and writes a diagram, even without Graphviz."""

import importlib.util
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from tests.drawing.overlaps import overlaps
from tests.engines import needed_engine
from tinygraph.drawing import EngineNotFoundError
from tinygraph.drawing.layout_engines import find_engine

EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*.py"))
PAGE = (Path(__file__).parents[2] / "docs" / "examples.md").read_text("utf-8")
PICTURES = {".svg", ".png", ".html", ".dot"}
FOUND = {  # results that an example must print
    "backprop_in_the_repl": r"\(3\.0, 6\.0, 9\.0\)",
    "broadcasting": r"Carb +94\.9 +0\.0 +2\.8 +88\.4",
    "draw_a_neuron": r"before the backward pass:\no = [^\n]*grad ·[\s\S]*"
    r"after the backward pass:[\s\S]*w1 +data -3\.0 +grad 0\.99999",
    "jax_network": r"the value and 4 gradients equal those of JAX[\s\S]*leaves with a gradient: params\.hidden\.w, "
    r"[\s\S]*dL/dh \+= dL/d\(h · params\.out\.w\) · params\.out\.wᵀ = \(2, 2\)",
    "lecture_slides": r"01-forward-light\.\w+[\s\S]*10-brand-dark\.\w+",
    "logistic_regression": r"after 1000 iterations: accuracy 9[78]\.\d% on training rows, (9[6-9]|100)",
    "loops_to_vectors": r"42,021 scalar nodes .* 10 array nodes[\s\S]*dw = X @ dZ\.T[\s\S]*"
    r"differ by at most (0e\+00|\de-1[5-7])",
    "misconceptions": r"a +4 +6 +<-",
    "newton": r"iteration 5: x = 1\.41421356237309\d\d, off by (0e\+00|2e-16)"
    r"[\s\S]*iteration 5: .*dw\| = \de-1[01]\n.*iteration 6: .*dw\| = (0e\+00|\de-1[5-9])\n"
    r"gradient descent takes \d{3} iterations",
    "pictures_of_the_lecture": r"computation_graph-light\.\w+: <drawing of J: 7 nodes",
    "property_test": r"is 2\.0\s+mpmath gives 3\.0[\s\S]*first program that uses this op and fails:[\s\S]*"
    r"the smallest failing program:\n    def f\(a\):\n        return tinygraph\.wrong_cube\(a\)\n[\s\S]*"
    r"the corrected op: passed\nprograms that use the corrected op: passed",
    "train_a_network": r"iteration 300: cost 0\.01\d\d, accuracy 100\.0%[\s\S]*99\.\d% on 1,000 new points\n"
    r"337 scalars: outputs and gradients differ by at most (0e\+00|\de-1[4-7])",
    "two_moons": r"accuracy (9[5-9]|100)\.\d% on the 100 training points, 9\d\.\d% on 1,000 new points",
}


def run(path, folder, *arguments, **environment):
    if path.stem == "jax_network":
        pytest.importorskip("jax", reason="no jax: pip install --group oracles")
    command = [sys.executable, "-W", "error", str(path), *arguments]
    settings = {**os.environ, "PYTHONIOENCODING": "utf-8", **environment}
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=folder, env=settings)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout


def pictures_in(folder):
    return [path for path in folder.iterdir() if path.name != ".hypothesis"]  # Hypothesis's own files


def test_every_example_says_something_that_is_checked_and_stands_on_the_page():
    names = {path.stem for path in EXAMPLES}
    assert names == FOUND.keys()
    assert names == set(re.findall(r"^python examples/(\w+)\.py$", PAGE, re.MULTILINE))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_by_itself_and_writes_a_picture(path, tmp_path):
    elsewhere, here = tmp_path / "pictures", tmp_path / "here"
    elsewhere.mkdir(), here.mkdir()
    said = run(path, here, str(elsewhere))
    assert re.search(FOUND[path.stem], said), said
    assert not list(here.iterdir()), "it writes into the folder that it is given"

    shown = re.search(rf"^python examples/{path.stem}\.py\n```\n\n```text\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    rest = iter(said.splitlines())
    for line in shown[1].splitlines() if shown else []:
        pattern = ".*".join(map(re.escape, line.split("...")))
        assert any(re.fullmatch(pattern, other) for other in rest), f"the page says, but not the script: {line}"

    if path.stem == "two_moons" and importlib.util.find_spec("matplotlib") is None:
        return
    written = pictures_in(elsewhere)
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


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_explains_its_argument_and_refuses_another_one(path, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for arguments, code in ((["--help"], 0), (["--hlep"], 2), (["pictures", "more"], 2)):
        monkeypatch.setattr(sys, "argv", [str(path), *arguments])
        with pytest.raises(SystemExit) as stop:
            runpy.run_path(str(path), run_name="__main__")
        assert stop.value.code == code
    out, err = capsys.readouterr()
    assert path.stem in out
    assert "where to write the files" in out
    assert "unrecognized arguments: more" in err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("path", [p for p in EXAMPLES if p.stem != "two_moons"], ids=lambda path: path.stem)
def test_without_an_engine_it_writes_the_dot_text(path, tmp_path):
    said = run(path, tmp_path, PATH="", TINYGRAPH_DOT="no-such-engine")
    assert re.search(FOUND[path.stem], said), said
    written = pictures_in(tmp_path)
    assert written
    for picture in written:
        assert picture.read_text("utf-8").startswith("digraph")
        assert picture.suffix == ".dot"
        assert picture.name in said


def test_every_slide_can_be_read_from_the_back_row(tmp_path):
    """The text of each slide has at least 18 pixels, and no label overlaps an arrow or another label."""
    path = next(path for path in EXAMPLES if path.stem == "lecture_slides")
    example = importlib.util.module_from_spec(importlib.util.spec_from_file_location(path.stem, path))
    example.__spec__.loader.exec_module(example)
    engine = needed_engine()
    shown = list(example.slides("light"))
    assert len(shown) == 9
    for name, drawing in shown:
        svg = drawing.svg()
        assert (svg.count('width="1920"'), svg.count('height="1080"')) >= (1, 1), name
        assert example.smallest_text(svg) >= 18, name
        assert not overlaps(drawing.source, engine)[1], name
    example.save_frames(tmp_path, "light")
    frames = [path.read_text("utf-8") for path in sorted(tmp_path.iterdir())]
    assert len(frames) == 10
    assert all(example.smallest_text(frame) >= 18 for frame in frames)


def test_with_an_empty_path_it_draws_with_the_engine_in_the_wheel_or_writes_the_dot_text(tmp_path):
    run(EXAMPLES[0].with_name("draw_a_neuron.py"), tmp_path, PATH="")
    assert len(list(tmp_path.glob("*.svg"))) + len(list(tmp_path.glob("*.dot"))) == 4


def test_two_moons_without_matplotlib_says_what_to_install(tmp_path):
    missing, folder = tmp_path / "missing", tmp_path / "folder"
    missing.mkdir(), folder.mkdir()
    (missing / "matplotlib.py").write_text("raise ImportError('not here')", "utf-8")
    paths = os.pathsep.join([str(missing), *filter(None, [os.environ.get("PYTHONPATH")])])
    said = run(EXAMPLES[0].with_name("two_moons.py"), folder, PYTHONPATH=paths)
    assert re.search(FOUND["two_moons"], said)
    remedy = "run `pip install '.[plot]'` in your clone of tinygraph"
    assert said.endswith(f"no plot: matplotlib is not installed; {remedy}\n")
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("program", "package"),
    [
        (["examples/property_test.py"], "hypothesis"),
        (["-c", "import tinygraph.testing"], "hypothesis"),
        (["-c", "import tinygraph; tinygraph.numeric_grad(lambda x: x * x, 2.0, method='mpmath')"], "mpmath"),
    ],
)
def test_without_the_extra_test_the_last_line_shows_what_to_install(program, package, tmp_path):
    (tmp_path / f"{package}.py").write_text(f"raise ModuleNotFoundError('not here', name='{package}')", "utf-8")
    root = EXAMPLES[0].parents[1]
    paths = os.pathsep.join([str(tmp_path), str(root), *filter(None, [os.environ.get("PYTHONPATH")])])
    settings = {**os.environ, "PYTHONPATH": paths}
    done = subprocess.run([sys.executable, *program], capture_output=True, text=True, cwd=root, env=settings)
    assert done.returncode == 1
    assert done.stderr.endswith("run `pip install '.[test]'` in your clone of tinygraph\n")


def test_the_page_draws_the_boundary_as_the_script_does():
    figure = pytest.importorskip("matplotlib.figure", reason="no matplotlib: pip install '.[plot]'")
    script = runpy.run_path(str(EXAMPLES[0].with_name("two_moons.py")))
    X, Y = script["moons"](m=20)
    assert X.shape == (20, 2)
    assert set(Y) == {-1.0, 1.0}
    axes = figure.Figure().add_subplot()
    network = [[([1.0, 0.0], -0.5)]]  # one neuron, which divides the plane at x1 = 0.5
    script["boundary"](axes, network, X, Y)
    (line,) = axes.collections[0].get_paths()
    assert abs(line.vertices[:, 0] - 0.5).max() < 1e-9
    assert [len(points.get_offsets()) for points in axes.collections[1:]] == [10, 10]


def test_the_stored_diagrams_of_the_readme_show_what_the_script_draws():
    """Only the texts are compared, because each version of Graphviz places them differently."""
    needed_engine()
    script = runpy.run_path(str(EXAMPLES[0].with_name("pictures_of_the_lecture.py")))
    folder, names = EXAMPLES[0].parents[1] / "docs" / "pictures", set()
    for name, drawing in script["drawings"]():
        stored = (folder / f"{name}.svg").read_text("utf-8")
        texts = [sorted(re.findall(r"<text[^>]*>([^<]*)</text>", svg)) for svg in (stored, drawing.svg())]
        assert texts[0] == texts[1], "run: python examples/pictures_of_the_lecture.py docs/pictures"
        names.add(name)
    assert names == {path.stem for path in folder.iterdir() if not path.name.startswith("stepping-")}
