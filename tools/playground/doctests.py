"""Run the doctests of the installed package, except for those that need NumPy. Pyodide runs this file."""

import doctest
import importlib
import json
from pathlib import Path

HEAVY = ("numpy", "hypothesis", "matplotlib", "pytest", "rich", "cairosvg", "PIL", "torch", "jax", "dask", "anywidget")


class Runner(doctest.DocTestRunner):
    """A runner that remembers whether an example needs a package that is not installed."""

    needs_more = False

    def report_unexpected_exception(self, out, test, example, exc_info):
        """Note a missing package, and report any other exception."""
        missing = isinstance(exc_info[1], ModuleNotFoundError) and exc_info[1].name.partition(".")[0] in HEAVY
        self.needs_more = self.needs_more or missing
        if not self.needs_more:
            super().report_unexpected_exception(out, test, example, exc_info)

    def report_failure(self, out, test, example, got):
        """Report a wrong output, unless an earlier example of the docstring could not run."""
        if not self.needs_more:
            super().report_failure(out, test, example, got)


def modules():
    """Yield each module of the package that can be imported here."""
    import tinygraph

    folder = Path(tinygraph.__file__).parent
    for path in sorted(folder.rglob("*.py")):
        if path.name != "__main__.py":
            try:
                yield importlib.import_module(
                    ".".join(path.relative_to(folder.parent).with_suffix("").parts).removesuffix(".__init__")
                )
            except ModuleNotFoundError as error:
                if error.name.partition(".")[0] not in HEAVY:
                    raise


found = {}
for module in modules():
    for test in doctest.DocTestFinder(exclude_empty=True).find(module, module.__name__):
        runner = Runner(optionflags=doctest.ELLIPSIS, verbose=False)
        if test.examples:
            result = runner.run(test)
            if not runner.needs_more:
                found[test.name] = [result.attempted, result.failed]
json.dumps(found)
