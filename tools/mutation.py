"""Mutation testing: put faults into a module, one at a time, and check that the tests notice each of them.

    python -m tools.mutation [engine.op engine.ops engine.graph ...]

The faults come from all operators of cosmic-ray except the two that write random numbers. A mutant is skipped if it
does not compile, differs only in annotations, `if TYPE_CHECKING:` or the `strict` of a `zip`, replaces `is` by `==`, or
repeats another one. No file is changed: each mutant runs in a fork, where an import hook provides the changed source.

A first run of the tests measures which tests run each line and how long they take; `.mutation-tests.json` stores this.
A mutant first runs the tests that run its statement: those that killed its neighbors, then the quick ones, then the
others. But an import or an earlier test may have run the statement for all later tests. So each survivor runs all tests
of at most 0.02 seconds, and with `--all` all tests. Tests of more than a second are skipped, and Hypothesis draws few
examples and does not shrink.

`.mutation.json` stores killed mutants, so a second run tries only the survivors. `equivalent_mutants.toml` lists
mutants that cannot change the behavior, each with the reason.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import difflib
import gc
import hashlib
import importlib
import importlib.util
import json
import linecache
import math
import multiprocessing
import os
import resource
import signal
import sys
import tomllib
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec, SourceFileLoader
from pathlib import Path
from types import CodeType
from typing import Any

import coverage
import pytest
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

ROOT = Path(__file__).parents[1]
KILLED = (
    ROOT / ".mutation.json"
)  # hash of a mutant's program, without comments and docstrings -> the test that killed it
MEASURED = ROOT / ".mutation-tests.json"  # folders of the tests -> what the first run measured
EQUIVALENT = Path(__file__).with_name("equivalent_mutants.toml")  # module -> line with the fault -> reason
SAME = {"Is_Eq", "IsNot_NotEq"}  # what `is` compares here, a class or an object without values, equals only itself
FOLDERS = ("engine", "testing", "checking", "explaining")
FOLDERS_OF_ARRAYS = ("tensor", "kernels", "logistic")
OF_ARRAYS = ("kernels.", "tensor.")  # prefixes of module names
MODULES = [
    *("kernels.numbers", "engine.op", "engine.registry", "engine.variadic", "engine.domain", "engine.ops"),
    *("engine.graph", "engine.autodiff", "engine.value", "engine.operators", "engine.recording", "engine.backward"),
    *("engine.metadata", "engine.replay", "engine.contexts", "engine.copies", "engine.logits", "engine.clock"),
    "tensor.tensor",
]
PLUGIN = "_hypothesis_pytestplugin"  # the only plugin that the tests need
OPTIONS = ["-q", "-p", PLUGIN, "-pno:cacheprovider", "--assert=plain", "--hypothesis-profile=mutation"]
RECENT = 12  # number of the last killers that run before all tests
SLOW = 1.0  # seconds, while the lines are measured
CHEAP = 0.02  # seconds
FEW = 40  # number of quick tests that run before all others
HANGS = 15.0  # seconds after which a test counts as an endless loop


@dataclass(frozen=True)
class Mutant:
    """The source of a module with one fault."""

    module: str
    original: str = field(repr=False)
    source: str = field(repr=False)

    @property
    def line(self) -> int:
        """The line number of the fault."""
        lines = zip(self.original.split("\n"), self.source.split("\n"), strict=False)
        return next(i for i, (old, new) in enumerate(lines, 1) if old != new)

    @property
    def text(self) -> str:
        """The line with the fault, without its comment."""
        return without_comment(self.source.split("\n")[self.line - 1])

    def __str__(self) -> str:
        diff = difflib.unified_diff(self.original.split("\n"), self.source.split("\n"), n=0, lineterm="")
        return "\n".join([f"{self.module}.py:{self.line}", *list(diff)[3:]])


class _Running(ast.NodeTransformer):
    """Removes the parts of a syntax tree that only type checkers read."""

    def visit(self, node: ast.AST) -> ast.AST:
        """Drop the docstring, then visit the node."""
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body[0] = ast.Pass()
        return super().visit(node)  # type: ignore[no-any-return]

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        """Treat == between types as `is`, because a class equals only itself."""
        sides = [node.left, *node.comparators]
        same: dict[type[ast.cmpop], ast.cmpop] = {ast.Eq: ast.Is(), ast.NotEq: ast.IsNot()}
        for i in range(len(node.ops)):
            if any(ast.unparse(side).startswith("type(") for side in sides[i : i + 2]):
                node.ops[i] = same.get(type(node.ops[i]), node.ops[i])
        return self.generic_visit(node)

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        """Leave out the value of `strict`, which only checks that the arguments of `zip` have the same length."""
        return ast.keyword(node.arg, ast.Constant(None)) if node.arg == "strict" else self.generic_visit(node)

    def visit_If(self, node: ast.If) -> ast.AST:
        unread = {"TYPE_CHECKING": node.body, "not TYPE_CHECKING": node.orelse}.get(ast.unparse(node.test), [])
        unread[:] = [ast.Pass()] * bool(unread)
        return self.generic_visit(node)


def program(source: str) -> str:
    """Return a form of the source that is equal for sources with the same behavior."""
    return ast.dump(_Running().visit(ast.parse(source)))


def without_comment(line: str) -> str:
    """Return a line of code without its comment, which can change while the code stays the same."""
    return line.partition("  # ")[0].strip()


def path_of(module: str) -> Path:
    """Return the file of a module, whose dotted name leaves out the package."""
    return ROOT.joinpath("tinygraph", *module.split(".")).with_suffix(".py")


def mutants(module: str) -> tuple[list[Mutant], int]:
    """Return all mutants of a module in order, and the number of skipped ones."""
    original = path_of(module).read_text(encoding="utf-8")
    statements = [node.get_code() for node in get_ast(original).children]
    names = [name for name in operator_names() if name.partition("Operator_")[2] not in SAME]
    operators = [make() for make in map(get_operator, names) if not make.arguments()]
    found, count = [], 0
    for i, statement in enumerate(statements):  # one by one, because cosmic-ray parses again for every mutant
        nodes, seen = list(ast_nodes(get_ast(statement))), {program(statement)}
        for operator in operators:
            for occurrence in range(sum(len(list(operator.mutation_positions(node))) for node in nodes)):
                count += 1
                mutated = mutate_code(statement, operator, occurrence)
                with contextlib.suppress(SyntaxError):
                    if program(mutated) not in seen:
                        seen.add(program(mutated))
                        found.append(
                            Mutant(module, original, "".join([*statements[:i], mutated, *statements[i + 1 :]]))
                        )
    return sorted(found, key=lambda mutant: mutant.line), count - len(found)


class Hook(SourceFileLoader):
    """Imports one module from a changed source in place of its file."""

    def __init__(self, mutant: Mutant) -> None:
        super().__init__(f"tinygraph.{mutant.module}", str(path_of(mutant.module)))
        self.source = mutant.source
        linecache.cache[self.path] = (0, None, self.source.splitlines(keepends=True), self.path)  # `inspect` reads it

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        return importlib.util.spec_from_file_location(name, self.path, loader=self) if name == self.name else None

    def get_code(self, name: str) -> CodeType:
        return compile(self.source, self.path, "exec", dont_inherit=True)


def statement_lines(mutant: Mutant) -> range:
    """Return the lines of the innermost statement, or body of a lambda, that contains the fault."""
    nodes = [node for node in ast.walk(ast.parse(mutant.original)) if isinstance(node, (ast.stmt, ast.Lambda))]
    parts = [node.body if isinstance(node, ast.Lambda) else node for node in nodes]
    spans = [range(part.lineno, (part.end_lineno or part.lineno) + 1) for part in parts]
    alone = range(mutant.line, mutant.line + 1)  # a line between two statements
    return min((span for span in spans if mutant.line in span), key=len, default=alone)


@dataclass(eq=False)
class Tests:
    """The test suite and, in each fork, a pytest plugin that orders tests and records durations and failures."""

    folders: tuple[str, ...]
    seconds: dict[str, float] = field(default_factory=dict)
    lines: dict[str, dict[str, list[int]]] = field(default_factory=dict)  # module -> line -> tests, as in `seconds`
    recent: list[str] = field(default_factory=list)  # the last killers
    chosen: set[str] | None = None  # tests that run, or None for all
    killer: str = ""
    failed: set[str] = field(default_factory=set)
    mutated: bool = False
    confirmed: set[str] = field(default_factory=set)  # killers that passed without a fault
    measuring: coverage.Coverage | None = None

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        cost = {item: self.seconds.get(item.nodeid, 0.0) for item in items}
        quick = [
            x
            for x in items
            if cost[x] <= SLOW and (self.chosen is None or x.nodeid in self.chosen or x.nodeid not in self.seconds)
        ]  # a test without a time is new
        items[:] = sorted(quick, key=cost.__getitem__)

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        if self.measuring:
            self.measuring.switch_context(nodeid)
        if self.mutated:  # the alarm ends the fork
            signal.setitimer(signal.ITIMER_REAL, HANGS)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.killer = self.killer or report.nodeid
            self.failed.add(report.nodeid)
        cost = math.inf if report.failed else report.duration  # a failure without a fault: the test needs more examples
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + cost

    @property
    def quick(self) -> dict[str, float]:
        """The tests that mutants run, and how long they take."""
        return {test: seconds for test, seconds in self.seconds.items() if seconds <= SLOW}

    def run(self, mutant: Mutant | None, stages: list[list[str] | None], limit: float) -> Tests:
        """Run several lists of tests in a fork, until a test fails. None stands for all tests."""
        here, there = multiprocessing.Pipe(duplex=False)
        child = multiprocessing.get_context("fork").Process(target=self._fork, args=(mutant, stages, here, there))
        child.start()
        there.close()
        try:
            return here.recv() if here.poll(limit) else Tests(self.folders, killer="(time)")
        except EOFError:
            return Tests(self.folders, killer="(crash)")
        finally:
            child.kill()
            child.join()

    def measured(self) -> Tests:
        """Run all tests without a fault, or read what an earlier run measured."""
        stored = json.loads(MEASURED.read_text()) if MEASURED.exists() else {}
        key = " ".join(self.folders)
        if key not in stored:
            found = self.run(None, [None], 3600.0)
            if not found.quick:
                sys.exit(f"the tests do not run without a fault: {found.killer or 'there are none'}")
            stored[key] = {"seconds": found.seconds, "lines": found.lines}
            MEASURED.write_text(json.dumps(stored))
        return Tests(self.folders, **stored[key])

    def kill(self, mutant: Mutant, everything: bool) -> str:
        """Return the test that fails because of the fault, or "" for a survivor.

        A test can also fail for another reason: what Hypothesis draws depends on the modules that are loaded. So the
        first kill of each test is confirmed: the test runs without the fault. A test that fails is left out.
        """
        numbers = statement_lines(mutant)
        known, names = self.lines[mutant.module], list(self.seconds)
        while True:
            running = {names[i] for number in numbers for i in known.get(str(number), ())}
            covering = running & self.quick.keys()
            ordered = sorted(covering, key=self.seconds.__getitem__)
            cheap = [test for test, seconds in self.quick.items() if seconds <= CHEAP]
            stages: list[list[str] | None] = [self.recent, ordered[:FEW], ordered, None if everything else cheap]
            killer = self.run(mutant, stages, 60.0 + 3 * sum(self.quick.values())).killer
            if "::" not in killer or killer in self.confirmed:
                return killer
            if killer not in self.run(None, [[killer]], 120.0).failed:
                self.confirmed.add(killer)
                return killer
            print(f"left out, because it also fails without a fault: {killer}", flush=True)
            self.seconds[killer] = math.inf

    def _fork(self, mutant: Mutant | None, stages: list[list[str] | None], here: Any, answer: Any) -> None:
        here.close()  # if no process reads the answer, sending it fails and the fork ends
        self.mutated, self.failed = mutant is not None, set()
        resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
        for stream in (1, 2):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
        if stages == [None] and not mutant:
            self.measuring = coverage.Coverage(
                data_file=None, config_file=False, include=[str(path_of(module)) for module in MODULES]
            )
            self.measuring.start()
        sys.meta_path[:0] = [Hook(mutant)] if mutant else []
        try:
            importlib.import_module("tinygraph.hypothesis_plugin").register()
        except Exception:
            self.killer = "(import)"
        suite = [*[f"tests/{name}" for name in self.folders], "tinygraph", "--ignore=tinygraph/__main__.py"]
        for stage in stages:
            self.chosen = None if stage is None else set(stage)
            where = suite if stage is None else sorted({test.partition("::")[0] for test in stage})
            if not where or self.killer:
                continue
            if pytest.main([*OPTIONS, *where, *["-x"] * bool(mutant)], plugins=[self]) not in (0, 5):
                self.killer = self.killer or "(collection)"
        found = Tests(self.folders, killer=self.killer, failed=self.failed)
        if self.measuring:
            self.measuring.stop()
            data = self.measuring.get_data()
            number_of = {test: i for i, test in enumerate(self.seconds)}
            for module in MODULES:
                contexts = data.contexts_by_lineno(str(path_of(module))).items()
                self.lines[module] = {
                    str(line): [number_of[x] for x in tests if x in number_of] for line, tests in contexts
                }
            found.seconds, found.lines = self.seconds, self.lines
        answer.send(found)


def main() -> int:
    """Run the mutants of some modules, print the survivors and the score, and return 0 if none survived."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutation", description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "modules", nargs="*", default=MODULES, help="modules without `tinygraph.` (default: %(default)s)"
    )
    parser.add_argument("--all", action="store_true", help="run all tests before a mutant counts as a survivor")
    arguments = parser.parse_args()
    os.chdir(ROOT)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    os.environ["HYPOTHESIS_NO_PLUGINS"] = "1"  # the plugin of tinygraph would load the modules before they are changed
    from hypothesis import Phase, settings

    sys.dont_write_bytecode = False  # forks share compiled files, but not of mutants
    for name in ("numpy", "mpmath", "hypothesis.strategies", PLUGIN, "doctest", "pdb"):  # forks share these
        importlib.import_module(name)
    assert not any(name.partition(".")[0] == "tinygraph" for name in sys.modules), "the forks would share it, unchanged"
    gc.freeze()
    phases = [Phase.explicit, Phase.generate]
    settings.register_profile("mutation", max_examples=10, derandomize=True, deadline=None, phases=phases)
    suites: dict[tuple[str, ...], Tests] = {}
    killed: dict[str, str] = json.loads(KILLED.read_text()) if KILLED.exists() else {}
    survivors = 0
    for module in arguments.modules:
        folders = FOLDERS_OF_ARRAYS if module.startswith(OF_ARRAYS) else FOLDERS
        tests = suites[folders] = suites.get(folders) or Tests(folders).measured()
        quick = tests.quick.values()
        print(f"{module}: {len(quick)} of {len(tests.seconds)} tests, {sum(quick):.0f} s", flush=True)
        everything, left_out = mutants(module)
        explained = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8"))
        reasons = {without_comment(line): reason for line, reason in explained.get(module, {}).items()}
        found = [mutant for mutant in everything if mutant.text not in reasons | explained["everywhere"]]
        alive = 0
        for i, mutant in enumerate(found, 1):
            key = hashlib.sha256(program(mutant.source).encode()).hexdigest()[:16]
            killer = killed.get(key) or tests.kill(mutant, arguments.all)
            if killer:
                killed[key] = killer
                KILLED.write_text(json.dumps(killed, indent=0))
            else:
                alive += 1
                print(mutant, flush=True)
            if "::" in killer:
                tests.recent = [killer, *[other for other in tests.recent if other != killer]][:RECENT]
            if i % 100 == 0:
                print(f"{module}: {i} of {len(found)}", flush=True)
        survivors += alive
        share = 100 * (len(found) - alive) / max(len(found), 1)
        print(f"{module}: {len(found) - alive} of {len(found)} mutants killed, {share:.1f} %;", end=" ")
        print(f"besides, {len(everything) - len(found)} explained and {left_out} that are no other program")
        for text in reasons.keys() - {mutant.text for mutant in everything}:
            print(f"an explanation without a mutant: {text}")
    return survivors > 0


if __name__ == "__main__":
    sys.exit(main())
