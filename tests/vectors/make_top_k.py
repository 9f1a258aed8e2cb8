"""Writes top_k.txt: teachers known at a few classes, with each of what may be said of the others.

    python make_top_k.py            (any virtual environment with torch)
"""

import math

import torch
import torch.nn.functional as F
from response_case import Family, run
from torch_case import logits
from vector_file import float32

family = Family("top_k", "make_top_k.py")
ROWS, CLASSES, K = 3, 8, 3
UNSCALED, SCALED = {"scale_by_temperature_squared": False}, {"scale_by_temperature_squared": True}


def cache(name, form, captured_at=1.0):
    """Ids of the likeliest classes and what is stored of them, rounded to float."""
    values, ids = logits(f"{name} cached", ROWS, CLASSES, 2.0).topk(K)
    if form != "logits":
        dense = logits(f"{name} cached", ROWS, CLASSES, 2.0) / captured_at
        values = F.log_softmax(dense, dim=1).gather(1, ids)
        values = values.exp() if form == "probabilities" else values
        values = torch.tensor([[float32(x) for x in row] for row in values.tolist()])
    return {"ids": ids, "cached": values}


def distributions(b):
    """log p and log q of what the policy compares: classes, and a bucket behind them."""
    log_q_all = F.log_softmax(b.z / b.T, dim=1)
    log_q = log_q_all.gather(1, b.ids)
    others = CLASSES - K
    outside = torch.ones_like(b.z).scatter(1, b.ids, 0) == 1
    log_q_outside = log_q_all[outside].reshape(ROWS, -1)
    if b.form == "logits":
        log_p = F.log_softmax(b.cached / b.T, dim=1)
        tail = None
    else:
        stored = b.cached.log() if b.form == "probabilities" else b.cached
        exponent = b.captured_at / b.T if "captured_at" in b.options else torch.ones(1, 1)
        tail = torch.log1p(-stored.exp().sum(dim=1, keepdim=True))
        spread = 1 if b.options.get("bucket_shape") == "one_class" else others
        log_p, tail = exponent * stored, exponent * tail + (1 - exponent) * math.log(spread)
    if b.tail in ("truncate", "bucket", "uniform"):
        total = torch.logsumexp(torch.cat([log_p, tail], dim=1), dim=1, keepdim=True)
        log_p, tail = log_p - total, tail - total
    else:
        log_p = F.log_softmax(log_p, dim=1)
    if b.tail in ("truncate", "renormalise_teacher"):
        return log_p, log_q
    if b.tail == "renormalise_both":
        return log_p, F.log_softmax(log_q, dim=1)
    if b.tail == "bucket":
        return torch.cat([log_p, tail], dim=1), torch.cat([log_q, log_q_outside.logsumexp(dim=1, keepdim=True)], dim=1)
    each = (tail - math.log(others)).expand(-1, others) if b.tail == "uniform" else torch.full((ROWS, others), b.log_floor)
    log_p = torch.cat([log_p, each], dim=1)
    if b.tail == "floor":
        log_p = F.log_softmax(log_p, dim=1)
    return log_p, torch.cat([log_q, log_q_outside], dim=1)


def forward_kl(b):
    log_p, log_q = distributions(b)
    return b.factor * (log_p.exp() * (log_p - log_q)).sum(dim=1)


def reverse_kl(b):
    log_p, log_q = distributions(b)
    return b.factor * (log_q.exp() * (log_q - log_p)).sum(dim=1)


def jensen_shannon(b):
    """TRL's _jsd_divergence at beta 1/2 on the k classes and the tail."""
    log_p, log_q = distributions(b)
    log_m = torch.logaddexp(log_p, log_q) - math.log(2)
    return b.factor * 0.5 * ((log_p.exp() * (log_p - log_m)).sum(dim=1) + (log_q.exp() * (log_q - log_m)).sum(dim=1))


def case(loss, name, formula, *, form="log_probabilities", temperature=1.0, captured_at=None, **options):
    more = {"captured_at": captured_at} if captured_at is not None else {}
    inputs = cache(f"{loss} {name}", form, captured_at or 1.0)
    # a distribution that does not say where it was taken stays where it is, and so does the slope then
    run(family, loss, name, formula, rows=ROWS, columns=CLASSES, temperature=temperature, inputs=inputs,
        options={"form": form, **more, **options})  # fmt: skip


for tail in "truncate", "renormalise_teacher", "renormalise_both", "bucket", "uniform", "floor":
    floor = {"log_floor": -8.0} if tail == "floor" else {}
    case("forward_kl", tail, forward_kl, tail=tail, **floor, **UNSCALED)
    case("forward_kl", f"{tail}_warmer", forward_kl, tail=tail, temperature=2.0, captured_at=0.5, **floor, **SCALED)
for tail in "renormalise_teacher", "renormalise_both":
    case("forward_kl", f"{tail}_logits", forward_kl, form="logits", tail=tail, temperature=2.0, **SCALED)
case("forward_kl", "bucket_probabilities", forward_kl, form="probabilities", tail="bucket", **UNSCALED)
case("forward_kl", "bucket_one_class", forward_kl, tail="bucket", temperature=2.0, captured_at=1.0, bucket_shape="one_class", **SCALED)
for tail in "renormalise_both", "bucket", "uniform", "floor":
    floor = {"log_floor": -8.0} if tail == "floor" else {}
    case("reverse_kl", tail, reverse_kl, tail=tail, **floor, **UNSCALED)
for tail in "bucket", "renormalise_both":
    case("jensen_shannon", tail, jensen_shannon, tail=tail, **UNSCALED)


def nemo_reverse(b):
    """NeMo RL's zero_outside_topk: what the student has outside is held against a log-probability of -100."""
    log_q_all = F.log_softmax(b.z / b.T, dim=1)
    log_q, log_p = log_q_all.gather(1, b.ids), F.log_softmax(b.cached / b.T, dim=1)
    inside = (log_q.exp() * log_q).sum(dim=1)
    rest = (log_q_all.exp() * log_q_all).sum(dim=1) - inside
    mass = 1 - log_q.exp().sum(dim=1)
    return (log_q.exp() * (log_q - log_p)).sum(dim=1) + rest - b.log_floor * mass


case("reverse_kl", "nemo_rl", nemo_reverse, form="logits", tail="floor", log_floor=-100.0, **UNSCALED)


def distill_kit(b):
    """DistillKit's SYMMETRIC_UNIFORM: the whole leftover mass to the power of the temperatures' quotient."""
    log_q = (b.z / b.T).gather(1, b.ids) - torch.logsumexp(b.z / b.T, dim=1, keepdim=True)
    alpha = b.captured_at / b.T
    leftover = 1 - b.cached.exp().sum(dim=1, keepdim=True)
    log_p = alpha * b.cached - ((alpha * b.cached).exp().sum(dim=1, keepdim=True) + leftover**alpha).log()
    missing_p, missing_q = (torch.log1p(-x.exp().sum(dim=1)) for x in (log_p, log_q))
    inside = (log_p.exp() * (log_p - log_q)).sum(dim=1)
    return b.factor * (inside + missing_p.exp() * (missing_p - missing_q))


case("forward_kl", "distill_kit", distill_kit, tail="bucket", temperature=2.0, captured_at=1.0, bucket_shape="one_class", **SCALED)

family.write()
