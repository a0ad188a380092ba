// Print which files of Python's standard library the playground reads: `node trace.mjs MODULES NAMES WHEEL ...`.
import { started } from "./node.mjs";

const [modules, names, ...wheels] = process.argv.slice(2);
const python = await started(modules, wheels);
python.globals.set("names", names);
console.log(python.runPython(`
import importlib, json, sys, zipfile

for name in json.loads(names):
    importlib.import_module(name)

from tinygraph.playground.session import HANDLERS, Playground
from tinygraph.playground.examples import EXAMPLES

playground = Playground()
for example in (EXAMPLES[0], EXAMPLES[-1], next(x for x in EXAMPLES if x.mode == "python")):
    playground.answered({"kind": "run", "mode": example.mode, "text": example.text, "numbers": example.numbers})
    playground.answered({"kind": "move", "numbers": playground.numbers})
for kind in ("svg", "animation", "worksheet", "python"):
    assert "file" in playground.answered({"kind": "export", "format": kind})
for wrong in ("x = Value(1)\\ny = x * xx", "x =", "import numpy"):
    playground.answered({"kind": "run", "mode": "python", "text": wrong})
playground.answered({"kind": "block", "page": "a", "blocks": [["from tinygraph import *\\n", "tree(Value(1.0) * 2)\\n"]], "at": 0})
import tinygraph
for name in tinygraph.__all__:
    getattr(tinygraph, name)

archive = zipfile.ZipFile("/lib/python314.zip").namelist()
used = {name.replace(".", "/") for name in sys.modules}
# Codecs are found by name, and a package needs its __init__.
kept = [x for x in archive if x.rpartition(".")[0] in used or x.rpartition("/__init__.")[0] in used or x.startswith(("encodings/utf", "encodings/latin", "encodings/ascii", "encodings/idna", "_pyodide/", "pyodide/"))]
json.dumps(sorted(kept))
`));
