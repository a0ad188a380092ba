"""Losses, activations and norms of torch.nn.functional, with inputs. The module needs PyTorch."""

from functools import partial

import numpy as np
import torch
from torch.nn import functional

random = np.random.default_rng(0)
X, Y, Z = (random.normal(size=(3, 4)) + 0.05 for _ in range(3))
P, Q = (random.uniform(0.05, 0.95, size=(3, 4)) for _ in range(2))
KINKS = np.array([[0.0, 1.0, -1.0, 0.5], [-0.5, 3.0, -3.0, 6.0], [0.0, 0.0, 2.0, 20.0]])  # also ties

LABELS, SETS = torch.tensor([0, 3, 1]), torch.tensor([[0, 2, -1, -1], [1, -1, -1, -1], [3, 0, 1, -1]])
SIGNS, ONES = torch.tensor(np.sign(Y)), torch.tensor([1.0, -1.0, 1.0], dtype=torch.float64)
LAST = {"dim": -1}
OPTIONS = {
    "softmax": LAST, "log_softmax": LAST, "softmin": LAST, "normalize": LAST, "glu": LAST,
    "threshold": {"threshold": 0.1, "value": 20.0}, "rrelu": {"training": False}, "group_norm": {"num_groups": 2},
    "layer_norm": {"normalized_shape": (4,)}, "rms_norm": {"normalized_shape": (4,)},
}  # fmt: skip
ACTIVATIONS = (
    "celu", "elu", "gelu", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "leaky_relu", "logsigmoid", "mish",
    "relu", "relu6", "selu", "sigmoid", "silu", "softplus", "softshrink", "softsign", "tanh", "tanhshrink", *OPTIONS,
)  # fmt: skip
LOSSES = (
    "mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "cosine_similarity", "poisson_nll_loss", "pairwise_distance",
)  # fmt: skip

# The functions of one array and of two arrays, which are also called at kinks.
OF_ONE = {name: partial(getattr(functional, name), **OPTIONS.get(name, {})) for name in ACTIVATIONS}
OF_TWO = {name: getattr(functional, name) for name in LOSSES}


def batch_norm(x, weight, bias):
    return functional.batch_norm(x, None, None, weight, bias, training=True)


def ctc_loss(x):
    return functional.ctc_loss(functional.log_softmax(x, -1), torch.tensor([[1, 2]]), (6,), (2,))


CALLS = {
    **{name: (f, X) for name, f in OF_ONE.items()},
    **{name: (f, X, Y) for name, f in OF_TWO.items()},
    "gelu with tanh": (partial(functional.gelu, approximate="tanh"), X),
    "prelu": (functional.prelu, X, np.array([0.1, 0.2, 0.3, 0.4])),
    "bilinear": (functional.bilinear, X, Y, random.normal(size=(2, 4, 4))),
    "batch_norm": (batch_norm, X, Y[0], Z[0]),
    "instance_norm": (functional.instance_norm, random.normal(size=(2, 3, 4))),
    "local_response_norm": (partial(functional.local_response_norm, size=2), random.normal(size=(2, 3, 2))),
    "scaled_dot_product_attention": (functional.scaled_dot_product_attention, X, Y, Z),
    "binary_cross_entropy": (functional.binary_cross_entropy, P, Q),
    "binary_cross_entropy_with_logits": (functional.binary_cross_entropy_with_logits, X, P),
    "cross_entropy": (lambda x: functional.cross_entropy(x, LABELS), X),
    "cross_entropy with smoothing": (lambda x: functional.cross_entropy(x, LABELS, label_smoothing=0.1), X),
    "cross_entropy of probabilities": (functional.cross_entropy, X, P),
    "nll_loss": (lambda x: functional.nll_loss(x, LABELS), X),
    "kl_div": (partial(functional.kl_div, reduction="batchmean"), X, P),
    "kl_div of logarithms": (partial(functional.kl_div, reduction="sum", log_target=True), X, Y),
    "gaussian_nll_loss": (functional.gaussian_nll_loss, X, Y, P),
    "hinge_embedding_loss": (lambda x: functional.hinge_embedding_loss(x, SIGNS), X),
    "soft_margin_loss": (lambda x: functional.soft_margin_loss(x, SIGNS), X),
    "multilabel_soft_margin_loss": (lambda x: functional.multilabel_soft_margin_loss(x, (SIGNS > 0).double()), X),
    "multilabel_margin_loss": (lambda x: functional.multilabel_margin_loss(x, SETS), X),
    "multi_margin_loss": (lambda x: functional.multi_margin_loss(x, LABELS), X),
    "cosine_embedding_loss": (lambda x, y: functional.cosine_embedding_loss(x, y, ONES), X, Y),
    "margin_ranking_loss": (lambda x, y: functional.margin_ranking_loss(x, y, SIGNS), X, Y),
    "triplet_margin_loss": (functional.triplet_margin_loss, X, Y, Z),
    "triplet_margin_with_distance_loss": (functional.triplet_margin_with_distance_loss, X, Y, Z),
    "ctc_loss": (ctc_loss, random.normal(size=(6, 1, 4))),
}
NOT_TWICE = {"hardsigmoid", "multilabel_margin_loss", "multi_margin_loss", "ctc_loss"}  # by PyTorch
