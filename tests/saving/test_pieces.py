"""Reading a JSON file in pieces gives what `json` gives, and never reads more than it needs."""

import io
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygraph import load
from tinygraph.saving import pieces
from tinygraph.saving.format import GraphFileError
from tinygraph.saving.pieces import NotJSONError, Pieces
from tinygraph.saving.reader import default_limit
from tinygraph.support.memory import available_memory

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
)


def read(text, encoding="utf-8", limit=10**6):
    file = Pieces(io.BytesIO(text.encode(encoding, "surrogatepass")), "g.json", limit)
    if not file.starts_with("{"):
        content = file.value()
    else:
        content = {}
        for key, value in file.members():
            content[key] = list(file.elements()) if file.starts_with("[") else value()
    file.end()
    return content


@given(
    content=JSON,
    indent=st.sampled_from([None, 0, 3]),
    ascii=st.booleans(),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32-le"]),
    piece=st.sampled_from([4, 5, 16, 2**16]),
)
def test_pieces_give_what_json_gives(content, indent, ascii, encoding, piece):
    text = json.dumps(content, indent=indent, ensure_ascii=ascii)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "_PIECE", piece)
        assert read(text, encoding) == content


@given(content=JSON, cut=st.integers(0, 200), piece=st.sampled_from([4, 2**16]))
def test_text_that_is_not_json_is_refused_as_by_json(content, cut, piece):
    text = json.dumps(content)
    text = text[: cut % (len(text) + 1)] + text[cut % (len(text) + 1) + 1 :]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "_PIECE", piece)
        try:
            wanted = json.loads(text)
        except ValueError:
            with pytest.raises(NotJSONError):
                read(text)
            return
        try:
            assert read(text) == wanted
        except (NotJSONError, GraphFileError) as error:
            assert "twice" in str(error)  # noqa: PT017


def test_an_error_names_its_line_and_its_column():
    with pytest.raises(NotJSONError, match=r"Expecting ',': line 3 column 6"):
        read('{"a": 1,\n "nodes": [1,\n   2 3]}')
    with pytest.raises(NotJSONError, match=r"Extra data: line 2 column 1"):
        read("{}\n{}")


@pytest.mark.parametrize("text", ['{"a": {"b": 1, "b": 1}}', '{"nodes": [{"data": 1.0, "data": 2.0}]}'])
def test_a_repeated_key_is_refused(text):
    with pytest.raises(NotJSONError, match=r"the key '(b|data)' occurs twice"):
        read(text)


def test_at_most_one_byte_beyond_the_limit_is_read():
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size=-1):
            assert 0 <= size <= 101
            Endless.given += size
            return b" " * size

    with pytest.raises(GraphFileError, match="more than 100 bytes, more than the limit of 100: pass limit="):
        Pieces(Endless(), "g.json", 100).value()
    assert Endless.given == 101


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_is_refused_and_does_not_wait(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    found = []

    def attempt():
        with pytest.raises(GraphFileError, match="pipe is a pipe or a device, not a regular file") as caught:
            load(tmp_path / "pipe")
        found.append(caught)

    thread = threading.Thread(target=attempt, daemon=True)
    thread.start()
    thread.join(30)
    assert found


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="this system has no /dev/zero")
def test_a_device_is_refused():
    with pytest.raises(GraphFileError, match="zero is a pipe or a device, not a regular file"):
        load("/dev/zero")


def test_a_folder_is_an_os_error(tmp_path):
    with pytest.raises(OSError, match=str(tmp_path.name)):
        load(tmp_path)


@pytest.mark.parametrize("limit", [-1, 1.5, "2", True])
def test_a_limit_that_is_no_number_of_bytes_is_refused(limit, path):
    with pytest.raises(TypeError, match="load: limit must be a nonnegative integer of bytes, or None, not"):
        load(path, limit=limit)


def test_the_default_limit_is_an_eighth_of_the_memory():
    assert default_limit(8000) == 1000
    assert default_limit(None) == 2**31
    assert default_limit(0) == 0
    memory = available_memory()
    assert memory is None or 2**20 < memory < 2**50


PROGRAM = """
import sys, tracemalloc, tinygraph as tg
from tinygraph import Tensor, Value, load, save
x = {leaf}; y = x
for _ in range({nodes}):
    y = tg.tanh(y) * x + {more}
y = y.sum() if isinstance(y, Tensor) else y
y.backward()
size = save(y, sys.argv[1]).stat().st_size
load(sys.argv[1])
del x, y
tracemalloc.start()
root = load(sys.argv[1])
print(tracemalloc.get_traced_memory()[1] / size)
"""


@pytest.mark.parametrize(
    ("leaf", "nodes", "more"),
    [
        ("Value(0.7)", 40_000, "0.5"),
        ("Tensor([0.7, -0.2, 0.1])", 4_000, "y.sum()"),
        ("Tensor([0.0] * 10**5)", 1, "0.0"),
    ],
)
def test_loading_takes_less_than_eight_times_the_file(leaf, nodes, more, path):
    program = PROGRAM.format(leaf=leaf, nodes=nodes, more=more)
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 8
