"""Writes divergences.txt: the divergences beyond forward and reverse KL from their papers' formulas.

    python make_divergences.py      (any virtual environment with torch)
"""

import torch
import torch.nn.functional as F
from response_case import Family, kl, run
from vector_file import float32

family = Family("divergences", "make_divergences.py")
TENTH, FIFTH, SEVEN_TENTHS = float32(0.1), float32(0.2), float32(0.7)
UNSCALED, SCALED = {"scale_by_temperature_squared": False}, {"scale_by_temperature_squared": True}


def cases(loss, formula, chosen, *, masks=(), hot=4.0):
    """A loss in the settings that every divergence has; `masks` says what it stays finite under."""
    for n, options in enumerate(chosen):
        run(family, loss, f"plain_{n}", formula, options={**options, **UNSCALED}, columns=5 + n)
    run(family, loss, "hot", formula, temperature=hot, options={**chosen[0], **SCALED}, rows=2, columns=9)
    run(family, loss, "rows", formula, rows=4, columns=4, temperature=[0.5, 1.0, 2.0, 8.0], options={**chosen[0], **SCALED},
        ignored=(1,), weighted=True)  # fmt: skip
    run(family, loss, "masked", formula, rows=2, columns=6, temperature=2.0, options={**chosen[0], **UNSCALED}, masked=(3,))
    if "student" in masks:
        run(family, loss, "student_masked", formula, rows=2, options={**chosen[0], **UNSCALED}, student_masked=(1,))
    if "teacher" in masks:
        run(family, loss, "teacher_masked", formula, rows=2, options={**chosen[0], **UNSCALED}, teacher_masked=(2,))


cases("reverse_kl", lambda b: b.factor * kl(b.q, b.p), [{}], masks=("student",))


def jeffreys(b):
    return b.factor * (b.forward_weight * kl(b.p, b.q) + (1 - b.forward_weight) * kl(b.q, b.p))


cases("jeffreys", jeffreys, [{"forward_weight": 0.5}, {"forward_weight": FIFTH}, {"forward_weight": 1.0}])


# torchtune's SymmetricKLLoss, and DistiLLM's with the ratio on the other side: their forward KL is a soft cross entropy
def without_entropy(b):
    log_q, log_p = F.log_softmax(b.z / b.T, dim=1), F.log_softmax(b.t / b.T, dim=1)
    forward = -(log_p.exp() * log_q).sum(dim=1)
    reverse = -((log_q.exp() * log_p).sum(dim=1) - (log_q.exp() * log_q).sum(dim=1))
    return b.forward_weight * forward + (1 - b.forward_weight) * reverse


run(family, "jeffreys", "torchtune", without_entropy, options={"forward_weight": 0.5, **UNSCALED}, ignored=(2,), value=False,
    by_temperature=False)  # fmt: skip
run(family, "jeffreys", "distillm", without_entropy, options={"forward_weight": TENTH, **UNSCALED}, value=False, by_temperature=False)


def generalised_jensen_shannon(b, weight_of_p, weight_of_q):
    m = b.teacher_mix * b.p + (1 - b.teacher_mix) * b.q
    return b.factor * (weight_of_p * kl(b.p, m) + weight_of_q * kl(b.q, m))


cases("jensen_shannon", lambda b: generalised_jensen_shannon(b, b.teacher_mix, 1 - b.teacher_mix),
      [{"teacher_mix": 0.5}, {"teacher_mix": TENTH}, {"teacher_mix": 0.875}], masks=("student", "teacher"))  # fmt: skip
cases("normalized_jensen_shannon", lambda b: generalised_jensen_shannon(b, 1 / (1 - b.teacher_mix), 1 / b.teacher_mix),
      [{"teacher_mix": 0.5}, {"teacher_mix": TENTH}, {"teacher_mix": 0.984375}], masks=("student", "teacher"))  # fmt: skip
run(family, "normalized_jensen_shannon", "forward_end", lambda b: kl(b.p, b.q), options={"teacher_mix": 0.0, **UNSCALED})
run(family, "normalized_jensen_shannon", "reverse_end", lambda b: kl(b.q, b.p), options={"teacher_mix": 1.0, **UNSCALED})


def trl_jensen_shannon(b):
    """TRL's and Liger's form: a mixture of logarithms, and kl_div with the mixture as its input."""
    log_q, log_p = F.log_softmax(b.z / b.T, dim=1), F.log_softmax(b.t / b.T, dim=1)
    beta = torch.tensor(b.teacher_mix)
    log_m = torch.logsumexp(torch.stack([log_q + torch.log1p(-beta), log_p + beta.log()]), dim=0)
    of_p = F.kl_div(log_m, log_p, reduction="none", log_target=True)
    of_q = F.kl_div(log_m, log_q, reduction="none", log_target=True)
    return (beta * of_p + (1 - beta) * of_q).sum(dim=1)


run(family, "jensen_shannon", "trl", trl_jensen_shannon, options={"teacher_mix": 0.25, **UNSCALED}, temperature=2.0, ignored=(0,))


def distillm_js_distance(b):
    """`lam` is the student's share."""
    lam, p, q = 1 - b.teacher_mix, b.p, b.q
    log_m = ((1 - lam) * p + lam * q).log()
    return lam * -(q * log_m - q * q.log()).sum(dim=1) + (1 - lam) * -(p * log_m - p * p.log()).sum(dim=1)


run(family, "jensen_shannon", "distillm", distillm_js_distance, options={"teacher_mix": TENTH, **UNSCALED}, by_temperature=False)

cases("skew_kl", lambda b: b.factor * kl(b.p, b.skew * b.p + (1 - b.skew) * b.q),
      [{"skew": TENTH}, {"skew": 0.5}, {"skew": 0.0}], masks=("student", "teacher"))  # fmt: skip
run(family, "skew_kl", "distillm", lambda b: -(b.p * (b.skew * b.p + (1 - b.skew) * b.q).log()).sum(dim=1),
    options={"skew": TENTH, **UNSCALED}, ignored=(1,), value=False, by_temperature=False)  # fmt: skip


def skew_reverse_kl(b):
    m = (1 - b.skew) * b.p + b.skew * b.q
    return b.factor * kl(b.q, m.detach() if b.detach_mixture else m)


cases("skew_reverse_kl", skew_reverse_kl, [{"skew": TENTH, "detach_mixture": False}, {"skew": 0.5, "detach_mixture": False},
      {"skew": TENTH, "detach_mixture": True}], masks=("student", "teacher"))  # fmt: skip


def adaptive_kl(b):
    """LLM_KD_AKL: the head are the sorted classes while their sum stays within head_mass, and the first."""
    p, order = b.p.sort(dim=1, descending=True)
    outside = p.cumsum(dim=1) > b.head_mass
    outside[:, 0] = False
    gap = (p - b.q.gather(1, order)).abs().detach()
    head, tail = gap.masked_fill(outside, 0).sum(dim=1), gap.masked_fill(~outside, 0).sum(dim=1)
    share = head / (head + tail)
    return b.factor * (share * kl(b.p, b.q) + (1 - share) * kl(b.q, b.p))


cases("adaptive_kl", adaptive_kl, [{"head_mass": 0.5}, {"head_mass": 0.9375}, {"head_mass": 0.0}])
cases("total_variation", lambda b: b.factor * 0.5 * (b.p - b.q).abs().sum(dim=1), [{}], masks=("student", "teacher"))
run(family, "total_variation", "overlap", lambda b: 1 - torch.minimum(b.p, b.q).sum(dim=1), options=UNSCALED)

cases("negative_log_overlap", lambda b: b.factor * -torch.minimum(b.p, b.q).sum(dim=1).log(), [{}], masks=("student", "teacher"))
run(family, "negative_log_overlap", "apart", lambda b: -torch.minimum(b.p, b.q).sum(dim=1).log(), scale=30.0, options=UNSCALED)


def overlap_hybrid(b):
    overlap = torch.minimum(b.p, b.q).sum(dim=1)
    weight = torch.exp(-b.overlap_decay * overlap.detach())
    return b.factor * (weight * kl(b.p, b.q) + (1 - weight) * (1 - overlap))


cases("overlap_hybrid", overlap_hybrid, [{"overlap_decay": 3.0}, {"overlap_decay": 0.5}], masks=("teacher",))


def alpha_beta(b):
    """Cichocki, Cruces, Amari 2011, equation 19, and its limits, where ABKD has 1 / alpha in the place of 1 / alpha^2."""
    a, c, p, q = b.alpha, b.beta, b.p, b.q
    if a == 0 and c == 0:
        terms = (p.log() - q.log()).square() / 2
    elif a == 0:
        terms = (q**c * (q**c / p**c).log() - q**c + p**c) / c**2
    elif c == 0:
        terms = (p**a * (p**a / q**a).log() - p**a + q**a) / a**2
    elif a + c == 0:
        terms = ((q**a / p**a).log() + p**a / q**a - 1) / a**2
    else:
        terms = -(p**a * q**c - a / (a + c) * p ** (a + c) - c / (a + c) * q ** (a + c)) / (a * c)
    return b.factor * terms.sum(dim=1)


cases("alpha_beta", alpha_beta, [{"alpha": FIFTH, "beta": SEVEN_TENTHS}, {"alpha": 1.0, "beta": 0.0}, {"alpha": 0.0, "beta": 1.0},
      {"alpha": 0.5, "beta": 0.0}, {"alpha": 0.0, "beta": 0.5}, {"alpha": 0.5, "beta": -0.5}, {"alpha": 0.0, "beta": 0.0},
      {"alpha": 1.5, "beta": -0.25}])  # fmt: skip

cases("renyi", lambda b: b.factor * (b.p**b.alpha * b.q ** (1 - b.alpha)).sum(dim=1).log() / (b.alpha - 1),
      [{"alpha": 0.5}, {"alpha": 2.0}, {"alpha": 0.984375}])  # fmt: skip
run(family, "renyi", "order_1", lambda b: kl(b.p, b.q), options={"alpha": 1.0, **UNSCALED})

cases("amari_alpha", lambda b: b.factor * ((b.p**b.alpha * b.q ** (1 - b.alpha)).sum(dim=1) - 1) / (b.alpha * (b.alpha - 1)),
      [{"alpha": 0.5}, {"alpha": 2.0}, {"alpha": -1.0}, {"alpha": 0.015625}])  # fmt: skip
run(family, "amari_alpha", "order_1", lambda b: kl(b.p, b.q), options={"alpha": 1.0, **UNSCALED})
run(family, "amari_alpha", "order_0", lambda b: kl(b.q, b.p), options={"alpha": 0.0, **UNSCALED})


def alphanet(b):
    """AlphaNet's and ABKD's surrogate, whose gradient alone is right; ratios here are far below their clip of 1000."""
    p, q, log_q = b.p.detach(), b.q.detach(), F.log_softmax(b.z, dim=1)
    rho = (p / q) ** b.alpha / b.alpha + 1 / (b.alpha * (b.alpha - 1))
    return -(q * rho * log_q).sum(dim=1)


run(family, "amari_alpha", "alphanet", alphanet, scale=1.0, options={"alpha": -1.0, **UNSCALED}, value=False, by_temperature=False)

cases("brier_divergence", lambda b: b.factor * (b.p - b.q).square().sum(dim=1), [{}], masks=("student", "teacher"))
run(family, "brier_divergence", "scores", lambda b: (b.p - b.q).square().sum(dim=1), temperature=0.03125, scale=0.1, options=UNSCALED)


def mean_squared_logits(b):
    z, t = b.z / b.T, b.t / b.T
    d = z - t
    if b.centred:
        d, t = d - d.mean(dim=1, keepdim=True), t - t.mean(dim=1, keepdim=True)
    values = d.square().sum(dim=1) if b.classes == "sum" else d.square().mean(dim=1)
    return values / t.square().mean(dim=1) if b.relative else values


for classes in "mean", "sum":
    for centred in False, True:
        for relative in False, True:
            run(family, "mean_squared_logits", f"{classes}{'_centred' * centred}{'_relative' * relative}", mean_squared_logits, rows=2,
                temperature=2.0, options={"classes": classes, "centred": centred, "relative": relative})  # fmt: skip
BARE = {"classes": "mean", "centred": False, "relative": False}
run(family, "mean_squared_logits", "rows", mean_squared_logits, rows=4, columns=4, temperature=[0.5, 1.0, 2.0, 8.0], options=BARE,
    ignored=(1,), weighted=True)  # fmt: skip
run(family, "mean_squared_logits", "masked", mean_squared_logits, columns=7, options={**BARE, "centred": True}, masked=(0, 4))
# nn.MSELoss on logits over the temperature, as TextBrewer calls it
run(family, "mean_squared_logits", "text_brewer", lambda b: F.mse_loss(b.z / b.T, b.t / b.T, reduction="none").mean(dim=1),
    temperature=4.0, options=BARE, by_temperature=False)  # fmt: skip

family.write()
