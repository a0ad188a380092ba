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


@pytest.mark.parametrize("binding", ["a", "a=x", "=3", "3=a", "a b=2"])
def test_an_input_is_a_name_and_a_number(binding, capsys):
    with pytest.raises(SystemExit) as left:
        main(["draw", "2*a", binding])
    assert left.value.code == 2
    assert "is not" in capsys.readouterr().err
