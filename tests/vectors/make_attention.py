"""Writes attention.txt: losses between attention maps, and between the relations of tokens.

    python make_attention.py          (any virtual environment with torch)

Scores are sequences x heads x queries x keys. Hidden states are sequences x length x features here and in the file, the
layout of a `token_map`; their option is NAME_shape with three sizes.
"""

import math

import torch
import torch.nn.functional as F
from tensor_case import Family, numbers

family = Family("attention", "make_attention.py")


def scores(name, *shape, teacher=None, **more):
    return {
        "student": numbers(f"{name} student", *shape, scale=2.0),
        "teacher": numbers(f"{name} teacher", *(teacher or shape), scale=2.0),
        **more,
    }


# pre-softmax scores
def tiny_bert(b):
    s, t = (torch.where(x <= b.masked_to, torch.zeros_like(x), x) for x in (together(b.student, b), together(b.teacher, b)))
    return F.mse_loss(s, t)


def together(x, b):
    return {"each": x, "sum": x.sum(dim=1), "mean": x.mean(dim=1)}[b.heads]


masked = scores("tiny", 2, 3, 4, 4)
masked["student"][1, :, :, 3] = masked["teacher"][1, :, :, 3] = -10000.0
family.run("attention_scores", "TinyBERT", tiny_bert, masked, {"masked_to": -100.0, "heads": "each", "mask": False})
family.run("attention_scores", "text_brewer", tiny_bert, scores("tb", 2, 3, 4, 4), {"masked_to": -0.001, "heads": "each", "mask": False})
family.run("attention_scores", "text_brewer_sum", tiny_bert, scores("tbs", 2, 3, 4, 4, teacher=(2, 5, 4, 4)),
           {"masked_to": -0.001, "heads": "sum", "mask": False})  # fmt: skip


def text_brewer_mask(b):
    """att_mse_loss and att_mse_sum_loss given a mask."""
    mask = b.tokens
    s, t = together(b.student, b), together(b.teacher, b)
    if b.heads == "each":
        mask = mask.unsqueeze(1).expand(-1, s.shape[1], -1)
        valid = mask.sum(dim=2).square().sum()
    else:
        valid = mask.sum(dim=1).square().sum()
    return ((s - t).square() * mask.unsqueeze(-1) * mask.unsqueeze(-2)).sum() / valid


MASK = torch.tensor([[1.0, 1, 1, 1], [0, 1, 1, 0]])
NO_FLOOR = {"masked_to": -math.inf, "mask": True}
family.run("attention_scores", "text_brewer_mask", text_brewer_mask, scores("tbm", 2, 3, 4, 4, tokens=MASK), NO_FLOOR | {"heads": "each"})
family.run("attention_scores", "text_brewer_sum_mask", text_brewer_mask, scores("tbsm", 2, 3, 4, 4, teacher=(2, 2, 4, 4), tokens=MASK),
           NO_FLOOR | {"heads": "sum"})  # fmt: skip


# divergence of attention
def divergence(b):
    """TextBrewer's att_ce_loss and att_ce_mean_loss without a mask, or MiniLM's divergence."""
    T = b.temperature.reshape(1, -1, 1, 1) if b.heads == "each" else b.temperature.reshape(1, 1, 1)
    s, t = together(b.student, b), together(b.teacher, b)
    log_q, p = F.log_softmax(s / T, dim=-1), F.softmax(t / T, dim=-1)
    kept = torch.where(t <= b.dropped_to, torch.zeros_like(p), p)
    values = -(kept * log_q) if b.kind == "cross_entropy" else F.kl_div(log_q, p, reduction="none")
    return ((T * T if b.squared else 1.0) * values.sum(dim=-1, keepdim=True)).mean()


ONE = {"kind": "cross_entropy", "dropped_to": -0.001, "reduce": "mean", "squared": False}
family.run("attention_divergence", "text_brewer", divergence, scores("ce", 2, 3, 4, 4, temperature=torch.ones(1)),
           ONE | {"heads": "each"}, by=("student", "temperature"))  # fmt: skip
family.run("attention_divergence", "text_brewer_mean", divergence, scores("cem", 2, 3, 4, 4, teacher=(2, 5, 4, 4), temperature=torch.ones(1)),
           ONE | {"heads": "mean"}, by=("student", "temperature"))  # fmt: skip
family.run("attention_divergence", "head_temperatures", divergence, scores("kl", 2, 3, 4, 5, temperature=torch.tensor([1.0, 0.5, 2.0])),
           {"kind": "kl", "dropped_to": -math.inf, "reduce": "mean", "squared": True, "heads": "each"}, by=("student", "temperature"))  # fmt: skip


def minilm_attention(b):
    """Each sequence cut to its length: the mean over its queries and heads, then over sequences."""
    total = 0.0
    for n, length in enumerate(b.lengths.long().flatten().tolist()):
        s, t = (x[n, :, :length, :length] / b.temperature for x in (b.student, b.teacher))
        total = total + F.kl_div(F.log_softmax(s, dim=-1), F.softmax(t, dim=-1), reduction="sum") / (s.shape[0] * length)
    return total / len(b.student)


family.run("attention_divergence", "MiniLM", minilm_attention,
           scores("minilm", 2, 3, 4, 4, temperature=torch.ones(1), lengths=torch.tensor([4.0, 2.0])),
           {"kind": "kl", "dropped_to": -math.inf, "reduce": "sequence_mean", "squared": False, "heads": "each"},
           by=("student", "temperature"))  # fmt: skip


# relations of tokens
def relation(queries, keys, other_queries, other_keys, b):
    """MiniLMv2: states cut into relation heads and each sequence to its length; means over queries and heads, then sequences."""

    def softened(x, y, n, length, T):
        x, y = (v[n, :length].reshape(length, b.relation_heads, -1).transpose(0, 1) for v in (x, y))
        return x @ y.transpose(1, 2) / math.sqrt(x.shape[-1]) / T

    sequences, length = queries.shape[:2]
    lengths = b.lengths.long().flatten().tolist() if hasattr(b, "lengths") else [length] * sequences
    T = b.temperature.reshape(-1, 1, 1) if hasattr(b, "temperature") else torch.ones(1)
    total = 0.0
    for n, length in enumerate(lengths):
        log_q = F.log_softmax(softened(queries, keys, n, length, T), dim=-1)
        p = F.softmax(softened(other_queries, other_keys, n, length, T), dim=-1)
        values = -(p * log_q) if b.kind == "cross_entropy" else F.kl_div(log_q, p, reduction="none")
        total = total + ((T * T if b.squared else 1.0) * values).sum() / (b.relation_heads * length)
    return total / sequences


def states(name, *, of_teacher=6, kinds=("",), **more):
    tensors = {}
    for kind in kinds:
        tensors["student" + kind] = numbers(f"{name} student{kind}", 2, 4, 4)
        tensors["teacher" + kind] = numbers(f"{name} teacher{kind}", 2, 4, of_teacher)
    return tensors | more


LENGTHS = torch.tensor([4.0, 3.0])
self_relation = lambda b: relation(b.student, b.student, b.teacher, b.teacher, b)  # noqa: E731
PLAIN = {"kind": "kl", "squared": False}
family.run("self_relation", "MiniLMv2", self_relation, states("self", lengths=LENGTHS, temperature=torch.ones(1)),
           PLAIN | {"relation_heads": 2}, by=("student", "temperature"))  # fmt: skip
family.run("self_relation", "one_head", self_relation, states("self2", of_teacher=5, temperature=torch.tensor([2.0])),
           {"kind": "cross_entropy", "squared": True, "relation_heads": 1}, by=("student", "temperature"))  # fmt: skip
family.run("self_relation", "head_temperatures", self_relation, states("self3", lengths=LENGTHS, temperature=torch.tensor([0.5, 2.0])),
           PLAIN | {"relation_heads": 2}, by=("student", "temperature"))  # fmt: skip

cross_relation = lambda b: relation(b.student, b.student_keys, b.teacher, b.teacher_keys, b)  # noqa: E731
for name, lengths, kind in [("MiniLM", LENGTHS, "kl"), ("cross_entropy", torch.tensor([4.0, 4.0]), "cross_entropy")]:
    family.run("cross_relation", name, cross_relation,
               states(f"cross {name}", kinds=("", "_keys"), lengths=lengths, temperature=torch.tensor([1.0])),
               {"kind": kind, "squared": False, "relation_heads": 2}, by=("student", "student_keys", "temperature"))  # fmt: skip


def minilm_v2(b):
    kinds = ("", "_keys", "_values")
    of = lambda kind: relation(*[getattr(b, side + kind) for side in ("student", "student", "teacher", "teacher")], b)  # noqa: E731
    return b.query_weight * of(kinds[0]) + b.key_weight * of(kinds[1]) + b.value_weight * of(kinds[2])


for name, weights in {"paper": (1 / 3, 1 / 3, 1 / 3), "weights": (1.0, 0.5, 2.0)}.items():
    family.run("minilm_v2", name, minilm_v2, states(f"v2 {name}", kinds=("", "_keys", "_values"), lengths=LENGTHS),
               PLAIN | {"relation_heads": 2} | dict(zip(("query_weight", "key_weight", "value_weight"), weights)),
               by=("student", "student_keys", "student_values"))  # fmt: skip

# more than a register holds
family.run("attention_divergence", "large", divergence, scores("kl large", 1, 2, 9, 11, temperature=torch.tensor([2.0])),
           {"kind": "kl", "dropped_to": -math.inf, "reduce": "mean", "squared": False, "heads": "each"}, by=("student", "temperature"))  # fmt: skip
family.run("self_relation", "large", self_relation,
           {"student": numbers("self large s", 1, 11, 18), "teacher": numbers("self large t", 1, 11, 20), "temperature": torch.ones(1)},
           PLAIN | {"relation_heads": 2}, by=("student", "temperature"))  # fmt: skip

family.write()
