"""The parser: help, version, and arguments in any order."""

import pytest

import tinygraph
from tinygraph.cli.main import main


def test_help_and_version(capsys):
    for args in (["--help"], ["demo", "--help"], ["fit", "--help"]):
        with pytest.raises(SystemExit) as caught:
            main(args)
        assert caught.value.code == 0
        assert "usage: tinygraph" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"tinygraph {tinygraph.__version__}\n"
    with pytest.raises(SystemExit) as caught:
        main([])
    assert caught.value.code == 2


def test_numbers_may_stand_behind_options(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["draw", "a*b", "--parameters", "a,b", "a=1", "b=2", "-o", "p.dot"]) == 0
    for wrong in (["--colour", "red"], ["x"], ["a=1=2"], ["--", "a=x"]):
        with pytest.raises(SystemExit):
            main(["draw", "a*b", "--tree", *wrong])
    assert main(["draw", "--tree", "--", "-a", "a=1"]) == 0
    assert "-a   data -1.0" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("binding", "message"),
    [
        ("a", "'a' is not of the form name=number: write a=..., for example a=5"),
        ("a=", "'a=' is not of the form name=number: write a=..., for example a=5"),
        ("a=x", "'x' in 'a=x' is not a number"),
        ("a=1,5", "'1,5' in 'a=1,5' is not a number"),
        ("=3", "put the expression in quotes"),
        ("3=a", "put the expression in quotes"),
        ("a b=2", "put the expression in quotes"),
        ("3*a", "'3*a' is not of the form name=number: put the expression in quotes, and write the values after it"),
        ("a²=2", "is not of the form name=number"),
        ("lambda=2", "'lambda' is a reserved word of Python: choose another name"),
    ],
)
def test_an_input_is_a_name_and_a_number(binding, message, capsys):
    with pytest.raises(SystemExit) as left:
        main(["draw", "2*a", binding])
    assert left.value.code == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_name_has_one_spelling_in_expressions_and_arguments(capsys, tmp_path):
    out = str(tmp_path / "p.dot")
    assert main(["draw", "µ*w₁", "μ=2", "w1=−3", "--parameters", "µ,w₁", "-o", out, "--tree"]) == 0
    assert "data -6.0" in capsys.readouterr().out
    assert (tmp_path / "p.dot").read_text(encoding="utf-8").count("class=parameter") == 2
    assert main(["draw", "µ*a", "µ=2", "μ=3", "a=1"]) == 2
    assert "'μ' has two values" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["drw"], ["draw"], ["draw", "2*a", "--theme", "pink", "a=1"], ["draw", "2*a", "a=1", "--timeout", "0"],
        ["draw", "2*a", "a=1", "--timeout", "soon"], ["draw", "2*a", "a=1", "--detail"], ["draw", "2*a", "a=1", "-q"],
        ["draw", "2*a", "a=1", "-o", "J"], ["draw", "2*a", "a=1", "-o", "/dev/null/J.svg"], ["draw", "", "a=1"],
        ["draw", "no.json"], ["step", "2*a", "a=1", "--phase", "x"], ["step", "2*a", "a=1", "--html", "J.svg"],
        ["diagnose"], ["verify"], ["verify", "no.json"], ["verify", "."], ["fit", "--learning-rate", "fast"],
        ["fit", "--iterations", "-1"], ["fit", "--iterations", "1.5"], ["fit", "no.csv"], ["demo", "--out"],
        ["doctor", "x"], ["demo", "--out", "/dev/null/x"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_wrong_argument_gets_one_sentence(arguments, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        code = main(arguments)
    except SystemExit as left:
        code = left.code
    captured = capsys.readouterr()
    assert (code, captured.out) == (2, "")
    assert captured.err.startswith("tinygraph: ")
    assert captured.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
