"""A valid call of every public callable, with the kind of each parameter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import strategies as st

import tinygraph
from tests.wrong_types import Call, call, of
from tinygraph import Tensor, Value, datasets, logistic, misconceptions, nn, testing, worksheets
from tinygraph.engine import ops
from tinygraph.practicing import wrong_passes

root, y, x = of(lambda s: s.y), of(lambda s: s.y), of(lambda s: s.x)
cube = {"name": "cube_of_the_test", "floats": lambda x: x * x * x, "partials": (lambda out, x: 3.0 * x * x,)}
step = of(lambda s: s.stepper)


def _method(name: str) -> of:
    return of(lambda s: getattr(s.stepper, name))


def _of_tensor(name: str) -> of:
    return of(lambda s: getattr(s.t, name))


def _registered(engine: Any) -> None:
    """Register a layout engine, and restore the previous one."""
    tinygraph.drawing.use_engine(tinygraph.drawing.use_engine(engine))


def _drawn(strategy: Any) -> Callable[..., Any]:
    """Return a function that also draws an example, because a strategy may check its arguments only then."""

    def run(*args: Any, **options: Any) -> Any:
        made = strategy(*args, **options)
        made.validate()
        return made

    return run


def _exhausted(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda **options: list(function(**options))


def _with_torch(function: Any) -> Any:
    """Return a function, or skip the test if PyTorch is not installed."""
    pytest.importorskip("torch", reason="PyTorch is not installed: pip install --group oracles")
    return function


def _with_jax(function: Any) -> Any:
    """Return a function, or skip the test if JAX is not installed."""
    pytest.importorskip("jax", reason="JAX is not installed: pip install --group oracles")
    return function


def _torch_function() -> Callable[..., Any]:
    """Return a function of PyTorch that accepts all arguments."""
    w = pytest.importorskip("torch").ones(2, requires_grad=True)
    return lambda *_: w.sum()


MODELS = (logistic.LogisticRegression, logistic.SoftmaxRegression)


def _method_of_fitted(model: Any, name: str) -> of:
    return of(lambda s: getattr(model(iterations=2, tol=None).fit(s.rows, [0, 0, 1, 1]), name))


def _trained(model: Any) -> of:
    return of(lambda s: lambda **options: model(**options).fit(s.rows, [0, 0, 1, 1]))


def _of_value(name: str) -> of:
    return of(lambda s: getattr(s.x, name))


def _found_bug(s: Any) -> Any:
    bug = worksheets.find_bug(s.x * s.w)
    bug.pick(2)
    return bug.name


OF_TWO = ("atan2", "arctan2", "hypot", "fmod")
BOUNDS = {"min": "bound of a Value", "max": "bound of a Value"}
REPLACED = {"nan": "number", "posinf": "number or None", "neginf": "number or None"}
DIAGONAL = {"offset": "integer", "axis1": "integer", "axis2": "integer"}
REDUCTION = {"axis": "axis", "keepdims": "flag"}
BOUNDED = {"initial": "number or None", "where": "mask"}
COST = {"w": "table", "b": "own node", "X": "table", "Y": "labels", "loss": "choice", "sample_weight": "weights",
        "C": "positive"}  # fmt: skip
WEIGHTED = {"loss": "cross_entropy", "sample_weight": None, "C": 2.0}
of_values = {"w": of(lambda s: s.weights), "b": of(lambda s: s.bias), "X": of(lambda s: s.rows), "Y": [0, 0, 1, 1]}
of_arrays = {"w": of(lambda s: s.W), "b": of(lambda s: s.b), "X": of(lambda s: s.columns), "Y": [[0, 0, 1, 1]]}
PROGRAMS = {"ops": "ops or None", "max_inputs": "count", "max_steps": "count", "limit": "positive", "clear": "distance"}

DRAWING_KINDS = {
    "theme": "choice",
    "detail": "choice",
    "direction": "choice",
    "parameters": "nodes",
    "title": "text",
    "legend": "flag",
    "number": "format",
    "notation": "choice",
    "fold_sums": "flag",
    "plain_names": "flag",
    "compact": "flag",
    "constants": "flag",
    "backward": "flag",
    "heatmap": "flag",
    "width": "size or None",
    "height": "size or None",
    "scale": "size",
    "font": "font",
    "font_size": "size",
    "background": "background",
    "dpi": "size or None",
    "engine": "engine",
    "timeout": "time limit",
}
DRAWING_OPTIONS = {
    "theme": "light",
    "detail": "plain",
    "direction": "LR",
    "title": "J",
    "legend": True,
    "number": ".3g",
    "notation": "dv",
    "fold_sums": True,
    "plain_names": True,
    "compact": True,
    "constants": False,
    "backward": False,
    "heatmap": True,
    "width": None,
    "height": None,
    "scale": 1.0,
    "font": "Arial",
    "font_size": 12,
    "background": None,
    "dpi": None,
    "engine": None,
    "timeout": 3.0,
}

CALLS: dict[str, Call] = {
    # nodes
    "Value": call(Value, {"data": "number", "name": "text", "constant": "flag"}, data=1.0, name="v", constant=False),
    "Tensor": call(Tensor, {"data": "array", "name": "text", "constant": "flag"}, data=[1.0], name="v", constant=False),
    "Value.backward": call(
        of(lambda s: s.y.backward), {"seed": "upstream gradient", "accumulate": "flag"}, seed=1.0, accumulate=False
    ),
    **{
        f"Tensor.{name}": call(_of_tensor(name), REDUCTION | BOUNDED, axis=0, keepdims=False, initial=0.0, where=True)
        for name in ("max", "min", "prod", "sum")
    },
    **{
        f"Tensor.{name}": call(_of_tensor(name), REDUCTION | {"where": "mask"}, axis=0, keepdims=False, where=None)
        for name in ("mean", "any", "all")
    },
    **{
        f"Tensor.{name}": call(
            _of_tensor(name),
            REDUCTION | {"ddof": "number", "where": "mask", "correction": "number or None"},
            axis=0,
            keepdims=False,
            ddof=0,
            where=None,
            correction=None,
        )
        for name in ("var", "std")
    },
    **{
        f"Tensor.{name}": call(
            _of_tensor(name), {"axis": "one axis or None", "keepdims": "flag"}, axis=0, keepdims=False
        )
        for name in ("argmax", "argmin")
    },
    "Tensor.argsort": call(
        _of_tensor("argsort"),
        {"axis": "one axis or None", "kind": "sorting", "stable": "anything"},
        axis=0,
        kind=None,
        stable=None,
    ),
    **{
        f"Tensor.{name}": call(_of_tensor(name), {"axis": "one axis or None"}, axis=0) for name in ("cumsum", "cumprod")
    },
    "Tensor.softmax": call(_of_tensor("softmax"), {"axis": "axis"}, axis=0),
    "Tensor.log_softmax": call(_of_tensor("log_softmax"), {"axis": "axis"}, axis=0),
    "Tensor.logsumexp": call(_of_tensor("logsumexp"), REDUCTION, axis=0, keepdims=False),
    "softmax": call(tinygraph.softmax, {"x": "operand of arrays", "axis": "axis"}, x=[1.0], axis=0),
    "log_softmax": call(tinygraph.log_softmax, {"x": "operand of arrays", "axis": "axis"}, x=[1.0], axis=0),
    "logsumexp": call(tinygraph.logsumexp, {"x": "operand of arrays", **REDUCTION}, x=[1.0], axis=0, keepdims=False),
    "cross_entropy": call(
        tinygraph.cross_entropy,
        {"logits": "logits", "labels": "logits", "axis": "one axis", "reduction": "choice"},
        logits=[[1.0, 2.0]],
        labels=[0],
        axis=-1,
        reduction="mean",
    ),
    "Tensor.transpose": call(_of_tensor("transpose"), {"axes": "permutation"}, "axes", axes=(1, 0)),
    "Tensor.reshape": call(
        _of_tensor("reshape"), {"shape": "choice", "order": "choice"}, "shape", shape=(4, 1), order="C"
    ),
    "Tensor.round": call(_of_tensor("round"), {"decimals": "integer"}, decimals=1),
    "Tensor.dot": call(_of_tensor("dot"), {"b": "array or Tensor"}, b=2.0),
    "Tensor.squeeze": call(_of_tensor("squeeze"), {"axis": "axis"}, axis=None),
    "Tensor.ravel": call(_of_tensor("ravel"), {"order": "choice"}, order="F"),
    "Tensor.flatten": call(_of_tensor("flatten"), {"order": "choice"}, order="C"),
    "Tensor.swapaxes": call(_of_tensor("swapaxes"), {"axis1": "integer", "axis2": "integer"}, axis1=0, axis2=1),
    "Tensor.repeat": call(_of_tensor("repeat"), {"repeats": "count", "axis": "axis"}, repeats=2, axis=0),
    "Tensor.take": call(
        _of_tensor("take"), {"indices": "indices", "axis": "axis", "mode": "choice"}, indices=[0], axis=0, mode="raise"
    ),
    "Tensor.compress": call(
        _of_tensor("compress"), {"condition": "selection", "axis": "axis"}, condition=[True, False], axis=0
    ),
    "Tensor.diagonal": call(_of_tensor("diagonal"), DIAGONAL, offset=0, axis1=0, axis2=1),
    "Tensor.trace": call(_of_tensor("trace"), DIAGONAL, offset=0, axis1=0, axis2=1),
    "Tensor.copy": call(_of_tensor("copy"), {"order": "choice"}, order="C"),
    "Tensor.astype": call(_of_tensor("astype"), {"dtype": "dtype", "copy": "flag"}, dtype=float, copy=True),
    "set_at": call(
        tinygraph.set_at,
        {"t": "array or Tensor", "index": "index", "values": "array or Tensor"},
        t=of(lambda s: s.t),
        index=0,
        values=1.0,
    ),
    "concatenate": call(
        tinygraph.concatenate, {"arrays": "Tensors", "axis": "axis"}, arrays=of(lambda s: [s.t, s.t]), axis=0
    ),
    "stack": call(
        tinygraph.stack, {"arrays": "Tensors", "axis": "axis of a new array"}, arrays=of(lambda s: [s.t, s.t]), axis=0
    ),
    **{f"Value.{name}": call(_of_value(name), {"y": "operand of a Value"}, y=2.0) for name in OF_TWO},
    "Value.clip": call(_of_value("clip"), BOUNDS | {"a_min": "bound of a Value", "a_max": "bound of a Value"}),
    "Value.leaky_relu": call(_of_value("leaky_relu"), {"negative_slope": "finite number"}, negative_slope=0.1),
    "Value.elu": call(_of_value("elu"), {"alpha": "finite number"}, alpha=0.5),
    "Value.nan_to_num": call(_of_value("nan_to_num"), REPLACED, nan=0.0, posinf=1.0, neginf=None),
    "clip": call(tinygraph.clip, {"x": "operand", "min": "operand or None", "max": "operand or None"}, x=0.5),
    "leaky_relu": call(tinygraph.leaky_relu, {"x": "operand", "negative_slope": "finite number"}, x=0.5),
    "elu": call(tinygraph.elu, {"x": "operand", "alpha": "finite number"}, x=0.5),
    "nan_to_num": call(tinygraph.nan_to_num, {"x": "operand", **REPLACED}, x=0.5),
    "hinge": call(tinygraph.hinge, {"x": "operand", "y": "operand"}, x=0.5, y=1.0),
    "huber": call(tinygraph.huber, {"x": "operand", "y": "operand", "delta": "positive"}, x=0.5, y=1.0, delta=1.0),
    "where": call(
        tinygraph.where, {"condition": "condition", "x": "operand", "y": "operand"}, condition=True, x=0.5, y=1.0
    ),
    "power": call(tinygraph.power, {"exponent": "number"}, exponent=2.0),
    # derivatives
    "grad": call(
        tinygraph.grad,
        {"y": "node", "xs": "nodes to differentiate", "seed": "upstream gradient", "create_graph": "flag"},
        y=y,
        xs=x,
        seed=None,
        create_graph=False,
    ),
    "hessian": call(tinygraph.hessian, {"y": "node", "xs": "nodes to differentiate"}, y=y, xs=x),
    "jvp": call(tinygraph.jvp, {"y": "node", "tangents": "tangents"}, y=y, tangents=of(lambda s: {s.x: 1.0})),
    "value_and_grad": call(
        lambda f, argnums: tinygraph.value_and_grad(f, argnums)(1.0, 2.0, 3.0, 4.0),
        {"f": "function", "argnums": "positions"},
        f=lambda *xs: xs[0] * 2.0,
        argnums=0,
    ),
    "numeric_grad": call(
        tinygraph.numeric_grad,
        {"f": "function", "at": "argument", "method": "choice", "step": "positive or None"},
        f=lambda x: x * x,
        at=2.0,
        method="central",
        step=None,
    ),
    "check_grad": call(
        tinygraph.check_grad,
        {"f": "function", "at": "argument", "tolerance": "tolerance"},
        "at",
        f=lambda x: x * x,
        at=(2.0,),
        tolerance=1e-9,
    ),
    # contexts and ops
    "name_from": call(tinygraph.name_from, {"namespace": "mapping"}, namespace=of(lambda s: {"x": s.x})),
    "scope": call(tinygraph.scope, {"name": "text"}, name="layer"),
    "op": call(
        tinygraph.op,
        {
            "name": "identifier",
            "floats": "function",
            "partials": "op",
            "symbol": "text",
            "arrays": "function or None",
            "domain": "op",
            "analytic": "function or None",
            "linear": "flag",
        },
        **cube,
        symbol="",
        arrays=None,
        domain=ops.exp.domain,
        analytic=None,
        linear=False,
    ),
    # explaining and drawing
    "tree": call(
        tinygraph.tree, {"root": "node", "lines": "count or None", "ascii": "flag"}, root=root, lines=3, ascii=True
    ),
    "explain": call(tinygraph.explain, {"root": "node", "node": "own node"}, root=root, node="x"),
    "diagnose": call(
        tinygraph.diagnose, {"root": "node", "parameters": "nodes"}, root=root, parameters=of(lambda s: [s.x])
    ),
    "draw": call(
        tinygraph.draw,
        {"root": "nodes to draw", "around": "node or None", "depth": "count", **DRAWING_KINDS},
        root=root,
        around=None,
        depth=2,
        parameters=of(lambda s: [s.x]),
        **DRAWING_OPTIONS,
    ),
    "compare": call(
        tinygraph.compare,
        {"first": "node", "second": "node", "rtol": "tolerance", "atol": "tolerance"},
        first=root,
        second=of(lambda s: s.x * s.w),
        rtol=1e-9,
        atol=0.0,
    ),
    "drawing.DrawOptions": call(
        tinygraph.drawing.DrawOptions, DRAWING_KINDS, parameters=of(lambda s: [s.x]), **DRAWING_OPTIONS
    ),
    "drawing.Drawing.save": call(of(lambda s: s.drawing.save), {"path": "path"}, path=of(lambda s: s.folder / "y.dot")),
    "drawing.use_engine": call(_registered, {"engine": "engine"}, engine=None),
    # worksheets
    "worksheet": call(tinygraph.worksheet, {"root": "node", "blanks": "choice"}, root=root, blanks="both"),
    "worksheets.Worksheet.save": call(
        of(lambda s: tinygraph.worksheet(s.x * s.w).save), {"path": "path"}, path=of(lambda s: s.folder / "y.html")
    ),
    "worksheets.exercise": call(
        worksheets.exercise,
        {"seed": "integer", "inputs": "count", "steps": "count", "shared": "flag"},
        seed=1,
        inputs=2,
        steps=4,
        shared=True,
    ),
    "worksheets.by_hand": call(worksheets.by_hand, {"root": "node", "state": "state"}, root=root, state=None),
    "worksheets.ByHand.answer": call(
        of(lambda s: worksheets.by_hand(s.x * s.w).answer), {"answer": "answer"}, answer="2"
    ),
    "worksheets.find_bug": call(
        worksheets.find_bug,
        {"root": "node", "opponent": "choice or None", "seed": "integer or None"},
        root=of(lambda s: s.x * s.w),
        opponent=None,
        seed=3,
    ),
    "worksheets.FindBug.pick": call(of(lambda s: worksheets.find_bug(s.x * s.w).pick), {"step": "count"}, step=1),
    "worksheets.FindBug.name": call(of(_found_bug), {"mistake": "choice"}, mistake="forgetting to zero"),
    # stepping
    "Stepper": call(
        tinygraph.Stepper,
        {"root": "node", "seed": "upstream gradient", "phase": "choice", "granularity": "choice"},
        root=root,
        seed=None,
        phase="backward",
        granularity="edge",
    ),
    "Stepper.step": call(_method("step"), {"n": "count"}, n=1),
    "Stepper.back": call(_method("back"), {"n": "count"}, n=1),
    "Step.why": call(of(lambda s: list(s.stepper)[1].why), {"with_number": "flag"}, with_number=True),
    "Stepper.goto": call(_method("goto"), {"k": "count"}, k=1),
    "Stepper.delete": call(_method("delete"), {"number": "choice"}, number=1),
    "Stepper.break_on": call(_method("break_on"), {"target": "target"}, target="x"),
    "Stepper.run_until": call(_method("run_until"), {"target": "target"}, target="x"),
    "Stepper.run_back_until": call(_method("run_back_until"), {"target": "target"}, target="x"),
    "Stepper.watch": call(_method("watch"), {"target": "own node"}, target="x"),
    "Stepper.find": call(_method("find"), {"name": "own node"}, name="x"),
    "Stepper.grad": call(_method("grad"), {"node": "own node"}, node="x"),
    "Stepper.last_write": call(_method("last_write"), {"node": "own node"}, node="x"),
    "Stepper.contributions": call(_method("contributions"), {"node": "own node"}, node="x"),
    "Stepper.explain": call(_method("explain"), {"node": "own node"}, node="x"),
    "Stepper.player": call(
        _method("player"),
        {"height": "count", "live": "flag", "hide": "flag", "by_hand": "flag"},
        height=400,
        live=False,
        hide=True,
        by_hand=False,
    ),
    "Stepper.save": call(
        _method("save"),
        {"path": "path", "caption": "flag", "hide": "flag", "by_hand": "flag", "seconds": "size"},
        path=of(lambda s: s.folder / "y.html"),
        caption=False,
        hide=True,
        by_hand=False,
        seconds=0.5,
    ),
    # files
    "save": call(tinygraph.save, {"root": "roots", "path": "path"}, root=root, path=of(lambda s: s.folder / "y.json")),
    "load": call(
        tinygraph.load,
        {"path": "path", "verify": "flag", "limit": "count or None"},
        path=of(lambda s: s.file),
        verify=True,
        limit=10_000,
    ),
    # vectorizing
    "compile": call(
        tinygraph.compile,
        {"root": "scalar root", "inputs": "leaves", "on_progress": "function or None"},
        root=root,
        inputs=of(lambda s: [s.x]),
        on_progress=None,
    ),
    "from_torch": call(
        of(lambda s: _with_torch(tinygraph.from_torch)),
        {"f": "function", "args": "anything", "mapping": "marks", "check": "flag", "report": "function or None"},
        "args",
        f=of(lambda s: _torch_function()),
        args=(1,),
        mapping=None,
        check=True,
        report=None,
    ),
    "from_jax": call(
        of(lambda s: _with_jax(tinygraph.from_jax)),
        {
            "f": "function",
            "args": "anything",
            "argnums": "count or None",
            "mapping": "marks",
            "max_iterations": "count",
            "check": "flag",
            "report": "function or None",
        },
        "args",
        f=of(lambda s: lambda x, y: (x * y).sum()),
        args=(1.0, 2.0),
        argnums=1,
        mapping=None,
        max_iterations=10,
        check=True,
        report=None,
    ),
    "to_torch": call(
        of(lambda s: _with_torch(tinygraph.to_torch)), {"root": "nodes to draw"}, root=of(lambda s: s.x * 2.0)
    ),
    "to_jax": call(of(lambda s: _with_jax(tinygraph.to_jax)), {"root": "nodes to draw"}, root=of(lambda s: s.x * 2.0)),
    "bridges.named_leaves": call(tinygraph.bridges.named_leaves, {"root": "node"}, root=root),
    "source": call(tinygraph.source, {"root": "scalar root", "backward": "flag"}, root=root, backward=True),
    "vectorize": call(
        tinygraph.vectorize,
        {"root": "scalar root", "marks": "marks", "on_progress": "function or None"},
        root=root,
        marks=None,
        on_progress=None,
    ),
    # misconceptions
    "misconceptions.Misconception": call(
        misconceptions.Misconception,
        {
            "name": "text",
            "belief": "text",
            "fix": "text",
            "smallest": "function",
            "run": "function",
            "program": "function",
        },
        name="n",
        belief="b",
        fix="f",
        smallest=misconceptions.DEPTH_FIRST.smallest,
        run=wrong_passes.depth_first,
        program=misconceptions.as_it_is,
    ),
    "misconceptions.Misconception.compare": call(
        misconceptions.DEPTH_FIRST.compare, {"root": "node or none"}, root=root
    ),
    "misconceptions.Comparison.is_wrong": call(
        of(lambda s: misconceptions.DEPTH_FIRST.compare(s.y).is_wrong), {"node": "own node"}, node=x
    ),
    # networks
    "nn.Neuron": call(
        nn.Neuron, {"nin": "count", "nonlin": "flag", "backend": "choice"}, nin=2, nonlin=True, backend="scalar"
    ),
    "nn.Layer": call(
        nn.Layer,
        {"nin": "count", "nout": "count", "nonlin": "flag", "backend": "choice", "number": "count or None"},
        nin=2,
        nout=3,
        nonlin=True,
        backend="tensor",
        number=1,
    ),
    "nn.MLP": call(
        nn.MLP, {"nin": "count", "nouts": "choice", "backend": "choice"}, nin=2, nouts=[3, 1], backend="scalar"
    ),
    # data and models
    "datasets.read_csv": call(
        datasets.read_csv, {"path": "path", "target": "text"}, path=of(lambda s: s.csv), target="c"
    ),
    "datasets.Table.split": call(of(lambda s: s.table.split), {"seed": "integer"}, seed=0),
    "datasets.Scaler.fit": call(datasets.Scaler.fit, {"X": "table"}, X=[[1.0], [2.0]]),
    "datasets.Scaler.transform": call(datasets.Scaler([2.0], [0.5]).transform, {"X": "options"}, X=[[1.0], [2.0]]),
    **{
        f"logistic.{model.__name__}": call(
            _trained(model),
            {
                "backend": "choice",
                "learning_rate": "positive",
                "iterations": "count",
                "warm_start": "flag",
                "C": "positive",
                "tol": "tolerance or None",
            }
            | dict.fromkeys(options, "choice"),
            backend="tensor",
            learning_rate=0.1,
            iterations=2,
            warm_start=False,
            C=2.0,
            tol=None,
            **options,
        )
        for model, options in zip(MODELS, ({"loss": "cross_entropy"}, {}), strict=True)
    },
    **{
        f"logistic.{model.__name__}.fit": call(
            model(iterations=2, tol=None).fit,
            {"X": "table", "y": "labels", "sample_weight": "weights or one weight", "on_iteration": "function or None"},
            X=of(lambda s: s.rows),
            y=[0, 0, 1, 1],
            sample_weight=None,
            on_iteration=None,
        )
        for model in MODELS
    },
    **{
        f"logistic.{model.__name__}.{name}": call(
            _method_of_fitted(model, name), {"X": "table"}, X=of(lambda s: s.rows)
        )
        for model in MODELS
        for name in ("decision_function", "predict", "predict_proba", "predict_log_proba")
    },
    **{
        f"logistic.{model.__name__}.score": call(
            _method_of_fitted(model, "score"),
            {"X": "table", "y": "labels", "sample_weight": "weights or one weight"},
            X=of(lambda s: s.rows),
            y=[0, 0, 1, 1],
            sample_weight=None,
        )
        for model in MODELS
    },
    **{
        f"logistic.{model.__name__}.get_params": call(model().get_params, {"deep": "anything"}, deep=True)
        for model in MODELS
    },
    "logistic.gradient_descent": call(
        _exhausted(logistic.gradient_descent),
        COST | {"b": "a Value", "learning_rate": "positive", "iterations": "count", "tol": "tolerance or None"},
        **of_values,
        **WEIGHTED,
        learning_rate=0.1,
        iterations=2,
        tol=None,
    ),
    "logistic.two_loops": call(logistic.two_loops, COST | {"b": "a Value"}, **of_values, **WEIGHTED),
    "logistic.one_loop": call(logistic.one_loop, COST, **of_arrays, **WEIGHTED),
    "logistic.no_loop": call(logistic.no_loop, COST, **of_arrays, **WEIGHTED),
    # testing
    "testing.arrays": call(
        _drawn(testing.arrays),
        {"shape": "shape", "elements": "strategy", "layouts": "choice"},
        shape=(2,),
        elements=st.just(1.0),
        layouts=("plain",),
    ),
    "testing.arrays_like": call(
        _drawn(testing.arrays_like),
        {
            "example": "argument",
            "kinds": "choice",
            "elements": "strategy or None",
            "max_side": "count",
            "max_dims": "count",
        },
        example=("n", 1),
        kinds=["integers", "ties"],
        elements=None,
        max_side=2,
        max_dims=1,
    ),
    "testing.tensors": call(_drawn(testing.tensors), {"shape": "shape"}, shape=(2,)),
    "testing.shapes": call(
        _drawn(testing.shapes),
        {"n": "count", "max_dims": "count", "max_side": "count", "min_side": "count"},
        n=2,
        max_dims=2,
        max_side=3,
        min_side=1,
    ),
    "testing.points": call(
        _drawn(testing.points),
        {"op": "op", "limit": "maximum", "clear": "distance", "sizes": "op"},
        op=ops.exp,
        limit=10.0,
        clear=0.01,
        sizes=(1, 4),
    ),
    "testing.graphs": call(
        _drawn(testing.graphs),
        PROGRAMS | {"shared": "flag", "integers": "flag"},
        ops=None,
        max_inputs=2,
        max_steps=2,
        limit=10.0,
        clear=0.01,
        shared=True,
        integers=False,
    ),
    "testing.tensor_programs": call(
        _drawn(testing.tensor_programs),
        PROGRAMS | {"moves": "options", "max_size": "count"},
        ops=None,
        moves=["sum"],
        max_inputs=2,
        max_steps=2,
        max_size=9,
        limit=10.0,
        clear=0.01,
    ),
    "testing.op_test": call(
        testing.op_test,
        {"op": "op", "limit": "maximum", "ulps": "tolerance", "terms": "function or None", "max_examples": "count"},
        op=ops.exp,
        limit=10.0,
        ulps=8.0,
        terms=None,
        max_examples=2,
    ),
    "testing.gradient_test": call(
        testing.gradient_test,
        {
            "f": "function",
            "shapes": "mapping",
            "wrt": "names or None",
            "elements": "strategy or None",
            "kinds": "choice",
            "reference": "function or None",
            "tolerance": "tolerance",
            "max_examples": "count or None",
        },
        f=lambda x: x * x,
        shapes={"x": ()},
        wrt=["x"],
        elements=None,
        kinds=["integers"],
        reference=None,
        tolerance=1e-7,
        max_examples=2,
    ),
    "testing.assert_gradient": call(
        testing.assert_gradient,
        {
            "f": "function",
            "at": "argument",
            "grad": "function or None",
            "order": "choice",
            "tolerance": "tolerance",
        },
        "at",
        f=lambda x: x * x,
        at=(2.0,),
        grad=None,
        order=1,
        tolerance=1e-9,
    ),
    "testing.assert_value_and_grad": call(
        testing.assert_value_and_grad,
        {"f": "function", "at": "argument", "order": "choice", "tolerance": "tolerance"},
        "at",
        f=lambda x: (x * x, 2.0 * x) if not getattr(x, "shape", ()) else ((x * x).sum(), 2.0 * x),
        at=(2.0,),
        order=1,
        tolerance=1e-7,
    ),
    "testing.assert_vjp": call(
        testing.assert_vjp,
        {"f": "function", "vjp": "function", "at": "argument", "tolerance": "tolerance"},
        "at",
        f=lambda x: x * x,
        vjp=lambda g, x: 2.0 * g * x,
        at=(2.0,),
        tolerance=1e-7,
    ),
    "testing.assert_jvp": call(
        testing.assert_jvp,
        {"f": "function", "jvp": "function", "at": "argument", "tolerance": "tolerance"},
        "at",
        f=lambda x: x * x,
        jvp=lambda at, tangents: 2.0 * at[0] * tangents[0],
        at=(2.0,),
        tolerance=1e-7,
    ),
    "testing.from_torch": call(testing.from_torch, {"f": "function"}, f=lambda x: x * x),
    "testing.from_jax": call(testing.from_jax, {"f": "function"}, f=lambda x: x * x),
    "testing.from_autograd": call(testing.from_autograd, {"f": "function"}, f=lambda x: x * x),
    "testing.assert_same_gradient": call(
        testing.assert_same_gradient,
        {"f": "function", "g": "function", "at": "argument", "tolerance": "tolerance"},
        "at",
        f=lambda x: x * x,
        g=lambda x: x * x,
        at=(2.0,),
        tolerance=1e-9,
    ),
}
