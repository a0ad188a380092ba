"""Import a two-layer network that is written in JAX, draw it, and step through its backward pass.

    python examples/jax_network.py [FOLDER]

The script needs JAX: pip install '.[cli,jax]'. It compares the gradients with those of jax.grad, prints one step of the
backward pass, and writes four diagrams: each op of the network, and one box per function, for light and for dark pages.
"""

from argparse import ArgumentParser, RawDescriptionHelpFormatter
from pathlib import Path

from tinygraph import Stepper, draw, explain, from_jax
from tinygraph.bridges import named_leaves
from tinygraph.drawing import EngineNotFoundError


def dense(layer, x):
    """Return a layer of a network: the inputs times the weights, plus the bias."""
    return x @ layer["w"] + layer["b"]


def loss(params, x, labels):
    """Return the mean cross-entropy of a network with one hidden layer."""
    import jax
    import jax.numpy as jnp

    h = jnp.tanh(dense(params["hidden"], x))
    logits = dense(params["out"], h)
    return -jnp.mean(jnp.sum(labels * jax.nn.log_softmax(logits), axis=-1))


def data():
    """Return parameters, two points, and their labels in one-hot encoding."""
    import jax.numpy as jnp

    params = {
        "hidden": {"w": jnp.array([[0.5, -1.0], [1.5, 0.25]]), "b": jnp.array([0.1, -0.2])},
        "out": {"w": jnp.array([[1.0, -0.5, 0.0], [-1.0, 0.5, 2.0]]), "b": jnp.zeros(3)},
    }
    return params, jnp.array([[1.0, 2.0], [-1.0, 0.5]]), jnp.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])


def graph(report=None):
    """Return the graph of the loss, after its backward pass. Only the parameters get gradients."""
    import jax

    with jax.enable_x64(True):
        L = from_jax(loss, *data(), argnums=0, report=report)
    L.name = "L"
    L.backward()
    return L


def parameters(root):
    """Return the leaves of a graph that get gradients."""
    return [leaf for leaf in named_leaves(root).values() if not leaf.constant]


def main(folder: Path) -> None:
    """Import, check, explain and draw the network."""
    folder.mkdir(parents=True, exist_ok=True)
    L = graph(report=print)
    print(f"leaves with a gradient: {', '.join([leaf.name for leaf in parameters(L)])}\n")
    print(f"{explain(L, named_leaves(L)['params.out.b'])}\n")
    print(f"{Stepper(L).run_until('h')}\n")
    for detail, what in (("auto", "ops"), ("scopes", "functions")):
        for theme in ("light", "dark"):
            picture = draw(L, parameters=parameters(L), theme=theme, detail=detail, title="a network written in JAX")
            try:
                path = picture.save(folder / f"{what}-{theme}.svg")
            except EngineNotFoundError:
                path = picture.save(folder / f"{what}-{theme}.dot")
            print(f"wrote {path.name}: {picture}")


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__, formatter_class=RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=".", help="where to write the files (default: here)")
    main(parser.parse_args().folder)
