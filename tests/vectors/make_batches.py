"""Writes batches.txt: losses that couple rows or move mass, of several vocabularies, and of single tokens.

    python make_batches.py          (any virtual environment with torch)
"""

import torch
import torch.nn.functional as F
from response_case import Family, at_label, kl, run
from torch_case import logits
from vector_file import float32

family = Family("batches", "make_batches.py")
TENTH = float32(0.1)
SCALED, UNSCALED = {"scale_by_temperature_squared": True}, {"scale_by_temperature_squared": False}


def coupled(loss, formula, options, *, temperature, **more):
    """Plain, with weights and an ignored row, and with a class that both sides mask."""
    for name, shape in {
        "plain": {"rows": 4, "columns": 5},
        "more_rows": {"rows": 7, "columns": 3},
        "rows": {"rows": 5, "columns": 4, "ignored": (1,), "weighted": True},
        "masked": {"rows": 3, "columns": 6, "masked": (2,)},
    }.items():
        run(family, loss, name, formula, temperature=temperature, options=options, coupled=True, by_temperature=False, **shape, **more)


def counting(b):
    """The rows that count and their shares; q and p of them."""
    kept = b.share > 0
    return b.share[kept], b.q[kept], b.p[kept]


def correlation(x, y, weight, dim):
    x, y = (v - (weight * v).sum(dim=dim, keepdim=True) for v in (x, y))
    over = lambda v: (weight * v).sum(dim=dim)  # noqa: E731
    return over(x * y) / (over(x * x) * over(y * y)).sqrt()


def prediction_correlation(b):
    s, q, p = counting(b)
    of_rows = (s * (1 - correlation(q, p, torch.full_like(q, 1 / q.shape[1]), 1))).sum()
    columns = 1 - correlation(q, p, s.reshape(-1, 1), 0)
    factor = b.T.square().sum() if b.scale_by_temperature_squared else 1.0
    return factor * (b.row_weight * of_rows + b.column_weight * columns.mean())


for name, shape in {"plain": (4, 5, (), False), "rows": (6, 4, (1,), True)}.items():
    rows, columns, ignored, weighted = shape
    run(family, "prediction_correlation", name, prediction_correlation, rows=rows, columns=columns, ignored=ignored, weighted=weighted,
        temperature=4.0, coupled=True, by_temperature=False,
        options={"row_weight": 1.0, "column_weight": 2.0, "norm_floor": 0.0, **SCALED})  # fmt: skip


def dist(b):
    """The authors' code: cosine similarity of centred rows, 1e-8 added to the product of norms, and the same of the transposes."""

    def pearson(x, y):
        x, y = x - x.mean(dim=1, keepdim=True), y - y.mean(dim=1, keepdim=True)
        return (x * y).sum(dim=1) / (x.norm(dim=1) * y.norm(dim=1) + b.norm_floor)

    q, p = b.q, b.p
    inter = 1 - pearson(q, p).mean()
    intra = 1 - pearson(q.T, p.T).mean()
    return b.T.square().sum() * (b.row_weight * inter + b.column_weight * intra)


run(family, "prediction_correlation", "authors", dist, rows=6, columns=5, temperature=4.0, coupled=True, by_temperature=False,
    options={"row_weight": 1.0, "column_weight": 1.0, "norm_floor": float32(1e-8), **SCALED})  # fmt: skip
run(family, "prediction_correlation", "floor", dist, rows=6, columns=5, temperature=1.0, coupled=True, by_temperature=False,
    options={"row_weight": 1.0, "column_weight": 1.0, "norm_floor": 0.125, **SCALED})  # fmt: skip


def gram(loss, measure):
    def formula(b):
        w = b.total * b.share
        return measure(w, b.q, b.p, b.all_classes)

    for name, rows, columns, ignored, weighted, masked in [("plain", 4, 5, (), False, ()), ("more_rows", 7, 3, (), False, ()),
                                                          ("rows", 5, 4, (1,), True, ()), ("masked", 3, 6, (), False, (2,))]:  # fmt: skip
        total = float(rows - len(ignored))
        if weighted:
            weights = logits(f"{loss} {name} weights", rows, 1, 1.0).abs().reshape(-1) + 0.25
            weights[-1] = 0
            weights[list(ignored)] = 0
            total = weights.sum().item()
        run(family, loss, name, formula, rows=rows, columns=columns, ignored=ignored, weighted=weighted, masked=masked, temperature=2.0,
            coupled=True, by_temperature=False, options={"all_classes": columns, "total": total})  # fmt: skip


def class_term(w, q, p, classes):
    return (q.T @ (w.reshape(-1, 1) * q) - p.T @ (w.reshape(-1, 1) * p)).square().sum() / classes


def batch_term(w, q, p, classes):
    return (w.reshape(-1, 1) * w * (q @ q.T - p @ p.T).square()).sum() / w.sum()


gram("class_correlation", class_term)
gram("batch_correlation", batch_term)


def multi_level(b):
    """One view of KD_ours: sums over its temperatures."""
    result = 0
    for T in 2.0, 3.0, 4.0, 5.0, 6.0:
        q, p = F.softmax(b.z / T, dim=1), F.softmax(b.t / T, dim=1)
        sample = F.kl_div(F.log_softmax(b.z / T, dim=1), p, reduction="none").sum(dim=1).mean() * T**2
        rows, classes = q.shape
        of_classes = (p.T @ p - q.T @ q).square().sum() / classes
        result = result + b.sample_weight * sample + b.class_weight * of_classes
        result = result + b.batch_weight * (p @ p.T - q @ q.T).square().sum() / rows
    return result


for name, rows, columns in [("plain", 4, 6), ("more_rows", 6, 3)]:
    run(family, "multi_level_logits", name, multi_level, rows=rows, columns=columns, temperature=None, coupled=True,
        options={"sample_weight": 1.0, "class_weight": 0.5, "batch_weight": 2.0})  # fmt: skip


# transport: plans by Sinkhorn's iterations, in logarithms
def sinkhorn_cost(cost, a, c, epsilon, iterations, start=None):
    """The cost of the plan with masses a of rows and c of columns; the last iteration ends with the rows."""
    kernel = torch.exp(-cost / epsilon)
    u = a if start is None else start
    v = None
    for _ in range(iterations):
        v = c / (kernel.T @ u)
        u = a / (kernel @ v)
    return (u.reshape(-1, 1) * kernel * v * cost).sum()


def sinkhorn(b):
    """Rows of the plan are the teacher's here, which are fitted last."""
    s, q, p = counting(b)
    cost = (p[:, None, :] - q[None, :, :]).abs().sum(dim=2)
    factor = b.T.square().sum() if b.scale_by_temperature_squared else 1.0
    return factor * sinkhorn_cost(cost, s, s, b.epsilon, b.iterations)


coupled("sinkhorn", sinkhorn, {"epsilon": 0.25, "iterations": 5, **UNSCALED}, temperature=2.0)


def sinkd(b):
    """The authors' code: rows, then columns of exp(-cost / epsilon) are normalised in turn, to a plan of mass B."""
    q, p = b.q, b.p
    cost = torch.cdist(q, p, p=1)
    plan = torch.exp(-cost / b.epsilon)
    for _ in range(b.iterations):
        plan = plan / plan.sum(dim=1, keepdim=True)
        plan = plan / plan.sum(dim=0, keepdim=True)
    return (plan * cost).sum() / len(q)


run(family, "sinkhorn", "authors", sinkd, rows=5, columns=4, temperature=2.0, coupled=True, by_temperature=False,
    options={"epsilon": TENTH, "iterations": 20, **UNSCALED})  # fmt: skip


def cost_between(classes):
    """Not symmetric, as the test has it."""
    return torch.tensor([[0.0 if i == j else 0.25 + 0.125 * ((5 * i + 3 * j) % 11) for j in range(classes)] for i in range(classes)])


def wasserstein(b, starts_equal=False):
    cost = cost_between(b.z.shape[1])
    values = []
    for r in range(len(b.z)):
        T = b.T[r] if len(b.T) > 1 else b.T[0]
        z, t, here = b.z[r], b.t[r], cost
        if b.labelled:
            others = [c for c in range(len(z)) if c != b.y[r]]
            z, t, here = z[others], t[others], cost[others][:, others]
        q, p = F.softmax(z / T, dim=0), F.softmax(t / T, dim=0)
        start = torch.full_like(q, 1 / len(q)) if starts_equal else None
        value = b.transport_weight * sinkhorn_cost(here, q, p, b.epsilon, b.iterations, start=start)
        if b.labelled:
            value = value - b.target_weight * F.softmax(b.t[r], dim=0)[b.y[r]] * F.log_softmax(b.z[r], dim=0)[b.y[r]]
        values.append(value)
    return torch.stack(values)


WASSERSTEIN = {"epsilon": 0.25, "iterations": 4, "transport_weight": 2.0, "target_weight": 0.5}
run(family, "wasserstein_logits", "plain", wasserstein, rows=2, columns=6, temperature=2.0, by_temperature=False,
    options={**WASSERSTEIN, "labelled": False})  # fmt: skip
run(family, "wasserstein_logits", "labels", wasserstein, rows=4, columns=5, temperature=[1.0, 2.0, 4.0, 8.0], labelled=True, ignored=(0,),
    weighted=True, by_temperature=False, options={**WASSERSTEIN, "labelled": True})  # fmt: skip
# from equal scalings, as the authors' code begins: converged, it is the same
run(family, "wasserstein_logits", "authors", lambda b: wasserstein(b, True), rows=3, columns=5, temperature=2.0, labelled=True,
    by_temperature=False, options={**WASSERSTEIN, "iterations": 200, "labelled": True})  # fmt: skip

run(family, "entropic_transport", "plain", lambda b: sinkhorn_cost(b.z, torch.full((4,), 0.25), torch.full((6,), 1 / 6), b.epsilon, b.iterations),
    rows=4, columns=6, temperature=None, coupled=True, scale=0.5, options={"epsilon": 0.25, "iterations": 7})  # fmt: skip


# vocabularies that have nothing to do with each other
def universal_logits(b):
    q, p = b.q.sort(dim=1, descending=True).values, b.p.sort(dim=1, descending=True).values
    width = max(q.shape[1], p.shape[1])
    q, p = F.pad(q, (0, width - q.shape[1])), F.pad(p, (0, width - p.shape[1]))
    return b.factor * (q - p).abs().sum(dim=1)


for name, columns, teacher_columns in [("equal", 6, 6), ("wider_teacher", 4, 7), ("wider_student", 7, 4)]:
    run(family, "universal_logits", name, universal_logits, rows=3, columns=columns, teacher_columns=teacher_columns, temperature=2.0,
        ignored=(1,), by_temperature=False, options=UNSCALED)  # fmt: skip
run(family, "universal_logits", "rows", universal_logits, rows=4, columns=5, teacher_columns=6, temperature=[0.5, 1.0, 2.0, 4.0],
    weighted=True, by_temperature=False, options=SCALED)  # fmt: skip
run(family, "universal_logits", "masked", universal_logits, rows=2, columns=5, temperature=1.0, student_masked=(0,), teacher_masked=(3,),
    by_temperature=False, options=UNSCALED)  # fmt: skip

PROJECTION = torch.tensor([[0.5, 0.5, 0.0, 0.0, 0.0, 0.0], [0.0, 0.25, 0.0, 0.75, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0, 0.0, 0.0],
                           [0.0, 0.0, 0.125, 0.0, 0.875, 0.0], [0.0, 0.0, 0.0, 1.0, 0.0, 0.0]])  # fmt: skip


def projected_kl(b):
    """The last class of the teacher is reached from nowhere, and left out."""
    projected = b.q @ PROJECTION
    reached = PROJECTION.sum(dim=0) > 0
    p = F.softmax(b.t[:, reached] / b.T, dim=1)
    return b.factor * kl(p, projected[:, reached])


run(family, "projected_kl", "plain", projected_kl, teacher_columns=6, temperature=2.0, by_temperature=False, options=SCALED,
    inputs={"projection": PROJECTION})  # fmt: skip
run(family, "projected_kl", "rows", projected_kl, rows=4, teacher_columns=6, temperature=[0.5, 1.0, 2.0, 4.0], ignored=(1,), weighted=True,
    by_temperature=False, options=UNSCALED, inputs={"projection": PROJECTION})  # fmt: skip


# one sampled token a row: Schulman's estimators as verl and TRL write them, differentiated with the token held fixed
def sampled_kl(b):
    log_q, log_p = (at_label(F.log_softmax(x / b.T, dim=1), b.y) for x in (b.z, b.t))
    r = log_p - log_q
    if b.estimator == "clipped_k3":
        r = r.clamp(min=-20, max=20)
    return {"k1": lambda: -r, "k2": lambda: 0.5 * r.square(), "k3": lambda: r.exp() - r - 1, "absolute": lambda: r.abs(),
            "clipped_k3": lambda: (r.exp() - r - 1).clamp(min=-10, max=b.limit),
            "policy_gradient": lambda: -(b.advantage_coefficient * r).detach() * log_q}[b.estimator]()  # fmt: skip


for estimator in "k1", "k2", "k3", "clipped_k3", "absolute", "policy_gradient":
    run(family, "sampled_kl", estimator, sampled_kl, rows=5, columns=6, temperature=2.0, labelled=True, ignored=(2,), weighted=True,
        by_temperature=False, options={"estimator": estimator, "limit": 0.5, "advantage_coefficient": 1.5})  # fmt: skip

family.write()
