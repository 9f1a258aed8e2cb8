"""Writes the *.txt vectors of this folder except exact.txt: PyTorch in float64, gradients by autograd.

    python make_vectors.py          (any virtual environment with torch; the header of each file names the version used)

Inputs come from the standard library's generator seeded by the case's name, so that a run gives the same inputs everywhere.
Inputs and options are exact in float. What PyTorch offers is called (cross_entropy, kl_div, softmax, logsumexp); what it does
not is the paper's formula on autograd.
"""

import torch
import torch.nn.functional as F
from torch_case import finish, logits, reduce, temperature_of, write_files
from vector_file import float32, random_integers

# softmax, log_softmax: the map itself and its pull-back of an upstream gradient
for loss, function in {"softmax": F.softmax, "log_softmax": F.log_softmax}.items():
    for name, rows, columns, value, scale in [
        ("plain", 2, 5, 1.0, 3.0), ("hot", 3, 17, 4.0, 3.0), ("cold", 1, 4, 0.5, 3.0), ("each_row", 3, 8, [1.0, 2.5, 8.0], 3.0),
        ("huge_logits", 2, 6, 2.0, 1e4), ("one_class", 2, 1, 3.0, 3.0), ("two_classes", 4, 2, 0.0625, 0.1)]:
        student = logits(f"{loss} {name}", rows, columns, scale).requires_grad_()
        upstream = logits(f"{loss} {name} upstream", rows, columns, 1.0)
        temperature = temperature_of(value, rows)
        result = function(student / temperature, dim=1)
        inputs = {"upstream": upstream, "result": result}
        finish(loss, name, {}, inputs, student, temperature, None, (result * upstream).sum())

student = logits("softmax masked", 2, 7, 3.0, masked=(0, 4)).requires_grad_()
upstream = logits("softmax masked upstream", 2, 7, 1.0)
temperature = temperature_of(2.0, 2)
result = F.softmax(student / temperature.detach(), dim=1)  # autograd's derivative of -inf / T is NaN
finish("softmax", "masked", {}, {"upstream": upstream, "result": result}, student, temperature, None, (result * upstream).sum())

# log_sum_exp, entropy
one_row_losses = {
    "log_sum_exp": lambda u: torch.logsumexp(u, dim=1),
    "entropy": lambda u: torch.special.entr(F.softmax(u, dim=1)).sum(dim=1),
}
for loss, function in one_row_losses.items():
    for name, rows, columns, value, scale, options in [
        ("plain", 2, 5, 1.0, 3.0, {"reduction": "mean"}), ("hot", 4, 19, 4.0, 3.0, {"reduction": "mean"}),
        ("sum", 3, 7, 0.5, 1.0, {"reduction": "sum"}), ("each_row", 3, 8, [1.0, 2.5, 8.0], 3.0, {"reduction": "mean"}),
        ("huge_logits", 2, 6, 1.0, 1e4, {"reduction": "mean"}), ("one_class", 2, 1, 3.0, 3.0, {"reduction": "mean"})]:
        if (loss, name) == ("entropy", "huge_logits"):
            scale = 30.0  # the derivative of entr at a probability of zero is infinite in PyTorch
        student = logits(f"{loss} {name}", rows, columns, scale).requires_grad_()
        temperature = temperature_of(value, rows)
        values = function(student / temperature)
        finish(loss, name, options, {}, student, temperature, values, reduce(values, options))


# cross_entropy; fractions are the nearest floats
TENTH, FIFTH, NINE_TENTHS = float32(0.1), float32(0.2), float32(0.9)


def cross_entropy_case(name, rows, columns, *, soft=False, ignored=(), weighted=False, smoothing=0.0, other=False, mixed=False,
                       reduction="mean", row_weighted=False, normalizer=None, scale=3.0, masked=()):
    student = logits(f"ce {name}", rows, columns, scale, masked).requires_grad_()
    options = {"reduction": reduction, "label_smoothing": smoothing, "smoothing": "other_classes" if other else "all_classes"}
    inputs = {}
    weight = logits(f"ce {name} class weights", 1, columns, 0.5).abs()[0] + 0.25 if weighted else None
    if weighted:
        inputs["class_weights"] = weight.reshape(1, -1)
    if soft:
        target = torch.tensor([[float32(p) for p in row] for row in F.softmax(logits(name, rows, columns), dim=1).tolist()])
        inputs["targets"] = target
    else:
        target = torch.tensor(random_integers(f"ce {name} labels", rows, columns - len(masked))).reshape(-1)
        target[list(ignored)] = -100
        inputs["labels"] = target

    def one(target, how):
        if not other:
            return F.cross_entropy(student, target, weight=weight, label_smoothing=smoothing, reduction=how)
        one_hot = F.one_hot(target, columns) * (1 - smoothing) + (1 - F.one_hot(target, columns)) * smoothing / (columns - 1)
        return F.cross_entropy(student, one_hot, reduction=how)

    values, reduced = one(target, "none"), one(target, reduction)
    if mixed:
        second = torch.tensor(random_integers(f"ce {name} second labels", rows, columns)).reshape(-1)
        share = (logits(f"ce {name} share", rows, 1, 0.2).abs() % 1.0).reshape(-1)
        inputs |= {"second_labels": second, "share": share}
        values = share * values + (1 - share) * one(second, "none")
        reduced = reduce(values, options)
    if row_weighted:
        inputs["row_weights"] = row_weights = logits(f"ce {name} row weights", rows, 1, 1.0).abs().reshape(-1)
        reduced = reduce(values, options, row_weights)
    if normalizer:
        options["normalizer"] = normalizer
        reduced = reduce(values, options)
    finish("cross_entropy", name, options, inputs, student, temperature_of(1.0, rows), values, reduced)


cross_entropy_case("labels", 4, 7)
cross_entropy_case("labels_sum", 4, 7, reduction="sum")
cross_entropy_case("ignored", 5, 6, ignored=(1, 4))
cross_entropy_case("ignored_sum", 5, 6, ignored=(0,), reduction="sum")
cross_entropy_case("class_weights", 5, 4, weighted=True)
cross_entropy_case("class_weights_sum", 3, 4, weighted=True, reduction="sum")
cross_entropy_case("class_weights_ignored", 6, 5, weighted=True, ignored=(2,))
cross_entropy_case("smoothing", 3, 10, smoothing=TENTH)
cross_entropy_case("smoothing_two_classes", 3, 2, smoothing=0.25)
cross_entropy_case("smoothing_other_classes", 3, 10, smoothing=TENTH, other=True)
cross_entropy_case("smoothing_class_weights_ignored", 5, 9, smoothing=FIFTH, weighted=True, ignored=(3,))
cross_entropy_case("soft_targets", 3, 8, soft=True)
cross_entropy_case("soft_targets_sum", 3, 8, soft=True, reduction="sum")
cross_entropy_case("soft_targets_class_weights", 3, 5, soft=True, weighted=True)
cross_entropy_case("soft_targets_smoothing", 3, 5, soft=True, smoothing=TENTH)
cross_entropy_case("soft_targets_smoothing_class_weights", 2, 5, soft=True, smoothing=TENTH, weighted=True)
cross_entropy_case("mixed", 4, 6, mixed=True)
cross_entropy_case("mixed_smoothing_sum", 4, 6, mixed=True, smoothing=TENTH, reduction="sum")
cross_entropy_case("row_weights", 4, 5, row_weighted=True)
cross_entropy_case("normalizer", 4, 5, normalizer=11.0)
cross_entropy_case("masked", 3, 9, masked=(7, 8))
cross_entropy_case("huge_logits", 3, 7, scale=1e4)
cross_entropy_case("wide", 2, 37, smoothing=TENTH)
cross_entropy_case("one_class", 2, 1)


# Divergences between softmax(teacher / T) and softmax(student / T), or a teacher given as probabilities
def kl(log_q, log_p):
    return F.kl_div(log_q, log_p, log_target=True, reduction="none").sum(dim=1)


divergences = {
    "forward_kl": kl,
    "reverse_kl": lambda log_q, log_p: kl(log_p, log_q),
    "soft_cross_entropy": lambda log_q, log_p: -(log_p.exp() * log_q).sum(dim=1),
    "squared_hellinger": lambda log_q, log_p: ((log_p / 2).exp() - (log_q / 2).exp()).square().sum(dim=1) / 2,
}


def pair(name, rows, columns, value, *, form="logits", scale=3.0, masked=(), teacher_masked=()):
    """Leaves, and log-probabilities of the classes where the teacher is not masked. Masked classes are absent from every sum,
    as the formulas say, since autograd would make 0 * inf of them."""
    student = logits(f"{name} student", rows, columns, scale, masked).requires_grad_()
    teacher = logits(f"{name} teacher", rows, columns, scale, (*masked, *teacher_masked))
    temperature = temperature_of(value, rows)
    taught = [c for c in range(columns) if c not in (*masked, *teacher_masked)]
    in_student = [c for c in range(columns) if c not in masked]
    log_p = F.log_softmax(teacher[:, taught] / temperature, dim=1)
    if form != "logits":
        given = log_p.detach().exp() if form == "probabilities" else log_p.detach()
        teacher = torch.tensor([[float32(entry) for entry in row] for row in given.tolist()])
        log_p = teacher.log() if form == "probabilities" else teacher
    log_q = F.log_softmax(student[:, in_student] / temperature, dim=1)
    return student, teacher, temperature, log_q[:, [in_student.index(c) for c in taught]], log_p


def divergence_case(loss, name, rows, columns, value, *, form="logits", reduction="mean", row_weighted=False, normalizer=None,
                    scale=3.0, masked=(), teacher_masked=()):
    student, teacher, temperature, log_q, log_p = pair(
        f"{loss} {name}", rows, columns, value, form=form, scale=scale, masked=masked, teacher_masked=teacher_masked)
    options = {"reduction": reduction, "teacher": form}
    inputs = {"teacher": teacher}
    values = divergences[loss](log_q, log_p)
    row_weights = None
    if row_weighted:
        inputs["row_weights"] = row_weights = logits(f"{loss} {name} row weights", rows, 1, 1.0).abs().reshape(-1)
    if normalizer:
        options["normalizer"] = normalizer
    finish(loss, name, options, inputs, student, temperature, values, reduce(values, options, row_weights))


for loss in ("forward_kl", "soft_cross_entropy"):
    divergence_case(loss, "plain", 3, 6, 1.0)
    divergence_case(loss, "hot", 2, 20, 4.0)
    divergence_case(loss, "cold", 2, 5, 0.5)
    divergence_case(loss, "sum", 3, 5, 2.0, reduction="sum")
    divergence_case(loss, "each_row", 3, 7, [1.0, 3.0, 10.0])
    divergence_case(loss, "row_weights", 4, 5, 2.0, row_weighted=True)
    divergence_case(loss, "normalizer", 2, 5, 2.0, normalizer=7.0)
    divergence_case(loss, "log_probabilities", 3, 6, 2.0, form="log_probabilities")
    divergence_case(loss, "probabilities", 3, 6, 2.0, form="probabilities")
    divergence_case(loss, "probabilities_each_row", 3, 4, [0.5, 1.0, 4.0], form="probabilities")
    divergence_case(loss, "masked", 2, 9, 2.0, masked=(0, 5))
    divergence_case(loss, "huge_logits", 2, 6, 1.0, scale=1e4)
    divergence_case(loss, "one_class", 2, 1, 2.0)
divergence_case("forward_kl", "teacher_masked", 2, 6, 2.0, teacher_masked=(1, 2))
for loss in ("reverse_kl", "squared_hellinger"):
    divergence_case(loss, "plain", 3, 6, 1.0)
    divergence_case(loss, "hot", 2, 8, 4.0)
    divergence_case(loss, "probabilities", 2, 5, 2.0, form="probabilities")
    divergence_case(loss, "masked", 2, 7, 2.0, masked=(3,))


# hinton_kd
def hinton_case(name, rows, columns, value, *, form="logits", soft=NINE_TENTHS, hard=TENTH, squared=True, ignored=(), labelled=True,
                smoothing=0.0, reduction="mean", row_weighted=False, scale=3.0, masked=()):
    student, teacher, temperature, log_q, log_p = pair(
        f"hinton {name}", rows, columns, value, form=form, scale=scale, masked=masked)
    options = {"reduction": reduction, "teacher": form, "soft_weight": soft, "hard_weight": hard,
               "label_smoothing": smoothing, "scale_by_temperature_squared": squared}
    inputs = {"teacher": teacher}
    values = soft * kl(log_q, log_p) * (temperature.square().reshape(-1) if squared else 1.0)
    counted = torch.ones(rows)
    if labelled:
        present = torch.tensor([c for c in range(columns) if c not in masked])
        labels = present[torch.tensor(random_integers(f"hinton {name} labels", rows, len(present)))].reshape(-1)
        labels[list(ignored)] = -100
        counted[list(ignored)] = 0
        inputs["labels"] = labels
        hard_values = F.cross_entropy(student, labels, reduction="none", label_smoothing=smoothing)
        values = torch.where(counted > 0, hard * hard_values + values, 0)
    if row_weighted:
        inputs["row_weights"] = logits(f"hinton {name} row weights", rows, 1, 1.0).abs().reshape(-1)
        counted = counted * inputs["row_weights"]
    reduced = reduce(values, options, counted)
    finish("hinton_kd", name, options, inputs, student, temperature, values, reduced)


def whole_batch_case(name, rows, columns, temperature, form):
    """The reduced loss as the two reference code bases of the field spell it, not as per-row values."""
    student, teacher, leaf, log_q, _ = pair(f"hinton {name}", rows, columns, temperature)
    p = F.softmax(teacher / leaf, dim=1)
    square = leaf.square().sum()
    labels = torch.tensor(random_integers(f"hinton {name} labels", rows, columns)).reshape(-1)
    if form == "mdistiller":  # per-sample sums, averaged
        soft = F.kl_div(log_q, p, reduction="none").sum(1).mean() * square
    elif form == "RepDistiller":  # the whole sum over the batch size
        soft = F.kl_div(log_q, p, reduction="sum") * square / rows
    else:
        soft = torch.nn.KLDivLoss(reduction="batchmean")(log_q, p) * square
    options = {"reduction": "mean", "teacher": "logits", "soft_weight": NINE_TENTHS, "hard_weight": TENTH, "label_smoothing": 0.0,
               "scale_by_temperature_squared": True}
    reduced = TENTH * F.cross_entropy(student, labels) + NINE_TENTHS * soft
    finish("hinton_kd", name, options, {"teacher": teacher, "labels": labels}, student, leaf, None, reduced)


whole_batch_case("mdistiller", 4, 10, 4.0, "mdistiller")
whole_batch_case("rep_distiller", 4, 10, 4.0, "RepDistiller")
whole_batch_case("kl_div_batchmean", 3, 6, 2.5, "batchmean")
hinton_case("weights_of_one", 3, 5, 1.0, soft=1.0, hard=1.0)
hinton_case("unscaled", 3, 5, 4.0, squared=False)
hinton_case("sum", 3, 5, 2.0, soft=0.5, hard=0.5, reduction="sum")
hinton_case("soft_only", 3, 5, 3.0, soft=1.0, hard=0.0)
hinton_case("hard_only", 3, 5, 3.0, soft=0.0, hard=1.0)
hinton_case("without_labels", 3, 6, 4.0, soft=1.0, hard=0.0, labelled=False)
hinton_case("ignored", 5, 6, 2.0, ignored=(0, 3))
hinton_case("smoothing", 3, 7, 2.0, smoothing=TENTH)
hinton_case("each_row", 4, 6, [1.0, 2.0, 4.0, 8.0])
hinton_case("each_row_unscaled", 3, 6, [0.5, 2.0, 20.0], squared=False)
hinton_case("row_weights", 4, 6, 2.0, row_weighted=True)
hinton_case("log_probabilities", 3, 6, 2.0, form="log_probabilities")
hinton_case("probabilities", 3, 6, 2.0, form="probabilities")
hinton_case("masked", 2, 12, 2.0, masked=(9, 11))
hinton_case("huge_logits", 2, 6, 4.0, scale=1e4)
hinton_case("wide", 2, 37, 4.0)
hinton_case("two_classes", 6, 2, 100.0)

write_files()
