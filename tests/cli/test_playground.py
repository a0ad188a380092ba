"""`tinygraph playground`: it writes or opens the page, or explains how to build it."""

import webbrowser
from pathlib import Path

import pytest

from tinygraph.cli import playground
from tinygraph.cli.main import main

PAGE = "<!DOCTYPE html><title>the page</title>"


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """Install a page into a copy of the package's folder."""
    folder = tmp_path / "package" / "playground"
    folder.mkdir(parents=True)
    (folder / playground.ASSET).write_text(PAGE, encoding="utf-8")
    monkeypatch.setattr(playground, "files", lambda _: tmp_path / "package")
    return folder / playground.ASSET


def test_without_the_page_the_command_tells_how_to_build_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(playground, "files", lambda _: tmp_path)
    assert main(["playground", "-o", str(tmp_path / "p.html")]) == 2
    said = capsys.readouterr().err
    assert "does not contain the playground page" in said
    assert "python -m tools.playground --install" in said
    assert not list(tmp_path.iterdir())


def test_the_page_is_written_to_a_file(installed, tmp_path, capsys):
    assert main(["playground", "-o", str(tmp_path / "p.html")]) == 0
    assert (tmp_path / "p.html").read_text("utf-8") == PAGE
    assert capsys.readouterr().out == f"wrote {tmp_path / 'p.html'}\n"
    assert main(["playground", "-o", str(tmp_path / "package")]) == 2, "a folder is not a file"


def test_the_page_is_opened_in_the_browser(installed, monkeypatch, capsys):
    opened = []
    monkeypatch.setattr(webbrowser, "open", lambda address: opened.append(address) or True)
    assert main(["playground"]) == 0
    assert opened == [installed.as_uri()]
    monkeypatch.setattr(webbrowser, "open", lambda address: False)
    assert main(["playground"]) == 2
    assert "write the page to a file with -o playground.html" in capsys.readouterr().err


def test_the_folder_of_the_package_is_where_the_build_installs_the_page():
    from tools.playground.__main__ import INSTALLED

    assert Path(playground.__file__).parents[1] / "playground" / playground.ASSET == INSTALLED
