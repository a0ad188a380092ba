"""PyTorch programs as graphs: values, gradients, names, places, errors, and what works on an imported graph."""

import warnings

import numpy as np
import pytest

import tinygraph
from tinygraph import Stepper, diagnose, draw, explain, from_torch
from tinygraph.bridges import DisagreementError, PrecisionWarning, named_leaves
from tinygraph.engine.graph import order

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install --group oracles")
from tests.bridges.pytorch.programs import PROGRAMS, Tree, random, seeded  # noqa: E402

F, nn = torch.nn.functional, torch.nn
HERE = __file__


def line_of(text):
    """Return where this file contains a text, as "file:line"."""
    with open(HERE, encoding="utf-8") as file:
        (number,) = [i for i, line in enumerate(file, 1) if line.strip().endswith(f"# {text}")]
    return f"{HERE}:{number}"


def torch_gradients(f, args, leaves):
    """Return PyTorch's value and gradients, for the leaves that have a name among the arguments and parameters."""
    y = f(*args)
    return y, torch.autograd.grad(y, leaves, torch.ones_like(y), allow_unused=True)


@pytest.mark.parametrize("name", PROGRAMS)
def test_values_and_all_gradients_are_those_of_torch(name):
    f, args = PROGRAMS[name]()
    proofs = []
    root = from_torch(f, *args, report=proofs.append)
    (proof,) = proofs
    assert proof.float64
    assert proof.value < 1e-9
    assert max(proof.gradients.values()) < 1e-9
    assert proof.gradients
    assert proof.nodes == len(order(root))
    y = f(*args).detach().numpy()
    assert root.data == pytest.approx(y, rel=1e-9)
    if not root.shape:
        root.backward()
        assert all(leaf.grad is not None for name, leaf in named_leaves(root).items() if name in proof.gradients)


@pytest.mark.parametrize("name", ["mlp", "tree_of_modules", "lenet", "attention", "embedding_with_padding"])
def test_gradients_are_those_of_a_backward_pass_of_torch(name):
    # Unlike the test above, this one does not use the proof.
    f, args = PROGRAMS[name]()
    root = from_torch(f, *args, check=False)
    leaves = {name: leaf for name, leaf in named_leaves(root).items() if not leaf.constant}
    module = (
        f
        if isinstance(f, nn.Module)
        else f.__closure__
        and next((c.cell_contents for c in f.__closure__ if isinstance(c.cell_contents, nn.Module)), None)
    )
    tensors = dict(module.named_parameters()) if module else dict(zip("qkv", args, strict=True))
    assert leaves.keys() == tensors.keys()
    y = f(*args).sum()
    root.backward(seed=np.ones(root.shape)) if root.shape else root.backward()
    for leaf, wanted in zip(leaves.values(), torch.autograd.grad(y, [tensors[n] for n in leaves]), strict=True):
        np.testing.assert_allclose(leaf.grad, wanted, rtol=1e-9, atol=1e-12)


def test_second_derivatives_are_those_of_torch():
    w = random(3, grad=True)

    def f(w):
        return (w.tanh() ** 2).sum() + w.prod() * F.softplus(w).sum()

    root = from_torch(f, w)
    wanted = torch.autograd.functional.hessian(f, w.detach())
    np.testing.assert_allclose(tinygraph.hessian(root, named_leaves(root)["w"]), wanted, rtol=1e-9)


# --- names, scopes and lines


def test_leaves_have_qualified_names_and_nodes_have_scopes_and_lines():
    model = seeded(Tree())
    root = from_torch(lambda x: model(x).square(), random(2, 3))
    assert set(named_leaves(root)) == {
        *["x", "scale", "shift", "layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"],
        *["out.0.weight", "out.0.bias"],
    }
    scopes = {node.scope for node in order(root)}
    assert scopes == {
        (),
        ("layers.0 (Linear)",),
        ("layers.0[1] (Linear)",),  # the tied layer runs again
        ("layers.1 (Linear)",),
        ("out", "0 (Linear)"),
        ("out", "1 (Tanh)"),
    }
    lines = {node.line for node in order(root) if node.op is not None}
    assert all(line.startswith(HERE) or "programs.py:" in line for line in lines)
    assert root.line.startswith(HERE)


def test_two_modules_have_the_names_of_their_variables():
    encoder, head = seeded(nn.Linear(2, 2)), seeded(nn.Linear(2, 1))
    root = from_torch(lambda x: head(encoder(x)).sum(), random(3, 2))
    assert {"encoder.weight", "head.bias", "x"} < set(named_leaves(root))
    assert {("encoder",), ("head",)} < {node.scope for node in order(root)}


def test_arguments_have_the_names_of_their_parameters():
    def f(batch, *rest, factor=2.0):
        return batch["x"] @ rest[1] * factor + rest[0]

    root = from_torch(f, {"x": random(2, grad=True)}, random(1, grad=True), random(2, grad=True))
    assert set(named_leaves(root)) == {"batch['x']", "rest[0]", "rest[1]"}


def test_tensors_that_need_no_gradient_are_constants():
    w, x = random(3, grad=True), random(3, seed=1)
    leaves = named_leaves(from_torch(lambda w, x: w @ x, w, x))
    assert (leaves["w"].constant, leaves["x"].constant) == (False, True)
    assert not named_leaves(from_torch(lambda x: x.sum(), x))["x"].constant  # nothing needs a gradient


# --- what works on an imported graph


def test_the_tools_work_on_an_imported_graph(tmp_path):
    f, args = PROGRAMS["mlp"]()
    root = from_torch(f, *args)
    root.backward()
    text = draw(root, detail="scopes").source
    assert all(f"{i}" in text for i in (0, 2, 4))
    assert "0.weight" in str(explain(root, named_leaves(root)["0.weight"]))
    assert Stepper(root).find("2.bias").shape == (3,)
    assert diagnose(root).healthy
    tinygraph.save(root, tmp_path / "model.json")
    loaded = tinygraph.load(tmp_path / "model.json", verify=True)
    assert loaded.data == root.data
    leaf = named_leaves(root)["0.bias"]
    leaf.data = leaf.data + 0.1
    with pytest.raises(tinygraph.StaleGraphError):
        root.backward()
    model = next(c.cell_contents for c in f.__closure__ if isinstance(c.cell_contents, nn.Module))
    with torch.no_grad():
        model[0].bias += 0.1
    assert root.forward().item() == pytest.approx(f(*args).item(), rel=1e-12)


def test_recomputing_a_graph_with_a_max_pool_uses_the_new_maxima():
    x = torch.tensor([[[1.0, 2.0], [3.0, 0.0]]], dtype=torch.float64)
    root = from_torch(lambda x: F.max_pool2d(x, 2).sum(), x)
    leaf = named_leaves(root)["x"]
    leaf.data[0, 0, 0] = 5.0
    root.forward().backward()
    assert root.item() == 5.0
    assert leaf.grad.tolist() == [[[1.0, 0.0], [0.0, 0.0]]]


def test_a_detached_part_is_recomputed_without_a_gradient():
    root = from_torch(lambda x: x * x.detach(), torch.tensor(3.0, dtype=torch.float64))
    leaf = named_leaves(root)["x"]
    leaf.data = 4.0
    root.forward().backward()
    assert (root.item(), leaf.grad.item()) == (16.0, 4.0)


def test_a_branch_that_was_taken_is_a_guard():
    root = from_torch(lambda x: torch.where(x > 0, x, -x).sum(), random(3))
    leaf = named_leaves(root)["x"]
    leaf.data = -leaf.data
    with pytest.raises(tinygraph.FrozenBranchError):
        root.forward()


# --- diagnosis


def found(f, *args):
    """Return the text of the only finding, with the scope and the line of its node."""
    (finding, *_) = diagnose(from_torch(f, *args)).findings
    return finding.node


class Masked(nn.Module):
    def forward(self, p):
        logs = p.log()  # log of 0
        return torch.where(p > 0, logs, torch.zeros_like(p))


class Overflow(nn.Module):
    def forward(self, x):
        e = x.exp()  # overflow
        return e / e.sum()


class Norm(nn.Module):
    def forward(self, x):
        return (x * x).sum().sqrt()  # sqrt at 0


@pytest.mark.parametrize(
    ("layer", "x", "line", "op"),
    [
        (Masked, [0.0, 0.5], "log of 0", "log"),
        (Overflow, [1000.0, 0.0], "overflow", "exp"),
        (Norm, [0.0, 0.0], "sqrt at 0", "sqrt"),
    ],
)
def test_diagnose_finds_where_a_nan_comes_from(layer, x, line, op):
    model = nn.Sequential(nn.Identity(), nn.Sequential(layer()))
    x = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.grad(model(x).sum(), x)[0].isnan().any()
    node = found(lambda x: model(x).sum(), x)
    assert node.op.name == op
    assert node.scope == ("1 (Sequential)", f"0 ({layer.__name__})")
    assert node.line == line_of(line)


# --- proof


class Wrong(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * x  # forward of Wrong

    @staticmethod
    def backward(ctx, gradient):
        return 3.0 * gradient


def test_a_wrong_backward_pass_is_an_error_that_names_the_function():
    with pytest.raises(
        DisagreementError, match=r"^the gradient of x differs, because the backward pass of Wrong \("
    ) as e:
        from_torch(lambda x: Wrong.apply(x).sum(), random(3))
    assert line_of("forward of Wrong") in str(e.value)
    root = from_torch(lambda x: Wrong.apply(x).sum(), random(3), check=False)
    root.backward()
    np.testing.assert_allclose(named_leaves(root)["x"].grad, 2 * random(3))


def test_a_wrong_entry_is_an_error_that_names_the_first_op():
    wrong = {torch.ops.aten.tanh: lambda x: tinygraph.sigmoid(x)}
    with pytest.raises(DisagreementError, match=r"^the value of aten.tanh at .* differs: tinygraph has"):
        from_torch(lambda x: x.tanh().exp(), random(2), mapping=wrong)


def test_a_wrong_derivative_of_an_entry_is_an_error_that_names_the_first_op():
    wrong = {torch.ops.aten.tanh.default: lambda x: tinygraph.tanh(x.detach()) + 0.0 * x}
    with pytest.raises(DisagreementError, match=r"the backward pass first differs at .* comes from aten.tanh at "):
        from_torch(lambda x: (2 * x).tanh().exp(), random(2), mapping=wrong)


def test_a_function_that_changes_its_state_is_refused():
    calls = []

    def f(x):
        calls.append(x)
        return x * len(calls)

    with pytest.raises(DisagreementError, match="another value when it is called again"):
        from_torch(f, random(2))


def test_float32_is_recomputed_in_float64():
    model, x = seeded(nn.Linear(3, 2)).float(), random(2, 3).float()
    proofs = []
    root = from_torch(lambda x: model(x).tanh().sum(), x, report=proofs.append)
    assert root.data == pytest.approx(model.double()(x.double()).tanh().sum().item(), rel=1e-14)
    assert proofs[0].dtype == "float32"
    assert 0 < max(proofs[0].gradients.values()) < 1e-5
    assert "PyTorch's float32 differs by up to" in str(proofs[0])


def test_a_result_that_float32_loses_is_reported_with_the_first_op():
    x = torch.tensor([100.0, 1.0], requires_grad=True)
    with pytest.warns(PrecisionWarning, match=r"the first op that differs is aten.exp at .* with float32 has inf"):
        from_torch(lambda x: x.exp().log().sum(), x)


# --- errors


def test_an_op_that_is_not_in_the_table():
    x = random(3, grad=True)
    with pytest.raises(
        NotImplementedError, match=rf"^the op aten.erfinv at {HERE}:\d+ is not in the table of from_torch"
    ):
        from_torch(lambda x: x.erfinv(), x)


def test_an_op_can_be_added():
    inverse = tinygraph.op(
        "erfinv",
        lambda x: torch.tensor(x, dtype=torch.float64).erfinv().item(),
        partials=(lambda out, x: 0.886226925452758 * tinygraph.exp(out**2),),
    )
    root = from_torch(lambda x: x.erfinv().sum(), random(3), mapping={torch.ops.aten.erfinv: inverse})
    assert root.data == pytest.approx(random(3).erfinv().sum().item())


@pytest.mark.parametrize(
    ("layer", "match"),
    [
        (nn.Dropout(0.5), r"^the module 0 \(Dropout\) is in training mode, so its result is random: call .eval\(\)"),
        (
            nn.BatchNorm1d(3),
            r"^the module 0 \(BatchNorm1d\) is in training mode, so a call changes its running statistics",
        ),
    ],
)
def test_training_mode_is_refused_before_it_changes_the_model(layer, match):
    model = nn.Sequential(layer).double()
    before = {name: x.clone() for name, x in model.state_dict().items()}
    with pytest.raises(ValueError, match=match):
        from_torch(model, random(4, 3))
    assert all(x.equal(before[name]) for name, x in model.state_dict().items())
    assert not nn.modules.module._global_forward_pre_hooks


def test_random_ops_are_refused():
    with pytest.raises(ValueError, match="is random, so f has no fixed graph"):
        from_torch(lambda x: F.dropout(x, 0.5).sum() + torch.randn(3).sum(), random(3))


@pytest.mark.parametrize(
    ("f", "args", "error", "match"),
    [
        (3, (), TypeError, "f must be a function"),
        (lambda x: (x, x), (random(2),), TypeError, "f must return one tensor, not"),
        (lambda x: x > 0, (random(2),), TypeError, "f must return a tensor of floats, not of torch.bool"),
        (lambda x: x, (), TypeError, r"f cannot be called with 0 arguments .*tinygraph.testing.from_torch\(f\)"),
        (lambda x: x.abs(), (random(2) * 1j,), TypeError, "the argument x is complex"),
        (lambda x: torch.fft.fft(x).abs(), (random(2),), NotImplementedError, "gives complex numbers"),
        (lambda x: torch.ones(2), (random(2),), ValueError, "does not depend on the tensors"),
        (lambda x: x.add_(1.0), (random(2),), ValueError, "f changes x in place"),
    ],
)
def test_errors(f, args, error, match):
    with pytest.raises(error, match=match):
        from_torch(f, *args)


def test_other_functions_are_refused_in_the_mapping():
    with pytest.raises(
        TypeError, match=r"each key of mapping must be an op such as torch.ops.aten.erfinv, not 'exp' \(str\)"
    ):
        from_torch(lambda x: x, random(2), mapping={"exp": tinygraph.exp})


def test_nothing_stays_changed_after_an_import():
    f, args = PROGRAMS["attention"]()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        from_torch(f, *args)
    assert all(x.grad is None and x.grad_fn is None for x in args)
    assert torch.is_grad_enabled()
    assert not nn.modules.module._global_forward_pre_hooks
    assert not nn.modules.module._global_forward_hooks
