"""Draw a graph as a text tree, which shows all digits, is easy to diff, and does not need Graphviz."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from tinygraph.engine.graph import Node, check_fresh, order, require_node
from tinygraph.explaining import notation
from tinygraph.explaining.notation import Quantity
from tinygraph.explaining.textbook import derivatives
from tinygraph.explaining.textbook.remembering import remembered_texts
from tinygraph.explaining.textbook.typesetting import in_ascii
from tinygraph.support.arguments import check_integer
from tinygraph.support.messages import counted
from tinygraph.support.terminal import output_encoding

DEEPEST = 16  # levels of indentation; deeper nodes start again at the margin
_ASCII = str.maketrans({"├": "|", "└": "`", "│": "|", "─": "-", "…": "~", "→": ">", "◄": "<"})


class Tree(str):
    """The text of a tree. The REPL shows this text without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def tree(root: Node, *, lines: int | None = None, ascii: bool | None = None) -> Tree:
    """Return the graph as text, one node per line.

    Each line shows a node's value, its gradient, and the local derivative of its parent in the tree with respect to
    this node. A gradient that is None appears as `·`. A shared node is written once, and later lines refer to it.

    Args:
        root: Node at the top.
        lines: Number of lines after which no more nodes are written. If nodes remain, one more line shows how many.
            Defaults to no limit.
        ascii: If true, use only ASCII characters. By default, use non-ASCII characters only if the terminal can show
            them.

    Returns:
        The text, which the REPL shows without quotes.

    Raises:
        TypeError: If `root` is not a node, or `lines` is not an integer.
        ValueError: If `lines` is negative.
        StaleGraphError: If a leaf was edited after the graph was recorded.

    Examples:
        >>> from tinygraph import Value
        >>> a, b, c = Value(5, "a"), Value(3, "b"), Value(2, "c")
        >>> u = b * c; u.name = "u"
        >>> J = (a + u) * u; J.name = "J"
        >>> J.backward()
        >>> tree(J)
        J = (a + u) × u   data 66.0   grad 1.0
        ├─ a + u   data 11.0   grad 6.0   local 6.0
        │  ├─ a   data 5.0   grad 6.0   local 1.0
        │  └─ u = b × c   data 6.0   grad 17.0   local 1.0
        │     ├─ b   data 3.0   grad 34.0   local 2.0
        │     └─ c   data 2.0   grad 51.0   local 3.0
        └─ ··· see u   local 11.0
    """
    nodes = order(require_node(root, "tree: root"))
    check_fresh(nodes)
    if lines is not None:
        check_integer("lines", lines, least=0)
    with remembered_texts():
        return in_text(nodes, lines, ascii, lambda node: node.grad)


def in_text(
    nodes: Sequence[Node],
    lines: int | None,
    ascii: bool | None,
    grad: Callable[[Node], Quantity | None],
    here: Node | None = None,
) -> Tree:
    """Return the tree of a graph. A function supplies the gradients, and one node can be marked.

    Args:
        nodes: Nodes in reverse topological order.
        lines: Number of lines after which no more nodes are written, or None for no limit.
        ascii: If true, use only ASCII characters. If None, use non-ASCII characters only if the terminal can show
            them.
        grad: Function that returns a node's gradient, or None if the node has no gradient.
        here: Node to mark, or None.

    Returns:
        The text.
    """
    if ascii is None:
        try:
            "├└│─·×…".encode(output_encoding())
            ascii = False
        except UnicodeEncodeError:
            ascii = True
    found = _Writer(nodes, grad, here).lines(lines)
    text = "\n".join(notation.clean(line).replace("\n", "\\n") for line in found)
    return Tree(in_ascii(text).translate(_ASCII).encode("ascii", "backslashreplace").decode() if ascii else text)


class _Place(NamedTuple):
    """The position of a line in the tree: below another node, or at the margin."""

    node: Node
    local: str = ""  # local derivative of the parent in the tree with respect to this node
    before: str = ""  # indentation of the line
    under: str = ""  # indentation of the operands' lines
    depth: int = 0


class _Writer:
    """A writer for the lines of a tree.

    The writer records which nodes are written, and assigns numbers to nodes without a unique name.
    """

    def __init__(self, nodes: Sequence[Node], grad: Callable[[Node], Quantity | None], here: Node | None) -> None:
        self.nodes, self.grad, self.here = nodes, grad, here
        self.consumers = dict.fromkeys(nodes, 0)
        for node in nodes:
            for operand in node.operands:
                self.consumers[operand] += 1
        self.names = Counter(node.name for node in nodes)
        self.numbers: dict[Node, str] = {}  # numbers of nodes that need a reference but have no unique name
        self.written: set[Node] = set()
        self.later: dict[Node, None] = {nodes[0]: None}  # nodes that start at the margin, in order

    def call(self, node: Node) -> str:
        """Return a unique name for the given node."""
        if node.name and self.names[node.name] == 1:
            return notation.cut(node.name)
        return self.numbers.setdefault(node, f"#{len(self.numbers) + 1}")

    def lines(self, limit: int | None) -> list[str]:
        """Return the lines of the tree. If nodes remain after `limit` lines, the last line shows how many."""
        out: list[str] = []
        while self.later:
            start = next(iter(self.later))
            del self.later[start]
            stack = [_Place(start)]
            while stack:
                place = stack.pop()
                line = self._reference(place)
                if line is None:
                    if limit is not None and len(out) >= limit:
                        left = len(self.nodes) - len(self.written)
                        return [*out, f"··· {counted(left, 'more node')}"]
                    line = self._line(place)
                    stack.extend(reversed(self._below(place)))
                out.append(line)
        return out

    def _reference(self, place: _Place) -> str | None:
        """Return a reference to a node that is written elsewhere, or None if the node must be written here."""
        if place.node in self.written:
            return f"{place.before}··· see {self.call(place.node)}{place.local}"
        if place.depth > DEEPEST and place.node.op is not None:
            self.later[place.node] = None
            return f"{place.before}··· {self.call(place.node)} follows below{place.local}"
        return None

    def _line(self, place: _Place) -> str:
        node = place.node
        self.written.add(node)
        shared = self.consumers[node] > 1 or node in self.numbers
        mark = self.call(node) if shared else notation.cut(node.name)
        here = "   ◄" if node is self.here else ""
        return f"{place.before}{_line(node, mark, self.grad(node))}{place.local}{here}"

    def _below(self, place: _Place) -> list[_Place]:
        """Return the positions of a node's operands in the tree."""
        node = place.node
        operands = [(x, s) for x, s in zip(node.args, node.partials, strict=True) if isinstance(x, Node)]
        places = []
        for i, (operand, local) in enumerate(operands):
            before, under = ("└─ ", "   ") if i == len(operands) - 1 else ("├─ ", "│  ")
            places.append(
                _Place(operand, _local(node, local), place.under + before, place.under + under, place.depth + 1)
            )
        return places


def _line(node: Node, mark: str, gradient: Quantity | None) -> str:
    expression = notation.expression(node, "g") if node.op is not None else ""
    head = " = ".join(filter(None, [mark, expression]))
    grad = "" if node.constant else f"   grad {'·' if gradient is None else notation.full(gradient)}"
    line = f"   at {node.line}" if node.line else ""
    return f"{head}{'   ' * bool(head)}data {notation.full(node.raw)}{grad}{line}"


def _local(node: Node, local: Quantity) -> str:
    if local is None:
        return ""
    return f"   local {derivatives.local(node, local) if hasattr(local, 'text') else notation.full(local)}"
