"""Run the code blocks of a documentation page, in the order of the page, and show what each of them returns."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field

from tinygraph.playground.problems import PROGRAM, Problem, of_program
from tinygraph.playground.programs import Printed, printed_to, remember_lines


@dataclass
class Output:
    """What a block shows."""

    text: str = ""
    pictures: list[str] = field(default_factory=list)  # SVG elements, or HTML around one
    problem: Problem | None = None


class PageOfBlocks:
    """The names of one page, and how many of its blocks have run."""

    def __init__(self) -> None:
        self.names: dict[str, object] = {"__name__": "__main__"}
        self.done = 0

    def run(self, blocks: Sequence[Sequence[str]], last: int) -> Output:
        """Run the blocks up to one of them that have not run yet, and that block.

        Args:
            blocks: Statements of each block of the page, as they are typed at a prompt.
            last: Number of the block whose output is returned, counted from 0.

        Returns:
            The output of the block.
        """
        if self.done > last:  # a block that runs again needs the names as they were, so start from the top
            self.names, self.done = {"__name__": "__main__"}, 0
        output = Output()
        for k in range(self.done, last + 1):
            output = self.run_block(blocks[k])
            self.done = k + 1
        return output

    def run_block(self, statements: Sequence[str]) -> Output:
        """Run one block like a prompt: a statement that fails does not stop the next one.

        Args:
            statements: Statements of the block.

        Returns:
            The output of the block, with the last problem.
        """
        output, printed = Output(), Printed()
        for source in statements:
            remember_lines(source)
            try:
                with printed_to(printed):
                    value = _value(source, self.names)
                    if value is None:
                        continue
                    self.names["_"] = value
                    if picture := _picture(value):
                        output.pictures.append(picture)
                    else:
                        print(repr(value))
            except Exception as error:
                output.problem = of_program(error, source)
        output.text = printed.getvalue()
        return output


def _value(source: str, names: dict[str, object]) -> object:
    """Run one statement, and return its value if it is an expression."""
    tree = ast.parse(source, PROGRAM)
    if len(tree.body) == 1 and isinstance(tree.body[0], ast.Expr):
        return eval(compile(ast.Expression(tree.body[0].value), PROGRAM, "eval"), names)
    exec(compile(tree, PROGRAM, "exec"), names)
    return None


def _picture(value: object) -> str:
    """Return the diagram of a value that draws one, or ""."""
    bundle = getattr(value, "_repr_mimebundle_", None)
    shown = bundle() if callable(bundle) and not isinstance(value, type) else {}
    return str(shown.get("image/svg+xml", "") or shown.get("text/html", ""))
