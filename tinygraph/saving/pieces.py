"""Reading a JSON file in pieces, so that the content of a large file is never in memory as a whole.

Only the piece of text that is being parsed and one parsed element are in memory. A file that `save` wrote contains one
node per line, so pieces end at the end of a line. Files with other line breaks are read correctly too.
"""

from __future__ import annotations

import codecs
import json
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, NoReturn

from tinygraph.saving.format import GraphFileError, pack
from tinygraph.support.messages import short

_PIECE = 2**16  # bytes
_SPACE = " \t\n\r"


class NotJSONError(ValueError):
    """The file does not contain valid JSON."""


def open_regular(path: Path, limit: int) -> BinaryIO:
    """Open a file for reading. Reject a pipe and a device, because reading them could wait or go on forever.

    Args:
        path: Path of the file.
        limit: Maximum size, in bytes.

    Returns:
        The open file.

    Raises:
        GraphFileError: If the path is a pipe, a device or a socket, or if the file is too large.
        OSError: If the file cannot be opened.
    """
    # Without O_NONBLOCK, opening a pipe waits until another process opens the other end.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    if path.exists() and not path.is_file() and not path.is_dir():  # a socket cannot be opened at all
        _refuse_special(path)
    file = open(path, "rb", opener=lambda name, _: os.open(name, flags))  # noqa: SIM115  (the caller closes it)
    status = os.fstat(file.fileno())
    if stat.S_ISREG(status.st_mode) and status.st_size <= limit:
        return file
    file.close()
    if not stat.S_ISREG(status.st_mode):
        _refuse_special(path)
    raise _too_large(f"{path.name} has {status.st_size:,} bytes", limit)


def _refuse_special(path: Path) -> NoReturn:
    raise GraphFileError(f"{path.name} is a pipe or a device, not a regular file: copy its content into a file first")


def _too_large(what: str, limit: int) -> GraphFileError:
    return GraphFileError(f"{what}, more than the limit of {limit:,}: pass limit= to load it")


class Pieces:
    """A JSON file that is parsed element by element.

    Args:
        file: File, open for reading.
        name: Name of the file, for messages.
        limit: Maximum number of bytes to read.

    Examples:
        >>> import io
        >>> pieces = Pieces(io.BytesIO(b'{"version": 1, "nodes": [2, {"data": 3.5}]}'), "g.json", 100)
        >>> [(key, read() if key == "version" else list(pieces.elements())) for key, read in pieces.members()]
        [('version', 1), ('nodes', [2, {'data': 3.5}])]
    """

    def __init__(self, file: BinaryIO, name: str, limit: int) -> None:
        self._file, self._name, self._limit = file, name, limit
        self._decoder: codecs.IncrementalDecoder | None = None
        self._text, self._at = "", 0
        self._size = 0  # number of bytes that were read
        self._line, self._column = 1, 1  # position of the beginning of `_text` in the file
        self._scan = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_refuse_constant).raw_decode

    def starts_with(self, char: str) -> bool:
        """Return whether the next character, after white space, is the given character."""
        return self._next() == char

    def members(self) -> Iterator[tuple[str, Callable[[], object]]]:
        """Yield each key of the object that starts here, with a function that reads its value.

        If the value is a list, you can read it with `elements` instead.
        """
        for _ in self._items("{", "}"):
            key = self.value() if self._next() == '"' else self._wrong("Expecting property name in double quotes")
            self._expect(":")
            yield str(key), self.value

    def elements(self) -> Iterator[object]:
        """Yield the elements of the list that starts here."""
        for _ in self._items("[", "]"):
            yield self.value()

    def end(self) -> None:
        """Check that nothing follows.

        Raises:
            NotJSONError: If more text follows.
        """
        if self._next():
            self._wrong("Extra data")

    def value(self) -> object:
        """Parse the value that starts here.

        Returns:
            A value of the `json` module. `format.pack` describes how arrays are represented.

        Raises:
            NotJSONError: If the text is not valid JSON.
        """
        self._next()
        while True:
            try:
                value, end = self._scan(self._text, self._at)
            except json.JSONDecodeError as error:
                if not self._more():  # otherwise, the text may end in the middle of the value
                    self._wrong(error.msg, error.pos)
            except ValueError as error:
                raise NotJSONError(str(error)) from None
            else:
                if end < len(self._text) or not self._more():  # a number could continue in the next piece
                    self._at = end
                    return value

    def _items(self, opening: str, closing: str) -> Iterator[None]:
        """Yield at the beginning of each item between brackets."""
        self._expect(opening)
        if self._next() == closing:
            self._at += 1
            return
        while True:
            yield
            if self._next() == closing:
                self._at += 1
                return
            self._expect(",")

    def _expect(self, char: str) -> None:
        if self._next() != char:
            self._wrong(f"Expecting {char!r}")
        self._at += 1

    def _next(self) -> str:
        """Skip white space, and return the next character, or "" at the end of the file."""
        while True:
            while self._at < len(self._text):
                char = self._text[self._at]
                if char not in _SPACE:
                    return char
                self._at += 1
            if not self._more():
                return ""

    def _more(self) -> bool:
        """Read the next piece up to the end of a line. Return whether the file continues."""
        left = self._limit + 1 - self._size
        # The length of the piece doubles while a value is not complete, so that parsing takes linear time.
        data = self._file.read(min(left, max(_PIECE, len(self._text) - self._at)))
        data += self._file.readline(left - len(data)) if data and not data.endswith(b"\n") else b""
        self._size += len(data)
        if self._size > self._limit:
            raise _too_large(f"{self._name} has more than {self._limit:,} bytes", self._limit)
        if self._decoder is None:
            self._decoder = codecs.getincrementaldecoder(json.detect_encoding(data))("surrogatepass")
        try:
            text = self._decoder.decode(data, not data)
        except UnicodeDecodeError as error:
            raise NotJSONError(str(error)) from None
        self._line, self._column = self._position(self._at)
        self._text, self._at = self._text[self._at :] + text, 0
        return bool(data)

    def _position(self, at: int) -> tuple[int, int]:
        """Return the line and the column of a position in the text."""
        lines = self._text.count("\n", 0, at)
        return self._line + lines, at - self._text.rfind("\n", 0, at) if lines else self._column + at

    def _wrong(self, what: str, at: int | None = None) -> NoReturn:
        line, column = self._position(self._at if at is None else at)
        raise NotJSONError(f"{what}: line {line} column {column}")


def _refuse_constant(text: str) -> object:
    """Reject NaN and Infinity, which Python's JSON parser accepts."""
    raise ValueError(f"{text} is not a JSON number: write it as a string")


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return an object as a dict. Reject a repeated key, of which Python's parser would drop all but the last value."""
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {short(repr(max(keys, key=keys.count)))} occurs twice in one object")
    if len(pairs) == 2:
        pack(found)
    return found
