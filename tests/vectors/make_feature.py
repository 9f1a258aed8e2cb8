"""Writes feature.txt: losses between feature maps.

    python make_feature.py          (any virtual environment with torch)
"""

import math

import torch
import torch.nn.functional as F
from tensor_case import Family, numbers, positive
from vector_file import float32

family = Family("feature", "make_feature.py")


def maps(name, *shape, teacher=None, scale=1.0, **more):
    """A student, and a teacher of its shape unless another is given."""
    return {
        "student": numbers(f"{name} student", *shape, scale=scale),
        "teacher": numbers(f"{name} teacher", *(teacher or shape), scale=scale),
        **more,
    }


def mean_of(values, weights):
    return (weights * values).sum() / weights.sum()


def unit(x, dim):
    return x / x.norm(dim=dim, keepdim=True)


# attention transfer
def attention_code(b):
    look = lambda f: F.normalize(f.pow(2).mean(dim=1).flatten(1))  # noqa: E731
    return (look(b.student) - look(b.teacher)).pow(2).mean()


def attention_paper(b):
    look = lambda f: unit(f.abs().pow(b.power).sum(dim=1).flatten(1), 1)  # noqa: E731
    values = (look(b.student) - look(b.teacher)).norm(dim=1)
    return mean_of(values, b.weights.reshape(-1)) if hasattr(b, "weights") else values.mean()


family.run("attention_transfer", "authors", attention_code, maps("at", 3, 4, 2, 3, teacher=(3, 5, 2, 3)),
           {"power": 2.0, "distance": "mean_square"})  # fmt: skip
family.run("attention_transfer", "torchdistill_paper", attention_paper, maps("at2", 2, 3, 3, 2), {"power": 2.0, "distance": "norm"})
family.run("attention_transfer", "power", attention_paper, maps("at3", 3, 4, 2, 3, weights=positive("at3", 3)),
           {"power": 3.0, "distance": "norm"})  # fmt: skip


# channel-wise
def channel_wise(b):
    """The authors' code: softmax over positions, the sum of p (log p - log q) times T^2 over N C."""
    samples, channels = b.student.shape[:2]
    soft = lambda x: F.log_softmax(x.flatten(2) / b.temperature, dim=2)  # noqa: E731
    q, p = soft(b.student), soft(b.teacher)
    values = (p.exp() * (p - q)).sum(dim=(1, 2)) / channels
    weights = b.weights.reshape(-1) if hasattr(b, "weights") else torch.ones(samples)
    factor = b.temperature.square().sum() if b.temperature_squared else 1.0
    return factor * mean_of(values, weights)


for name, T, squared, weighted in [("mmrazor", 1.0, True, False), ("warm", 4.0, True, True), ("unscaled", 0.5, False, False)]:
    tensors = maps(f"cwd {name}", 3, 4, 2, 3, temperature=torch.tensor([T]))
    if weighted:
        tensors["weights"] = positive(name, 3)
    family.run("channel_wise", name, channel_wise, tensors, {"temperature_squared": squared}, by=("student", "temperature"))


# hint
HINT = {"distance": "squared", "normalize": "none", "reduce": "element_mean"}
family.run("hint", "mdistiller", lambda b: F.mse_loss(b.student, b.teacher), maps("hint", 3, 4, 2, 3), HINT)


def mmrazor_l2(b):
    s, t = (unit(x.flatten(1), 1) for x in (b.student, b.teacher))
    return (s - t).pow(2).sum() / len(s)


family.run("hint", "mmrazor", mmrazor_l2, maps("hint2", 3, 4, 2, 3), HINT | {"normalize": "samples", "reduce": "sample_mean"})


def masked_tokens(b):
    """TextBrewer's hid_mse_loss of states B x length x features."""
    s, t = (x.flatten(2).transpose(1, 2) for x in (b.student, b.teacher))
    mask = b.weights.reshape(s.shape[:2])
    return (F.mse_loss(s, t, reduction="none") * mask.unsqueeze(-1)).sum() / (mask.sum() * s.shape[-1])


family.run("hint", "text_brewer_mask", masked_tokens,
           maps("hint3", 2, 5, 1, 4, weights=torch.tensor([1.0, 1, 1, 0, 1, 1, 0, 0])), HINT)  # fmt: skip
family.run("hint", "text_brewer_pkd", lambda b: (unit(b.student, 1) - unit(b.teacher, 1)).pow(2).sum(dim=-1).mean(),
           maps("hint4", 5, 4), HINT | {"normalize": "samples", "reduce": "sample_mean"})  # fmt: skip


def unit_positions(b):
    return F.smooth_l1_loss(F.normalize(b.student, dim=1), F.normalize(b.teacher, dim=1), beta=b.beta)


family.run("hint", "smooth_l1", unit_positions, maps("hint5", 3, 4, 2, 3),
           HINT | {"distance": "smooth_l1", "beta": 0.25, "normalize": "positions"})  # fmt: skip
family.run("hint", "sum", lambda b: F.smooth_l1_loss(b.student, b.teacher, reduction="sum"), maps("hint6", 2, 3, 2, 2),
           HINT | {"distance": "smooth_l1", "beta": 1.0, "reduce": "sum"})  # fmt: skip


# through a regressor or a pooling
for name, shape in {"fitnets": (3, 4, 2, 3), "tokens": (2, 4, 1, 5)}.items():
    wide = (shape[0], 5, *shape[2:])
    family.run("linear_projector", name, lambda b: F.mse_loss(F.conv2d(b.student, b.weight[:, :, None, None], b.bias), b.teacher),
               maps(f"regressor {name}", *shape, teacher=wide, weight=numbers(f"weight {name}", 5, 4), bias=numbers(f"bias {name}", 5)),
               by=("student", "weight", "bias"))  # fmt: skip
for loss, pool in {"adaptive_average_pool": F.adaptive_avg_pool2d, "adaptive_max_pool": F.adaptive_max_pool2d}.items():
    for name, small in {"uneven": (3, 2), "even": (2, 3), "one": (1, 1)}.items():
        family.run(loss, name, lambda b: F.mse_loss(pool(b.student, b.teacher.shape[2:]), b.teacher),  # noqa: B023
                   maps(f"{loss} {name}", 2, 3, 4, 6, teacher=(2, 3, *small)))  # fmt: skip


# neuron selectivity
def selectivity(b):
    """RepDistiller's formula, with the kernels of the paper: means over all pairs of channels of each sample."""
    x, y = (F.normalize(f.flatten(2), dim=2) for f in (b.student, b.teacher))

    def mean(u, v):
        inner = torch.einsum("bip,bjp->bij", u, v)
        if b.kernel == "gaussian":
            inner = torch.exp(-(u[:, :, None] - v[:, None]).square().sum(dim=3) / (2 * b.variance))
        elif b.kernel == "polynomial":
            inner = inner.pow(2)
        return inner.mean(dim=(1, 2))

    values = mean(x, x) + mean(y, y) - 2 * mean(x, y)
    return mean_of(values, b.weights.reshape(-1)) if hasattr(b, "weights") else values.mean()


family.run("neuron_selectivity", "RepDistiller", selectivity, maps("nst", 3, 4, 2, 3, teacher=(3, 5, 2, 3)), {"kernel": "polynomial"})
family.run("neuron_selectivity", "linear", selectivity, maps("nst2", 2, 3, 2, 3), {"kernel": "linear"})
family.run("neuron_selectivity", "gaussian", selectivity, maps("nst3", 3, 4, 2, 3, weights=positive("nst3", 3)),
           {"kernel": "gaussian", "variance": 0.5})  # fmt: skip


# solution flow
def flow(b):
    s = torch.einsum("baij,bcij->bac", b.student, b.second) / b.student[0, 0].numel()
    t = torch.einsum("baij,bcij->bac", b.teacher, b.teacher_second) / b.teacher[0, 0].numel()
    values = (s - t).pow(2).sum(dim=(1, 2))
    weights = b.weights.reshape(-1) if hasattr(b, "weights") else torch.ones(len(values))
    mean = mean_of(values, weights)
    return mean / s[0].numel() if b.reduce == "element_mean" else mean


def flow_case(name, reduce, **more):
    tensors = {"student": numbers(f"fsp {name} 1", 3, 4, 2, 3), "second": numbers(f"fsp {name} 2", 3, 2, 2, 3),
               "teacher": numbers(f"fsp {name} 3", 3, 4, 3, 3), "teacher_second": numbers(f"fsp {name} 4", 3, 2, 3, 3), **more}  # fmt: skip
    family.run("solution_flow", name, flow, tensors, {"reduce": reduce}, by=("student", "second"))


flow_case("RepDistiller", "element_mean")
flow_case("paper", "sample_mean")
flow_case("weighted", "sample_mean", weights=positive("fsp", 3))


# hierarchical context
def hierarchical(b):
    """The authors' code."""
    height = b.student.shape[2]
    loss, weight, total = F.mse_loss(b.student, b.teacher), 1.0, 1.0
    for level in (4, 2, 1):
        if level >= height:
            continue
        weight /= 2
        s, t = (F.adaptive_avg_pool2d(f, (level, level)) for f in (b.student, b.teacher))
        loss = loss + F.mse_loss(s, t) * weight
        total += weight
    return loss / total


for name, shape in {"authors": (2, 3, 5, 7), "low": (3, 4, 2, 3), "narrow": (2, 2, 8, 3)}.items():
    family.run("hierarchical_context", name, hierarchical, maps(f"hcl {name}", *shape))


# activation boundaries
def boundaries(b):
    s, t, m = b.student, b.teacher, b.margin
    loss = (s + m).pow(2) * ((s > -m) & (t <= 0)) + (s - m).pow(2) * ((s <= m) & (t > 0))
    return loss.sum() / len(s) / b.divisor


family.run("activation_boundaries", "paper", boundaries, maps("ab", 3, 4, 2, 3), {"margin": 1.0, "divisor": 1.0})
# RepDistiller: l / 1000 * 3, times 2^(i - n + 1) for layer i of n
family.run("activation_boundaries", "RepDistiller_last", lambda b: boundaries(b) * b.divisor / 1000 * 3, maps("ab2", 3, 4, 2, 3),
           {"margin": 1.0, "divisor": 1000 / 3})  # fmt: skip
family.run("activation_boundaries", "margin", boundaries, maps("ab3", 5, 4), {"margin": 0.25, "divisor": 2.0})


# overhaul
def overhaul(b):
    """The authors' code: no error where the student stays below a target that is not positive."""
    target = torch.max(b.teacher, b.margins.reshape(1, -1, 1, 1))
    loss = (b.student - target).pow(2) * ((b.student > target) | (target > 0))
    return loss.sum() / len(loss) / b.divisor


def margin_of(scale, bias):
    """The mean of a normal variable given that it is negative, by numerical integration; -3 s where that is rare."""
    s = abs(scale)
    below = 0.5 * math.erfc(bias / s / math.sqrt(2))
    if below <= 0.001:
        return -3 * s
    x = torch.linspace(min(bias, 0.0) - 12 * s, 0.0, 400001)
    density = torch.exp(-((x - bias) / s) ** 2 / 2) / (s * math.sqrt(2 * math.pi))
    return (torch.trapezoid(x * density, x) / torch.trapezoid(density, x)).item()


scales, biases = torch.tensor([1.0, 0.5, -2.0, 0.25]), torch.tensor([0.25, -0.5, 1.0, 1.5])
margins = torch.tensor([margin_of(s, c) for s, c in zip(scales.tolist(), biases.tolist())])
family.run("overhaul", "authors_cifar", overhaul, maps("ofd", 3, 4, 2, 3, scales=scales, biases=biases, margins=margins), {"divisor": 1000.0})
family.run("overhaul", "divisor", overhaul, maps("ofd2", 2, 4, 3, 2, scales=scales, biases=biases, margins=margins), {"divisor": 2.0})


# variational information
def variational(b):
    a = b.variance_parameter.reshape(1, -1, 1, 1)
    if b.form == "softplus":
        v = torch.log(1 + torch.exp(a)) + b.epsilon
        loss = 0.5 * ((b.student - b.teacher).pow(2) / v + torch.log(v))
    else:
        loss = (b.student - b.teacher).pow(2) / (torch.exp(a) + b.epsilon) + a
    return loss.mean()


# RepDistiller starts where the variance is 5; epsilon 1e-5
start = torch.full((4,), math.log(math.exp(5.0 - 1e-5) - 1))
for name, a, form, epsilon in [("RepDistiller", start, "softplus", 1e-5), ("learned", numbers("vid", 4), "softplus", 1e-5),
                               ("torchdistill_pad", numbers("pad", 4), "exponential", 1e-6)]:  # fmt: skip
    family.run("variational_information", name, variational, maps(f"vid {name}", 3, 4, 2, 3, variance_parameter=a),
               {"form": form, "epsilon": epsilon}, by=("student", "variance_parameter"))  # fmt: skip


# Pearson
def pearson(b):
    """mmrazor's pkd_loss: channels standardised over the batch by unbiased deviations, then half the mean square."""

    def norm(x):
        channels = x.transpose(0, 1).flatten(1)
        return (channels - channels.mean(dim=1, keepdim=True)) / (channels.std(dim=1, keepdim=True) + b.epsilon)

    return F.mse_loss(norm(b.student), norm(b.teacher)) / 2


family.run("pearson", "mmrazor", pearson, maps("pkd", 3, 4, 2, 3), {"epsilon": 1e-6})
family.run("pearson", "epsilon", pearson, maps("pkd2", 2, 3, 2, 2), {"epsilon": 0.25})
family.run("pearson", "rows", pearson, maps("pkd3", 5, 4), {"epsilon": 0.0})


# hidden cosine
def cosine_tokens(b):
    """DistilBERT and TextBrewer's cos_loss: the mean over the tokens that count. PyTorch adds 1e-12 to squared lengths."""
    s, t = (x.flatten(2).transpose(1, 2).reshape(-1, x.shape[1]) for x in (b.student, b.teacher))
    keep = b.weights.reshape(-1) > 0
    return F.cosine_embedding_loss(s[keep], t[keep], torch.ones(int(keep.sum())), reduction="mean")


family.run("hidden_cosine", "text_brewer", cosine_tokens, maps("cos", 2, 5, 1, 4, weights=torch.tensor([1.0, 1, 1, 0, 1, 1, 0, 0])),
           {"reduce": "element_mean", "allowed": 1e-11})  # fmt: skip
family.run("hidden_cosine", "samples", lambda b: (1 - F.cosine_similarity(b.student, b.teacher, dim=1)).sum() / len(b.student),
           maps("cos2", 3, 4, 2, 3), {"reduce": "sample_mean"})  # fmt: skip


# factor transfer
def factor(b):
    if b.factor == "elements":
        s, t = (unit(x.flatten(1), 1) for x in (b.student, b.teacher))
    else:
        s, t = (F.normalize(x.pow(b.power).mean(dim=1).flatten(1)) for x in (b.student, b.teacher))
    return (s - t).abs().mean() if b.distance == "absolute" else (s - t).pow(2).mean()


family.run("factor_transfer", "torchdistill", factor, maps("ft", 3, 4, 2, 3), {"factor": "elements", "distance": "absolute"})
family.run("factor_transfer", "RepDistiller", factor, maps("ft2", 3, 4, 2, 3, teacher=(3, 5, 2, 3)),
           {"factor": "attention_map", "distance": "absolute", "power": 2})  # fmt: skip
family.run("factor_transfer", "squared", factor, maps("ft3", 5, 4), {"factor": "elements", "distance": "squared"})


# inter-channel correlation
def inter_channel(b):
    """The authors' code: rows of the channels' Gram matrix normalised, over samples times channels."""
    gram = lambda x: F.normalize(torch.bmm(x.flatten(2), x.flatten(2).transpose(1, 2)), dim=2)  # noqa: E731
    return (gram(b.student) - gram(b.teacher)).square().sum() / (b.student.shape[0] * b.student.shape[1])


family.run("inter_channel_correlation", "authors", inter_channel, maps("ickd", 3, 4, 2, 3))
family.run("inter_channel_correlation", "positions", inter_channel, maps("ickd2", 2, 3, 3, 2, teacher=(2, 3, 4, 4)))

# masked generative, of what the generator made
family.run("masked_generative", "mmrazor", lambda b: F.mse_loss(b.student, b.teacher, reduction="sum") / len(b.student),
           maps("mgd", 3, 4, 2, 3))  # fmt: skip


# softmax regression
def regression(b):
    s, t = (x.mean(dim=(2, 3)) for x in (b.student, b.teacher))
    return b.feature_weight * F.mse_loss(s, t) + b.score_weight * F.mse_loss(s @ b.classifier.T, t @ b.classifier.T)


for name, weights in {"authors": (1.0, 5.0), "weights": (0.5, 2.0)}.items():
    family.run("softmax_regression", name, regression, maps(f"srrl {name}", 3, 4, 2, 3, classifier=numbers("classifier", 5, 4)),
               {"feature_weight": weights[0], "score_weight": weights[1]})  # fmt: skip


# localization
def localization(b):
    """mmdetection's knowledge_distillation_kl_div_loss, a mean over the bins, or a mean over the edges."""
    s, t = (x.reshape(len(x) * b.edges, -1) / b.temperature for x in (b.student, b.teacher))
    values = F.kl_div(F.log_softmax(s, dim=1), F.softmax(t, dim=1), reduction="none")
    values = (values.mean(dim=1) if b.reduce == "bin_mean" else values.sum(dim=1)) * b.temperature.square().sum()
    return mean_of(values, b.weights.reshape(-1)) if hasattr(b, "weights") else values.mean()


family.run("localization", "mmdetection", localization, maps("ld", 3, 20, scale=2.0, temperature=torch.tensor([10.0])),
           {"edges": 4, "reduce": "bin_mean"}, by=("student", "temperature"))  # fmt: skip
family.run("localization", "edges", localization, maps("ld2", 5, 8, temperature=torch.tensor([2.0]), weights=positive("ld2", 10)),
           {"edges": 2, "reduce": "edge_mean"}, by=("student", "temperature"))  # fmt: skip


# attention hint
def attention_hint(b):
    """The spatial attention of focal and global distillation, of the teacher alone."""
    v = b.teacher.abs().pow(b.power).mean(dim=1).flatten(1)
    a = v.shape[1] * (F.softmax(v / b.temperature, dim=1) if b.weighting == "softmax" else v / v.sum(dim=1, keepdim=True))
    return (a.unsqueeze(1) * (b.student - b.teacher).flatten(2).square()).mean()


family.run("attention_hint", "fgd", attention_hint, maps("fgd", 3, 4, 2, 3), {"weighting": "softmax", "temperature": 0.5, "power": 1.0})
family.run("attention_hint", "normalized", attention_hint, maps("fgd2", 2, 3, 3, 2),
           {"weighting": "normalized", "temperature": 0.5, "power": 2.0})  # fmt: skip


# semantic calibration
def calibration(b):
    means = torch.stack([(b.student - b.teacher).square().mean(dim=(1, 2, 3)), (b.second - b.teacher_second).square().mean(dim=(1, 2, 3))], 1)
    return (F.softmax(b.scores, dim=1) * means).sum(dim=1).mean()


family.run("semantic_calibration", "authors", calibration,
           maps("semckd", 3, 4, 2, 3, second=numbers("semckd 2", 3, 2, 3, 3), teacher_second=numbers("semckd 3", 3, 2, 3, 3),
                scores=numbers("semckd 4", 3, 2)), by=("student", "second", "scores"))  # fmt: skip


# attention guided, as mmrazor has it without its adaptation layers
def guided(b):
    s, t = b.student, b.teacher
    samples, channels, height, width = s.shape

    def mask(x, dim, size):
        return (F.softmax(x.flatten(1) / b.temperature, dim=1) * size).reshape(x.shape)

    with torch.no_grad():
        at = lambda x: x.abs().mean(dim=1, keepdim=True)  # noqa: E731
        of = lambda x: x.abs().mean(dim=(2, 3), keepdim=True)  # noqa: E731
        spatial = mask(at(s) + at(t), 1, height * width)
        channel = mask(of(s) + of(t), 1, channels)
        if b.masks == "averaged":  # the public code: half the sum of both masks over positions, none over channels
            spatial = (mask(at(s), 1, height * width) + mask(at(t), 1, height * width)) / 2
            channel = torch.ones_like(channel)
    masked = ((s - t).square() * spatial * channel).sum().sqrt()
    looks = (lambda x: x) if b.pooling == "mean" else torch.abs
    by_channel = (looks(s).mean(dim=(2, 3)) - looks(t).mean(dim=(2, 3))).norm()
    by_position = (looks(s).mean(dim=1) - looks(t).mean(dim=1)).norm()
    return b.masked_weight * masked + b.channel_weight * by_channel + b.spatial_weight * by_position


family.run("attention_guided", "paper", guided, maps("fbkd", 3, 4, 2, 3),
           {"masks": "joint", "pooling": "magnitude", "temperature": 0.5,
            "masked_weight": 1.0, "channel_weight": 2.0, "spatial_weight": 3.0})  # fmt: skip
family.run("attention_guided", "mmrazor", guided, maps("fbkd2", 2, 3, 3, 2),
           {"masks": "averaged", "pooling": "mean", "temperature": 0.5,
            "masked_weight": 7e-5, "channel_weight": 4e-3, "spatial_weight": 4e-3})  # fmt: skip


# patch relations
def patches(b):
    x, y = (F.normalize(f.flatten(2).transpose(1, 2), dim=2) for f in (b.student, b.teacher))
    error = lambda u, v: F.mse_loss(u @ u.transpose(-1, -2), v @ v.transpose(-1, -2))  # noqa: E731
    drawn = b.sampled.reshape(-1).long()
    random = error(x.reshape(-1, x.shape[2])[drawn], y.reshape(-1, y.shape[2])[drawn])
    return b.intra_weight * error(x, y) + b.inter_weight * error(x.transpose(0, 1), y.transpose(0, 1)) + b.random_weight * random


family.run("patch_relations", "authors", patches,
           maps("patches", 3, 4, 2, 3, teacher=(3, 5, 2, 3), sampled=torch.tensor([16, 3, 8, 11, 0])),
           {"intra_weight": 4.0, "inter_weight": float32(0.1), "random_weight": float32(0.2)})  # fmt: skip


# singular vectors
def singular(b):
    """RepDistiller's formula, with the teacher's vectors turned to a sum >= 0."""
    k, candidates = b.vectors, b.vectors + b.more_candidates

    def vectors(student, teacher):
        positions = lambda f: f.flatten(2).transpose(1, 2)  # noqa: E731
        own = torch.linalg.svd(positions(student), full_matrices=False).Vh.transpose(1, 2)[:, :, :candidates]
        _, values, other = torch.linalg.svd(positions(teacher), full_matrices=False)
        other = other.transpose(1, 2)[:, :, :k]
        other = other * torch.where(other.sum(dim=1, keepdim=True) < 0, -1.0, 1.0)
        cosine = torch.bmm(own.detach().transpose(1, 2), other)
        nearest = cosine.abs() == cosine.abs().max(dim=1, keepdim=True).values
        share = F.normalize(values[:, :k], dim=1).unsqueeze(1)
        return torch.bmm(own, nearest * cosine.sign()) * share, other * share

    a, c = vectors(b.student, b.teacher)
    second, d = vectors(b.second, b.teacher_second)
    near = lambda x, y: torch.exp(-(x.unsqueeze(2) - y.unsqueeze(1)).square() / 8)  # noqa: E731
    return (near(a, second) - near(c, d)).square().sum() / len(a)


for name, k in {"RepDistiller": 1, "two": 2}.items():
    tensors = maps(f"svd {name}", 3, 4, 2, 3, second=numbers(f"svd 2 {name}", 3, 5, 3, 2), teacher_second=numbers(f"svd 3 {name}", 3, 5, 3, 3))
    family.run("singular_vectors", name, singular, tensors, {"vectors": k, "more_candidates": 3}, by=("student", "second"))

# more than a register holds
for loss, formula, options in [
    ("attention_transfer", attention_code, {"power": 2.0, "distance": "mean_square"}),
    ("hint", lambda b: F.mse_loss(b.student, b.teacher), HINT),
    ("neuron_selectivity", selectivity, {"kernel": "polynomial"}),
    ("hierarchical_context", hierarchical, {}),
    ("pearson", pearson, {"epsilon": 1e-6}),
    ("overhaul", overhaul, {"divisor": 1.0}),
]:
    normalisation = {"scales": scales, "biases": biases, "margins": margins} if loss == "overhaul" else {}
    family.run(loss, "large", formula, maps(f"{loss} large", 2, 4, 5, 7, **normalisation), options)
family.run("channel_wise", "large", channel_wise, maps("cwd large", 2, 4, 5, 7, temperature=torch.tensor([2.0])),
           {"temperature_squared": True}, by=("student", "temperature"))  # fmt: skip

family.write()
