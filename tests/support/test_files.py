"""Files are written completely or not at all."""

import os
from pathlib import Path

import pytest

import tinygraph
from tests.engines import needed_engine
from tinygraph.cli.main import main
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
    (tmp_path / "a.txt").write_text("a file")
    for path in (tmp_path / "a.txt" / "m.json", tmp_path / "a.txt" / "more" / "m.json"):
        for write in (check_writable, lambda path: write_whole(path, "content")):
            with pytest.raises(OSError, match=rf"{path.name}'$") as error:
                write(path)
            assert error.value.filename == str(path)
    check_writable(tmp_path / "m.json")
    check_writable(tmp_path / "no" / "folder" / "m.json")
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_folder_that_cannot_be_created_is_found_out_before_anything_is_computed(tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    if os.geteuid() == 0 and os.path.isdir("/proc/self"):  # the superuser can write to each folder but this one
        closed = Path("/proc")
    path = closed / "new" / "m.json"
    for write in (check_writable, lambda path: write_whole(path, "content")):
        with pytest.raises(OSError, match=r"new/m\.json"):
            write(path)


DOORS = {
    "graph.json": tinygraph.save,
    "J.dot": lambda J, path: tinygraph.draw(J).save(path),
    "J.svg": lambda J, path: tinygraph.draw(J).save(path),
    "page.html": lambda J, path: tinygraph.Stepper(J).save(path),
    "walk.svg": lambda J, path: tinygraph.Stepper(J).save(path),
    "step-{}.svg": lambda J, path: tinygraph.Stepper(J).save(path),
    "sheet.html": lambda J, path: tinygraph.worksheet(J).save(path),
}


@pytest.mark.parametrize("name", DOORS)
def test_each_way_to_save_creates_missing_folders(name, tmp_path):
    needed_engine()
    x = tinygraph.Value(2.0, "x")
    J = x * x
    J.name = "J"
    J.backward()
    DOORS[name](J, tmp_path / "new" / "folder" / name)
    assert (tmp_path / "new" / "folder" / name.format(0)).stat().st_size > 100


@pytest.mark.parametrize(
    "arguments", [["draw", "J = a*b", "a=1", "b=2"], ["fit", "t.csv", "--target", "diagnosis"]], ids=["draw", "fit"]
)
def test_a_command_creates_missing_folders(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text("radius,diagnosis\n1,M\n2,B\n3,M\n4,B\n5,M\n6,B\n", "utf-8")
    assert main([*arguments, "--out", "new/folder/out.json"]) == 0
    assert (tmp_path / "new" / "folder" / "out.json").stat().st_size > 100


def test_permissions_are_kept_or_follow_the_umask(tmp_path):
    private, new = tmp_path / "private.json", tmp_path / "new.json"
    write_whole(private, "old")
    private.chmod(0o600)
    write_whole(private, "secret")
    assert private.stat().st_mode & 0o777 == 0o600
    old = os.umask(0o027)
    try:
        write_whole(new, "new")
    finally:
        os.umask(old)
    assert new.stat().st_mode & 0o777 == 0o640


def test_the_umask_of_the_process_is_not_touched(tmp_path, monkeypatch):
    """It was 0 for a moment, in which another thread's new file was open to everybody."""
    monkeypatch.setattr(os, "umask", None)
    write_whole(tmp_path / "m.json", "new")


def test_a_symbolic_link_stays_and_its_target_is_written(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    target, link = folder / "target.json", tmp_path / "link.json"
    link.symlink_to(target)
    for text in ("first", "second"):  # a dangling link, then one to a file
        check_writable(link)
        write_whole(link, text)
        assert link.is_symlink()
        assert target.read_text() == text
    assert os.listdir(folder) == ["target.json"]


def test_a_pipe_is_written_and_not_replaced(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    check_writable(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    write_whole(path, "content")
    assert os.read(reader, 100) == b"content"
    os.close(reader)
    assert path.is_fifo()


def test_an_interrupt_right_after_the_temporary_file_exists_removes_it(tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "chmod", interrupted)
    path = tmp_path / "m.json"
    path.write_text("old")
    for function, *arguments in ((check_writable, path), (write_whole, path, "new")):
        with pytest.raises(KeyboardInterrupt):
            function(*arguments)
        assert os.listdir(tmp_path) == ["m.json"]
    assert path.read_text() == "old"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="the system has no /dev/full")
def test_the_error_of_a_full_disk_names_the_file(tmp_path, monkeypatch):
    link = tmp_path / "m.json"
    link.symlink_to("/dev/full")
    with pytest.raises(OSError, match=r"No space left on device: '.*/m\.json'"):
        write_whole(link, "content")

    def full(_):
        raise OSError(28, "No space left on device")

    link.unlink()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device: '.*/m\.json'"):
        write_whole(link, "content")
    assert os.listdir(tmp_path) == []
