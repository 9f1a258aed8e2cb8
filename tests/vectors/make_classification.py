"""Writes classification.txt: losses that take labels, and temperatures that follow the rows.

    python make_classification.py   (any virtual environment with torch)
"""

import torch
import torch.nn.functional as F
from response_case import Family, at_label, kl, one_hot, run, without_label
from vector_file import float32

family = Family("classification", "make_classification.py")
TENTH, FIFTH, NINE_TENTHS = float32(0.1), float32(0.2), float32(0.9)
SCALED, UNSCALED = {"scale_by_temperature_squared": True}, {"scale_by_temperature_squared": False}


def cases(loss, formula, options, *, temperature=2.0, by_temperature=True, squared=True, **more):
    """Unweighted, weighted with ignored rows, and with a class that both sides mask."""
    own = {**options, **(UNSCALED if squared else {})}
    full = {**options, **(SCALED if squared else {})}
    of_rows = None if temperature is None else [0.5, 1.0, 2.0, 6.0]
    common = {"labelled": True, "by_temperature": by_temperature, **more}
    run(family, loss, "plain", formula, rows=4, columns=6, temperature=temperature, options=own, **common)
    run(family, loss, "rows", formula, rows=4, columns=5, temperature=of_rows, options=full, ignored=(2,), weighted=True, **common)
    run(family, loss, "masked", formula, rows=2, columns=7, temperature=temperature, options=full, masked=(1,), reduction="sum",
        **common)  # fmt: skip


def binary(b, x):
    """The label's probability, and that of all else."""
    return torch.stack([(x * one_hot(b)).sum(dim=1), (x * (1 - one_hot(b))).sum(dim=1)], dim=1)


def decoupled_kd(b):
    p, log_q = F.softmax(without_label(b, b.t) / b.T, dim=1), F.log_softmax(without_label(b, b.z) / b.T, dim=1)
    others = F.kl_div(log_q, p, reduction="none").sum(dim=1)
    return b.factor * (b.target_weight * kl(binary(b, b.p), binary(b, b.q)) + b.non_target_weight * others)


def mdistiller(b):
    """With the label's logit lowered by 1000, which by the temperature has no derivative."""
    p = F.softmax(b.t / b.T - 1000 * one_hot(b), dim=1)
    log_q = F.log_softmax(b.z / b.T - 1000 * one_hot(b), dim=1)
    others = F.kl_div(log_q, p, reduction="none").sum(dim=1)
    return b.factor * (b.target_weight * kl(binary(b, b.p), binary(b, b.q)) + b.non_target_weight * others)


cases("decoupled_kd", decoupled_kd, {"target_weight": 1.0, "non_target_weight": 8.0}, temperature=4.0)
run(family, "decoupled_kd", "mdistiller", mdistiller, rows=4, columns=8, temperature=4.0, labelled=True, by_temperature=False,
    options={"target_weight": 1.0, "non_target_weight": 8.0, **SCALED})  # fmt: skip


def normalized_kd(b):
    target = -at_label(F.softmax(b.t, dim=1), b.y) * at_label(F.log_softmax(b.z, dim=1), b.y)
    p = F.softmax(without_label(b, b.t) / b.T, dim=1)
    log_q = F.log_softmax(without_label(b, b.z) / b.T, dim=1)
    return target - b.non_target_weight * b.factor * (p * log_q).sum(dim=1)


cases("normalized_kd", normalized_kd, {"non_target_weight": 1.5})
run(family, "normalized_kd", "cls_kd", normalized_kd, labelled=True, options={"non_target_weight": 1.5, **SCALED})


def weighted_soft_label(b):
    """cls_KD's, without the 1e-7 that it adds to the teacher's cross entropy."""
    soft = -(F.softmax(b.t / b.T, dim=1) * F.log_softmax(b.z / b.T, dim=1)).sum(dim=1)
    of_student, of_teacher = (F.cross_entropy(x.detach(), b.y, reduction="none") for x in (b.z, b.t))
    weight = 1 - torch.exp(-of_student / of_teacher)
    return weight * b.factor * soft


cases("weighted_soft_label", weighted_soft_label, {}, by_temperature=False)


def margin_corrected_kl(b):
    """Minifinetuning as Model-Optimizer has it, without the 1e-7 in its divisors."""
    p = F.softmax(b.t / b.T, dim=1)
    first, p_label = p.max(dim=1).values, at_label(p, b.y)
    wrong = p.argmax(dim=1) != b.y
    of_wrong = (first - p_label + b.margin) / (1 + first - p_label)
    of_right = ((p_label + b.margin).clamp(max=1) - p_label) / (1 - p_label)
    if b.corrects == "wrong_only":
        of_right = torch.zeros_like(of_right)
    m = torch.where(wrong, of_wrong, of_right).reshape(-1, 1)
    return b.factor * kl(p * (1 - m) + one_hot(b) * m, b.q)


for corrects in "all", "wrong_only":
    run(family, "margin_corrected_kl", corrects, margin_corrected_kl, rows=6, columns=3, temperature=2.0, labelled=True,
        by_temperature=False, options={"margin": FIFTH, "corrects": corrects, **SCALED})  # fmt: skip
cases("margin_corrected_kl", margin_corrected_kl, {"margin": TENTH, "corrects": "all"}, by_temperature=False)


def swapped_kl(b):
    """TextBrewer's probability_shift before forward KL."""
    rows = torch.arange(len(b.t))
    first, shifted = b.t.argmax(dim=1), b.t.clone()
    shifted[rows, first], shifted[rows, b.y] = b.t[rows, b.y], b.t[rows, first]
    return b.factor * F.kl_div(F.log_softmax(b.z / b.T, dim=1), F.softmax(shifted / b.T, dim=1), reduction="none").sum(dim=1)


cases("swapped_kl", swapped_kl, {})


def hard_distillation(b):
    of_teacher = F.cross_entropy(b.z, b.t.argmax(dim=1), reduction="none")
    return b.teacher_weight * of_teacher + (1 - b.teacher_weight) * F.cross_entropy(b.z, b.y, reduction="none")


cases("hard_distillation", hard_distillation, {"teacher_weight": 0.25}, temperature=None, squared=False)


def virtual_teacher(b):
    classes = b.z.shape[1]
    u = torch.full_like(b.z, (1 - b.label_probability) / (classes - 1)).detach()
    u = torch.where(one_hot(b) == 1, b.label_probability, u)
    p = F.softmax((u if b.softening == "of_probabilities" else u.log()) / b.teacher_temperature, dim=1)
    soft = F.kl_div(F.log_softmax(b.z / b.T, dim=1), p, reduction="none").sum(dim=1)
    return (1 - b.soft_weight) * F.cross_entropy(b.z, b.y, reduction="none") + b.soft_weight * b.factor * soft


VIRTUAL = {"label_probability": 0.984375, "teacher_temperature": 20.0, "soft_weight": TENTH}
for softening in "of_probabilities", "of_logits":
    options = {**VIRTUAL, "softening": softening, **UNSCALED}
    run(family, "virtual_teacher", softening, virtual_teacher, labelled=True, options=options, by_temperature=False)
run(family, "virtual_teacher", "rows", virtual_teacher, rows=4, temperature=[0.5, 1.0, 2.0, 6.0], labelled=True, ignored=(1,),
    weighted=True, by_temperature=False, options={**VIRTUAL, "softening": "of_logits", **SCALED})  # fmt: skip


def teacher_free(b):
    """The authors' loss_kd_regularization: KLDivLoss() divides by the classes, here made up for by their multiplier."""
    classes = b.z.shape[1]
    u = torch.full_like(b.z, (1 - b.label_probability) / (classes - 1)).detach().scatter(1, b.y.reshape(-1, 1), b.label_probability)
    p = F.softmax(u / b.teacher_temperature, dim=1)
    soft = F.kl_div(F.log_softmax(b.z, dim=1), p, reduction="none").mean(dim=1) * classes
    return (1 - b.soft_weight) * F.cross_entropy(b.z, b.y, reduction="none") + b.soft_weight * soft


run(family, "virtual_teacher", "authors", teacher_free, labelled=True, by_temperature=False,
    options={**VIRTUAL, "softening": "of_probabilities", **UNSCALED})  # fmt: skip


def temperature_matching(b):
    """The authors' TTM and WTTM; T is the teacher's."""
    p = F.softmax(b.t, dim=1) ** (1 / b.T)
    size = p.sum(dim=1, keepdim=True)
    divergence = F.kl_div(F.log_softmax(b.z, dim=1), p / size, reduction="none").sum(dim=1)
    return divergence * (size.reshape(-1) if b.weight == "sum_of_powers" else 1.0)


for weight in "one", "sum_of_powers":
    run(family, "temperature_matching", weight, temperature_matching, columns=7, temperature=4.0, by_temperature=False,
        options={"weight": weight})  # fmt: skip
    run(family, "temperature_matching", f"{weight}_rows", temperature_matching, rows=4, temperature=[0.5, 1.0, 2.0, 6.0], masked=(0,),
        ignored=(1,), weighted=True, by_temperature=False, options={"weight": weight})  # fmt: skip


def one_for_all(b):
    mask = one_hot(b)
    w = (F.softmax(b.t / b.T, dim=1) + mask) ** b.power - mask
    return b.factor * -(w * F.log_softmax(b.z / b.T, dim=1)).sum(dim=1)


cases("one_for_all", one_for_all, {"power": 1.5}, by_temperature=False)
run(family, "one_for_all", "soft_cross_entropy", one_for_all, labelled=True, by_temperature=False, options={"power": 1.0, **UNSCALED})


# temperatures that follow the rows
def standardize(x, epsilon):
    return (x - x.mean(dim=1, keepdim=True)) / (x.std(dim=1, keepdim=True) + epsilon)


def logit_standardization(b):
    log_q = F.log_softmax(standardize(b.z, b.epsilon) / b.T, dim=1)
    p = F.softmax(standardize(b.t, b.epsilon) / b.T, dim=1)
    soft = b.factor * F.kl_div(log_q, p, reduction="none").sum(dim=1)
    if b.y is None or "soft_weight" not in b.options:
        return soft
    return b.soft_weight * soft + b.hard_weight * F.cross_entropy(b.z, b.y, reduction="none")


EPSILON = {"epsilon": float32(1e-7)}
run(family, "logit_standardization", "bare", logit_standardization, columns=7, temperature=2.0, options={**EPSILON, **SCALED})
run(family, "logit_standardization", "masked", logit_standardization, columns=7, temperature=1.5, masked=(2, 3),
    options={**EPSILON, **UNSCALED})  # fmt: skip
run(family, "logit_standardization", "lskd", logit_standardization, rows=4, columns=8, temperature=2.0, labelled=True,
    options={**EPSILON, "soft_weight": 9.0, "hard_weight": TENTH, **SCALED})  # fmt: skip
run(family, "logit_standardization", "rows", logit_standardization, rows=4, temperature=[0.5, 1.0, 2.0, 6.0], labelled=True, ignored=(0,),
    weighted=True, options={"epsilon": 0.125, "soft_weight": 9.0, "hard_weight": TENTH, **SCALED})  # fmt: skip


def norm_kd(b):
    of_student, of_teacher = b.T * b.z.std(dim=1, keepdim=True), b.T * b.t.std(dim=1, keepdim=True)
    soft = F.kl_div(F.log_softmax(b.z / of_student, dim=1), F.softmax(b.t / of_teacher, dim=1), reduction="none").sum(dim=1)
    factor = of_teacher.square().reshape(-1) if b.scale_by_temperature_squared else 1.0
    return b.soft_weight * factor * soft + b.hard_weight * F.cross_entropy(b.z, b.y, reduction="none")


cases("norm_kd", norm_kd, {"soft_weight": NINE_TENTHS, "hard_weight": TENTH})


def dynamic_temperature_kd(b):
    z, t = b.z.max(dim=1, keepdim=True).values, b.t.max(dim=1, keepdim=True).values
    of_student, of_teacher = 2 * z / (t + z) * b.T, 2 * t / (t + z) * b.T
    dynamic = F.kl_div(F.log_softmax(b.z / of_student, dim=1), F.softmax(b.t / of_teacher, dim=1), reduction="none").sum(dim=1)
    vanilla = F.kl_div(F.log_softmax(b.z / b.T, dim=1), F.softmax(b.t / b.T, dim=1), reduction="none").sum(dim=1)
    if b.scale_by_temperature_squared:
        dynamic, vanilla = dynamic * (of_student * of_teacher).reshape(-1), vanilla * b.T.square().reshape(-1)
    hard = F.cross_entropy(b.z, b.y, reduction="none")
    return b.dynamic_weight * dynamic + b.vanilla_weight * vanilla + b.hard_weight * hard


cases("dynamic_temperature_kd", dynamic_temperature_kd, {"dynamic_weight": 3.0, "vanilla_weight": 1.0, "hard_weight": 1.0}, temperature=4.0,
      by_temperature=False, positive=True)  # fmt: skip


# TextBrewer's flsw and cwsm, which the loss takes as given numbers
def flexible_temperature(b):
    z, t = b.z.detach(), b.t.detach()
    if b.by == "disagreement":
        w = (1 - (z / z.norm(dim=1, keepdim=True) * (t / t.norm(dim=1, keepdim=True))).sum(dim=1)) ** b.power
    else:
        w = 1 / (F.softmax(z, dim=1).max(dim=1).values + 1e-3)
    T = (b.T + ((w.mean() - w) * b.strength).reshape(-1, 1)).clamp(min=b.minimum)
    return F.kl_div(F.log_softmax(b.z / T, dim=1), F.softmax(b.t / T, dim=1), reduction="none").sum(dim=1)


for by in "disagreement", "low_confidence":
    run(family, "flexible_temperature", by, flexible_temperature, rows=4, temperature=4.0, by_temperature=False, masked=(4,),
        options={"by": by, "strength": 1.5, "power": 2.0, "minimum": TENTH})  # fmt: skip

family.write()
