"""Files are written completely or not at all."""

import os

import pytest

from tinygraph.support.files import check_writable, write_whole


def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "m.json"
    write_whole(path, "old")

    def broken(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", broken)
    with pytest.raises(KeyboardInterrupt):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["m.json"]


def test_a_place_that_cannot_be_written_is_found_out_before_anything_is_computed(tmp_path):
    with pytest.raises(IsADirectoryError, match="it is a folder"):
        check_writable(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"no/m\.json"):
        check_writable(tmp_path / "no" / "m.json")
    check_writable(tmp_path / "m.json")
    assert os.listdir(tmp_path) == []
