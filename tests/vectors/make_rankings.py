"""Writes rankings.txt: losses of the order of candidates, from the papers and the public code.

    python make_rankings.py         (any virtual environment with torch)
"""

import math

import torch
import torch.nn.functional as F
from response_case import Family, run
from torch_case import logits

family = Family("rankings", "make_rankings.py")


def scores(b):
    """Student's and teacher's of the candidates of each row: all columns, or those of `ids`."""
    return (b.z.gather(1, b.ids), b.candidates) if "ids" in b.options else (b.z, b.t)


def temperature(b):
    return b.T if b.T is not None else torch.ones(1, 1)


def margin_mse(b):
    """sentence-transformers' MarginMSELoss over several negatives: MSELoss of margins."""
    rows, at = torch.arange(len(b.z)), b.y if b.y is not None else torch.zeros(len(b.z), dtype=torch.long)
    d = (b.z[rows, at].reshape(-1, 1) - b.z) - (b.t[rows, at].reshape(-1, 1) - b.t)
    others = F.one_hot(at, b.z.shape[1]) == 0
    return d[others].reshape(len(b.z), -1).square().mean(dim=1)


run(family, "margin_mse", "plain", margin_mse, columns=4, temperature=None)
run(family, "margin_mse", "positives", margin_mse, rows=4, temperature=None, labelled=True, ignored=(1,), weighted=True)
run(family, "margin_mse", "masked", margin_mse, columns=6, temperature=None, masked=(3,))


def list_maximum_likelihood(b):
    z, t = scores(b)
    order = t.sort(dim=1, descending=True, stable=True).indices
    u = z.gather(1, order) / temperature(b)
    top = b.top or u.shape[1]
    if b.others == "left_out":
        u = u[:, :top]
    left = torch.logcumsumexp(u.flip(1), dim=1).flip(1)
    return (left - u)[:, :top].sum(dim=1)


def pairwise(b, phi):
    """Of all pairs that the teacher tells apart, among its best `top`."""
    z, t = scores(b)
    T = temperature(b)
    top = t.sort(dim=1, descending=True, stable=True).indices[:, : b.top or t.shape[1]]
    z, t = z.gather(1, top) / T, t.gather(1, top)
    lead, wanted = z[:, :, None] - z[:, None, :], t[:, :, None] - t[:, None, :]
    margin = b.margin * wanted / T.reshape(-1, 1, 1) if b.margin_is == "times_teacher_difference" else b.margin
    terms = torch.where(wanted > 0, phi(margin - lead), 0).sum(dim=(1, 2))
    return terms / (wanted > 0).sum(dim=(1, 2)) if b.pairs == "mean" else terms


PAIRS = {"margin_is": "constant", "pairs": "mean", "top": 0}
LIST = {"top": 0, "others": "left_out"}
for loss, formula, plain, others in [
    ("list_maximum_likelihood", list_maximum_likelihood, LIST,
     [{**LIST, "top": 3}, {"top": 3, "others": "competing"}]),
    ("pairwise_hinge", lambda b: pairwise(b, torch.relu), {**PAIRS, "margin": 1.0},
     [{**PAIRS, "margin": 0.5, "margin_is": "times_teacher_difference"}, {**PAIRS, "margin": 1.0, "top": 3, "pairs": "sum"}]),
    ("pairwise_logistic", lambda b: pairwise(b, F.softplus), {**PAIRS, "margin": 0.0},
     [{**PAIRS, "margin": 1.0, "margin_is": "times_teacher_difference"}, {**PAIRS, "margin": 0.25, "top": 3, "pairs": "sum"}])]:  # fmt: skip
    run(family, loss, "plain", formula, temperature=None, options=plain)
    for n, options in enumerate(others):
        run(family, loss, f"chosen_{n}", formula, columns=6, temperature=2.0, by_temperature=False, options=options)
    run(family, loss, "rows", formula, rows=4, temperature=[0.5, 1.0, 2.0, 4.0], ignored=(0,), weighted=True, by_temperature=False, options=plain)
    run(family, loss, "masked", formula, columns=7, temperature=None, masked=(2, 5), options=plain)
    ids = torch.tensor([[7, 0, 3, 5], [1, 2, 8, 4]])
    run(family, loss, "ranked", formula, rows=2, columns=9, temperature=None, options=plain,
        inputs={"ids": ids, "candidates": logits(f"{loss} candidates", 2, 4)})  # fmt: skip


def rank_net(b):
    """sentence-transformers' RankNet: logarithms to base 2, and a mean over the pairs of the whole batch."""
    lead, wanted = b.z[:, :, None] - b.z[:, None, :], b.t[:, :, None] - b.t[:, None, :]
    return -torch.log2(torch.sigmoid(lead))[wanted > 0].mean()


run(family, "pairwise_logistic", "sentence_transformers", rank_net, rows=3, columns=5, temperature=None, coupled=True,
    options={**PAIRS, "pairs": "sum", "margin": 0.0, "reduction": "mean", "normalizer": 30 * math.log(2)})  # fmt: skip

family.write()
