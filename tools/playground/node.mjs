// Pyodide under Node.js with the wheels of the playground, and Graphviz as its layout engine.
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

export async function started(modules, wheels) {
  const load = (name) => import(pathToFileURL(path.join(modules, name)).href);
  const [{ loadPyodide }, Viz] = await Promise.all([load("pyodide/pyodide.mjs"), load("@viz-js/viz/dist/viz.js")]);
  const [python, viz] = await Promise.all([loadPyodide(), Viz.instance()]);
  for (const wheel of wheels) {
    const name = `/${path.basename(wheel)}`;
    python.FS.writeFile(name, fs.readFileSync(wheel));
    python.runPython(`import sys; sys.path.insert(0, ${JSON.stringify(name)})`);
  }
  python.registerJsModule("graphviz_wasm", { layout: (dot) => viz.renderString(dot, { format: "svg" }) });
  python.runPython("import graphviz_wasm\nfrom tinygraph.drawing.layout_engines import use_engine\nuse_engine(lambda dot: graphviz_wasm.layout(dot))");
  return python;
}
