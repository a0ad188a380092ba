"""The ops as other libraries define them, as independent references."""


def torch_rows(torch):
    """Return the public ops that PyTorch has, as PyTorch functions."""
    F = torch.nn.functional
    same = """exp expm1 log log1p sqrt sin cos tan asin acos atan sinh cosh tanh sigmoid relu abs sign logaddexp
              maximum minimum"""
    table = {name: getattr(torch, name) for name in same.split()}
    return table | {
        "add": lambda x, y: x + y,
        "sub": lambda x, y: x - y,
        "mul": lambda x, y: x * y,
        "div": lambda x, y: x / y,
        "pow": lambda x, y: x**y,
        "neg": lambda x: -x,
        "softplus": lambda x: F.softplus(x, threshold=1000),
        "log_sigmoid": F.logsigmoid,
        "squared_error": lambda a, y: 0.5 * (a - y) ** 2,
        "total": lambda *xs: sum(xs),
        "dot": lambda *xs: sum(x * y for x, y in zip(xs[: len(xs) // 2], xs[len(xs) // 2 :], strict=True)),
    }
