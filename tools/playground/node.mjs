// Pyodide under Node.js with the wheels of the playground, and Graphviz as its layout engine.
import { webcrypto } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

globalThis.crypto ??= webcrypto; // Node.js 18 has no global, and Python asks it for random numbers

export async function started(modules, wheels) {
  const load = (name) => import(pathToFileURL(path.join(modules, name)).href);
  const [{ loadPyodide }, Viz] = await Promise.all([load("pyodide/pyodide.mjs"), load("@viz-js/viz/dist/viz.js")]);
  const [python, viz] = await Promise.all([loadPyodide(), Viz.instance()]);
  for (const wheel of wheels) python.unpackArchive(new Uint8Array(fs.readFileSync(wheel)), "wheel");
  python.registerJsModule("graphviz_wasm", { layout: (dot) => viz.renderString(dot, { format: "svg" }) });
  python.runPython("import graphviz_wasm\nfrom tinygraph.drawing.layout_engines import use_engine\nuse_engine(lambda dot: graphviz_wasm.layout(dot))");
  return python;
}
