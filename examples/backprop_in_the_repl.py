"""Run backpropagation in the REPL: build J = 3(a + bc), and step through the backward pass in both directions.

    python examples/backprop_in_the_repl.py [FOLDER]

The script prints the session. It writes J.svg (the diagram) and J.html (an interactive player for both passes).
"""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from code import InteractiveConsole
from pathlib import Path

from tinygraph.drawing import EngineNotFoundError

CONVERSATION = """\
from tinygraph import Stepper, Value, draw, explain, name_from, tree
a, b, c = Value(5), Value(3), Value(2)
u = b * c
v = a + u
J = 3 * v
name_from(locals())
J
J.backward()
a.grad, b.grad, c.grad
print(tree(J))
stepper = Stepper(J)
print(stepper.step(2))
print(stepper.step(3))
print(stepper.back())
stepper.grad("a"), stepper.grad("b")
print(explain(J, b))
a.data = 6
J.forward().data
"""


def main(folder: Path) -> None:
    """Type the session into a console, and save the diagram and the player."""
    folder.mkdir(parents=True, exist_ok=True)
    console = InteractiveConsole()
    for line in CONVERSATION.splitlines():
        print(f">>> {line}")
        console.push(line)
    J, draw, stepper = (console.locals[name] for name in ("J", "draw", "Stepper"))
    J.backward()
    try:
        paths = [draw(J).save(folder / "J.svg"), stepper(J, phase="both").save(folder / "J.html")]
    except EngineNotFoundError:
        paths = [draw(J).save(folder / "J.dot")]
    print("\nwrote " + " and ".join(path.name for path in paths))


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=".", help="where to write the files (default: here)")
    main(parser.parse_args().folder)
