"""PyTorch programs of many kinds. Each function returns a function or a module, and its arguments."""

import torch
from torch import nn

F = nn.functional


def random(*shape, grad=False, seed=0, low=-1.0, high=1.0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(shape, generator=generator, dtype=torch.float64) * (high - low) + low
    return x.requires_grad_(grad)


def seeded(module):
    """Return a module in float64 and in evaluation mode, whose parameters do not depend on the global seed."""
    generator = torch.Generator().manual_seed(1)
    module = module.double().eval()
    with torch.no_grad():
        for x in (*module.parameters(), *module.buffers()):
            if x.is_floating_point():
                x.copy_(torch.rand(x.shape, generator=generator, dtype=torch.float64) * 0.8 + 0.1)
                x -= 0.5 * (x.ndim > 1)
    return module


PROGRAMS = {}


def program(function):
    PROGRAMS[function.__name__] = function
    return function


# --- losses


@program
def logistic_regression():
    model = seeded(nn.Linear(2, 1))
    labels = torch.tensor([0.0, 1.0, 1.0, 0.0], dtype=torch.float64)
    return lambda x, y: F.binary_cross_entropy_with_logits(model(x)[:, 0], y), (random(4, 2), labels)


@program
def losses_of_regression():
    def f(x, y):
        return F.mse_loss(x, y) + F.l1_loss(x, y) + F.smooth_l1_loss(x, y, beta=0.5) + F.huber_loss(x, y, delta=0.3)

    return f, (random(3, 2, grad=True), random(3, 2, seed=1))


@program
def cross_entropy_with_weights():
    weight, target = torch.tensor([1.0, 2.0, 0.5], dtype=torch.float64), torch.tensor([0, 2, -100, 1])
    return lambda x: F.cross_entropy(x, target, weight) + F.cross_entropy(x, target), (random(4, 3),)


@program
def cross_entropy_of_probabilities():
    def f(x, p):
        return F.cross_entropy(x, p.softmax(1), label_smoothing=0.1) + F.kl_div(
            x.log_softmax(1), p.softmax(1), reduction="sum"
        )

    return f, (random(2, 3, grad=True), random(2, 3, seed=1, grad=True))


@program
def losses_of_classification():
    def f(x, y):
        p = torch.sigmoid(x)
        return (
            F.binary_cross_entropy(p, y)
            + F.soft_margin_loss(x, 2 * y - 1)
            + F.binary_cross_entropy_with_logits(x, y, pos_weight=torch.tensor(3.0, dtype=torch.float64))
            + F.hinge_embedding_loss(x, 2 * y - 1)
            + F.cosine_embedding_loss(x[None], y[None], torch.ones(1))
        )

    return f, (random(4, grad=True), torch.tensor([0.0, 1.0, 1.0, 0.0], dtype=torch.float64))


# --- activations


@program
def smooth_activations():
    def f(x):
        return torch.stack(
            [
                x.tanh(), x.sigmoid(), F.softplus(x, beta=2.0), F.silu(x), F.gelu(x), F.gelu(x, approximate="tanh"),
                F.mish(x), F.logsigmoid(x), F.softsign(x), F.tanhshrink(x), x.erf(), x.atan(), x.sinh(), x.expm1(),
            ]
        )  # fmt: skip

    return f, (random(5, low=-3.0, high=3.0),)


@program
def activations_with_kinks():
    slope = torch.tensor([0.3], dtype=torch.float64, requires_grad=True)

    def f(x):
        return (
            F.relu(x) + 2 * F.leaky_relu(x, 0.1) + 3 * F.elu(x, 0.7) + 4 * F.selu(x) + 5 * F.celu(x, 0.5)
            + 6 * F.hardtanh(x) + 7 * F.hardswish(x) + 8 * F.hardsigmoid(x) + 9 * F.relu6(x) + 10 * F.prelu(x, slope)
            + 11 * F.threshold(x, 0.2, -1.0) + 12 * F.hardshrink(x) + 13 * F.softshrink(x)
        )  # fmt: skip

    return f, (random(8, low=-4.0, high=4.0, grad=True),)


@program
def bounds_at_their_ties():
    def f(x):
        return x.clamp(0, 1) * 2 + x.clamp(min=0) * 3 + F.relu6(x) * 5 + F.hardtanh(x) * 7 + torch.maximum(x, -x)

    return f, (torch.tensor([-1.0, 0.0, 0.5, 1.0, 6.0, 7.0], dtype=torch.float64),)


# --- modules


class Tree(nn.Module):
    """A tree of modules, with a shared parameter, a list of layers, and a buffer."""

    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(3, 3) for _ in range(2)])
        self.out = nn.Sequential(nn.Linear(3, 2), nn.Tanh())
        self.scale = nn.Parameter(torch.tensor(2.0))
        self.register_buffer("shift", torch.tensor([0.1, 0.2, 0.3]))
        self.tied = self.layers[0]

    def forward(self, x):
        for layer in self.layers:
            x = F.relu(layer(x)) * self.scale + self.shift
        return self.out(self.tied(x)).sum()


@program
def tree_of_modules():
    return seeded(Tree()), (random(4, 3),)


@program
def mlp():
    model = seeded(nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 1)))
    return lambda x, y: F.mse_loss(model(x), y), (random(5, 2), random(5, 1, seed=1))


@program
def frozen_layers():
    encoder, head = seeded(nn.Linear(3, 2)), seeded(nn.Linear(2, 1))
    for parameter in encoder.parameters():
        parameter.requires_grad_(False)
    return lambda x: head(encoder(x).relu()).mean(), (random(4, 3),)


@program
def lenet():
    model = nn.Sequential(
        nn.Conv2d(1, 2, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(2, 3, 5), nn.ReLU(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(75, 10),
    )  # fmt: skip
    model = seeded(model)
    return lambda x, y: F.cross_entropy(model(x), y), (random(1, 1, 28, 28), torch.tensor([3]))


@program
def convolutions():
    model = seeded(
        nn.Sequential(
            nn.Conv1d(2, 4, 3, stride=2, padding=1, groups=2), nn.SiLU(),
            nn.ConvTranspose1d(4, 2, 4, stride=2, padding=1),
            nn.Conv1d(2, 2, 2, dilation=2, bias=False),
        )
    )  # fmt: skip
    return model, (random(2, 2, 9, grad=True),)


@program
def transposed_convolutions():
    model = seeded(
        nn.Sequential(
            nn.ConvTranspose2d(2, 4, 3, stride=(2, 1), padding=1, output_padding=(1, 0), groups=2, dilation=(1, 2)),
            nn.Conv2d(4, 2, (2, 3), padding_mode="circular", padding=(1, 0)),
        )
    )
    return model, (random(2, 2, 3, 4, grad=True),)


@program
def pooling():
    def f(x):
        return (
            F.max_pool2d(x, 3, stride=2, padding=1).sum()
            + F.avg_pool2d(x, 2, stride=1, padding=1, count_include_pad=False).square().sum()
            + F.avg_pool2d(x, (3, 2), ceil_mode=True).square().sum()
            + F.adaptive_avg_pool2d(x, (3, 2)).square().sum()
            + F.adaptive_avg_pool2d(x, 1).square().sum()
            + F.adaptive_max_pool2d(x[..., :4, :4], 2).sum()
            + F.max_pool2d(x, 2, ceil_mode=True, dilation=2).square().sum()
            + F.max_pool1d(x[0, 0], 2).square().sum()
            + F.avg_pool1d(x[0], 3).square().sum()
            + F.lp_pool2d(x + 2.0, 2.0, 2).sum()
        )

    return f, (random(2, 2, 5, 7),)


@program
def max_pooling_with_ties():
    return lambda x: F.max_pool2d(x, 2).square().sum() + x.max(dim=-1).values.sum() + x.amax(-1).sum(), (
        torch.tensor([[[1.0, 1.0, 2.0, 0.0], [1.0, 0.0, 2.0, 2.0]]], dtype=torch.float64),
    )


@program
def normalizations():
    model = seeded(
        nn.Sequential(
            nn.Conv2d(2, 4, 1), nn.BatchNorm2d(4), nn.Tanh(), nn.GroupNorm(2, 4), nn.Tanh(), nn.Dropout(0.5),
            nn.InstanceNorm2d(4, affine=True), nn.Tanh(), nn.LayerNorm([3, 3]), nn.Tanh(),
            nn.BatchNorm2d(4, track_running_stats=False),
        )
    )  # fmt: skip
    return lambda x: model(x).sin().sum() + F.normalize(x, dim=1).sum(), (random(2, 2, 3, 3),)


@program
def embedding_with_padding():
    model = nn.Embedding(6, 3, padding_idx=0)
    model, tokens = seeded(model), torch.tensor([[1, 0, 2], [5, 1, 0]])
    return lambda: F.layer_norm(model(tokens), (3,)).square().mean() + model(tokens).sum(), ()


@program
def attention():
    def f(q, k, v):
        causal = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        mask = torch.tensor([[True, True, False], [True, False, True], [True, True, True]])
        return causal.square().sum() + F.scaled_dot_product_attention(q, k, v, attn_mask=mask).sum()

    return f, tuple([random(2, 3, 4, seed=i, grad=True) for i in range(3)])


@program
def multi_head_attention():
    model = seeded(nn.MultiheadAttention(4, 2, batch_first=True))
    return lambda x: model(x, x, x)[0].square().sum(), (random(2, 3, 4),)


@program
def transformer():
    layer = nn.TransformerEncoderLayer(8, 4, 16, dropout=0.1, batch_first=True, activation="gelu")
    model = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    return seeded(model), (random(1, 8, 8),)


@program
def recurrent_networks():
    lstm, gru, rnn = nn.LSTM(2, 3, 2, batch_first=True), nn.GRU(3, 3), nn.RNN(3, 2)
    model = seeded(nn.ModuleList([lstm, gru, rnn]))

    def f(x):
        y, _ = model[0](x)
        y, _ = model[1](y)
        return model[2](y)[0].square().sum()

    return f, (random(2, 3, 2),)


@program
def vision_transformer_patches():
    model = seeded(nn.Linear(8, 4))

    def f(image):
        patches = image.unfold(1, 2, 2).unfold(2, 2, 2).permute(1, 2, 0, 3, 4).reshape(4, -1)
        return F.pixel_shuffle(model(patches).reshape(1, 4, 2, 2), 2).square().mean()

    return f, (random(2, 4, 4, grad=True),)


# --- changes in place, views and indexing


@program
def changes_in_place():
    def f(x, w):
        y = x * w
        y[0] += 1.0
        y[:, 1] *= 2.0
        y.clamp_(min=-0.5)
        y[y > 0.4] = 0.0
        z = torch.zeros(2, 3, dtype=torch.float64)
        z[:, :2] = y[:2, :2]
        z.view(-1)[5] = w[0]
        y.diagonal().mul_(3.0)
        z.mul_(2.0)
        F.relu(z, inplace=True)
        return (y.sum().exp() + z.sum()).sqrt_()

    return f, (random(3, 3, grad=True), random(3, seed=1, grad=True))


@program
def views():
    def f(x):
        y = x.view(3, 4).t().reshape(2, 6).unsqueeze(1).expand(2, 3, 6).transpose(0, 2).contiguous()
        z = y.flatten(1).squeeze().repeat(1, 2).roll(1, 0).flip(1).unflatten(1, (3, 4))
        return z.movedim(0, -1)[..., 1:].chunk(2, dim=0)[0] * torch.arange(1.0, 6.0, dtype=torch.float64)

    return f, (random(12),)


@program
def indexing():
    def f(x):
        i, j = torch.tensor([0, 2, 2]), torch.tensor([1, 1, 0])
        return (
            x[i, j].sum() + (x[::2, -1] * x[1, None, :2]).sum() + x.index_select(0, i).square().sum()
            + x.gather(1, torch.tensor([[0, 0], [2, 1], [1, 1]])).cos().sum() + x.take(torch.tensor([0, 8])).prod()
            + x.index_add(0, i, x[:, :].sin()).square().sum() + x.scatter(1, j[:, None], 0.5).square().sum()
            + torch.zeros(3, 3, dtype=torch.float64).scatter_add(0, i[None, :], x[:1]).square().sum()
            + x.masked_fill(x > 0, 2.0).exp().sum() + x.tril().square().sum() + x.diagonal(1).sum() + x.trace()
            + torch.where(x > 0.1, x.square(), x).sum() + x.index_put((i,), x[0], accumulate=True).square().sum()
            + x.narrow(0, 1, 2).unbind(1)[0].sum() + x.split([1, 2])[1].square().sum()
            + x.take_along_dim(j[:, None]).sum()
        )  # fmt: skip

    return f, (random(3, 3),)


@program
def sorted_elements():
    def f(x):
        values, places = x.sort(dim=1, descending=True)
        top, _ = x.topk(2, dim=0)
        return (
            (values * torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)).sum()
            + x.gather(1, places)[:, 0].prod()
            + (top.square().sum() + x.min(0).values.exp().sum() + x.max() * x.min() + x.median(1).values.sum())
        )

    return f, (random(4, 3),)


# --- the rest


@program
def arithmetic():
    def f(x, y):
        return (
            x**3 - 2 / y + 3 - x * y + (x / y).exp() - y.log() + y.rsqrt() + y**x + 2.0**x + torch.atan2(x, y)
            + torch.hypot(x, y) + torch.logaddexp(x, y) + y.log2() + y.log10() + y.log1p() + y.lgamma() + y.reciprocal()
            + torch.lerp(x, y, 0.3) + torch.addcmul(x, x, y, value=0.5) + torch.addcdiv(x, x, y)
            + torch.remainder(y, 0.7)
            + x.abs() + x.sign() + y.floor() + (x * 0.9).asin() + (x * 0.9).acos() + x.tan() + x.cosh() + x.asinh()
            + (y + 1).acosh() + (x * 0.9).atanh() + x.fmod(0.3) + torch.xlogy(y, y) + x.sin() * x.cos() - x.neg()
            + torch.float_power(y, 1.5) + torch.rsub(x, y, alpha=2) + y.digamma() + x.erfc() + torch.special.entr(y)
        )  # fmt: skip

    return f, (random(4, grad=True), random(4, seed=1, low=0.5, high=2.0, grad=True))


@program
def reductions():
    def f(x):
        return (
            x.sum(0) * x.mean(0) + x.prod(0) + x.var(0) + x.std(0, unbiased=False) + x.norm(dim=0) + x.logsumexp(0)
            + x.amax(0) - x.amin(0) + x.cumsum(0)[1] + x.cumprod(0)[-1] + x.norm(1, dim=0) + x.softmax(0)[0]
            + torch.var_mean(x, 0)[1] + x.norm() + x.sum() + x.max(0).values + x.log_softmax(1)[0]
        )  # fmt: skip

    return f, (random(3, 4),)


@program
def products_of_matrices():
    def f(a, b, v):
        return (
            (a @ b).sum() + torch.einsum("ij,jk,k->i", a, b, b[0]).square().sum() + torch.bmm(a[None], b[None]).sum()
            + torch.baddbmm(a[None], a[None], b[None], beta=0.5, alpha=2).square().sum() + (a @ v).square().sum()
            + v.dot(v) + torch.outer(v, v).sum() + torch.addmm(a, a, b).square().sum() + torch.linalg.det(a)
            + torch.linalg.inv(a + 3 * torch.eye(3, dtype=torch.float64)).square().sum() + torch.cdist(a, b).sum()
            + torch.tensordot(a, b, 1).sum()
            + F.bilinear(a, b, a.reshape(1, 3, 3)).sum() + F.cosine_similarity(a, b).sum()
        )  # fmt: skip

    return f, (random(3, 3, grad=True), random(3, 3, seed=1, grad=True), random(3, seed=2, grad=True))


class Cube(torch.autograd.Function):
    """A custom function with a correct backward pass, in the older style."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x * x

    @staticmethod
    def backward(ctx, gradient):
        (x,) = ctx.saved_tensors
        return 3.0 * x**2 * gradient


class Scaled(torch.autograd.Function):
    """A custom function in the newer style."""

    @staticmethod
    def forward(x, factor):
        return x * factor

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.factor = inputs[1]

    @staticmethod
    def backward(ctx, gradient):
        return gradient * ctx.factor, None


@program
def custom_functions():
    return lambda x: Scaled.apply(Cube.apply(x).sin(), 3.0).sum(), (random(3),)


@program
def cut_gradients():
    def f(x):
        shifted = x - x.detach().max()
        with torch.no_grad():
            scale = (x.square() + 1.0).sqrt() * 2
        return (shifted.exp() * scale + scale.detach() * x).sum()

    return f, (random(4),)


@program
def nested_arguments():
    def f(batch, weights):
        return (batch["x"] @ weights[0] + weights[1]).square().mean() * batch["factor"]

    return f, ({"x": random(3, 2), "factor": 2.0}, [random(2, 1, grad=True), random(1, seed=1, grad=True)])


@program
def images():
    def f(x):
        up = F.interpolate(x, scale_factor=2, mode="nearest")
        return (
            (F.pad(up, (1, 1, 1, 1), mode="reflect") * 2 - 1).square().mean()
            + F.pad(x, (0, -1, 1, 0)).sum()
            + (F.pad(x, (1, 1, 1, 1), mode="replicate").square().sum() + F.unfold(x, 2).square().sum())
        )

    return f, (random(1, 2, 3, 3),)
