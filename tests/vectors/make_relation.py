"""Writes relation.txt: losses between the samples of a batch.

    python make_relation.py          (any virtual environment with torch)
"""

import math

import torch
import torch.nn.functional as F
from tensor_case import Family, numbers

family = Family("relation", "make_relation.py")


def rows(name, samples=5, features=4, of_teacher=None, **more):
    return {
        "student": numbers(f"{name} student", samples, features),
        "teacher": numbers(f"{name} teacher", samples, of_teacher or features),
        **more,
    }


def unit(x):
    return x / x.norm(dim=-1, keepdim=True)


def duplicated(name):
    """The last sample is the first's twin, for the student alone."""
    tensors = rows(name)
    tensors["student"][-1] = tensors["student"][0]
    return tensors


# similarity preserving
def preserving(b):
    """RepDistiller, verified by the author: rows of the Gram matrix normalised."""
    s, t = (F.normalize(x @ x.T) for x in (b.student, b.teacher))
    return (t - s).square().sum() / len(s) ** 2


family.run("similarity_preserving", "RepDistiller", preserving, rows("sp"))
family.run("similarity_preserving", "wide_teacher", preserving, rows("sp2", 4, 3, 6))


# relational distance
def clamped_distances(x):
    """Park's code: squared distances by products, at least 1e-12 before the root, 0 on the diagonal."""
    squares = x.square().sum(dim=1)
    d = (squares[:, None] + squares - 2 * x @ x.T).clamp(min=1e-12).sqrt()
    return d * (1 - torch.eye(len(x)))


def distance_code(b):
    s, t = ((F.normalize(x) if b.unit_features else x) for x in (b.student, b.teacher))
    s, t = clamped_distances(s), clamped_distances(t)
    return F.smooth_l1_loss(s / s[s > 0].mean(), t / t[t > 0].mean())


def distance_paper(b):
    """Distances of different samples over their mean over pairs i != j."""
    pairs = [(i, j) for i in range(len(b.student)) for j in range(len(b.student)) if i != j]
    values = []
    for x in (b.student, b.teacher):
        d = torch.stack([(x[i] - x[j]).norm() for i, j in pairs])
        values.append(d / d.mean())
    return F.smooth_l1_loss(*values, reduction="sum") / len(b.student) ** 2


RAW, CLAMP = {"unit_features": False, "least_squared_distance": 0.0}, {"least_squared_distance": 1e-12}
family.run("relational_distance", "paper", distance_paper, rows("rkd"), RAW)
family.run("relational_distance", "RepDistiller", distance_code, rows("rkd2", 6, 3, 5), RAW | CLAMP)
family.run("relational_distance", "RepDistiller_twins", distance_code, duplicated("rkd3"), RAW | CLAMP)
family.run("relational_distance", "mmrazor", distance_code, rows("rkd4"), {"unit_features": True} | CLAMP)


# relational angle
def angle(b):
    def angles(x):
        x = F.normalize(x) if b.unit_features else x
        e = F.normalize(x.unsqueeze(0) - x.unsqueeze(1), dim=2)
        return torch.bmm(e, e.transpose(1, 2))

    return F.smooth_l1_loss(angles(b.student), angles(b.teacher))


family.run("relational_angle", "RepDistiller", angle, rows("rkda"), {"unit_features": False})
family.run("relational_angle", "wide_teacher", angle, rows("rkda2", 4, 3, 6), {"unit_features": False})
family.run("relational_angle", "mmrazor", angle, rows("rkda3"), {"unit_features": True})


# probabilistic transfer
def transfer(b):
    """Passalis' code; lengths without its epsilon unless the option says so."""

    def probabilities(x):
        x = x / (x.norm(dim=1, keepdim=True) + b.length_epsilon)
        k = (x @ x.T + 1) / 2
        return k / k.sum(dim=1, keepdim=True)

    q, p = probabilities(b.student), probabilities(b.teacher)
    return (p * torch.log((p + b.epsilon) / (q + b.epsilon))).mean()


family.run("probabilistic_transfer", "paper", transfer, rows("pkt"), {"epsilon": 0.0, "length_epsilon": 0.0})
family.run("probabilistic_transfer", "epsilon", transfer, rows("pkt2", 4, 3, 6), {"epsilon": 0.125, "length_epsilon": 0.0})
family.run("probabilistic_transfer", "Passalis", transfer, rows("pkt3"), {"epsilon": 1e-7, "length_epsilon": 1e-7, "allowed": 1e-6})


# correlation congruence
def correlations(x, b):
    products = x @ x.T
    if b.kernel == "bilinear":
        return products
    terms = [(2 * b.gamma) ** p / math.factorial(p) * products**p for p in range(b.order + 1)]
    return math.exp(-2 * b.gamma) * sum(terms)


def congruence(b):
    s, t = ((unit(x) if b.unit_features else x) for x in (b.student, b.teacher))
    difference = correlations(s, b) - correlations(t, b)
    if b.distance == "frobenius":
        return torch.dist(difference, torch.zeros_like(difference), 2) / len(s) ** 2
    return difference.square().mean()


def successive(b):
    """The authors' code, in RepDistiller."""
    delta = (b.student - b.teacher).abs()
    return (delta[:-1] * delta[1:]).sum(dim=1).mean()


GAUSSIAN = {"kernel": "gaussian", "gamma": 0.4, "order": 2}
family.run("correlation_congruence", "kd_zoo", congruence, rows("cc"), GAUSSIAN | {"unit_features": True, "distance": "mean_squared"})
family.run("correlation_congruence", "torchdistill", congruence, rows("cc2"), GAUSSIAN | {"unit_features": False, "distance": "frobenius"})
family.run("correlation_congruence", "bilinear", congruence, rows("cc3", 4, 3, 5),
           {"kernel": "bilinear", "unit_features": False, "distance": "frobenius"})  # fmt: skip
family.run("correlation_congruence", "order", congruence, rows("cc4"),
           {"kernel": "gaussian", "gamma": 0.25, "order": 4, "unit_features": True, "distance": "frobenius"})  # fmt: skip
family.run("correlation_congruence", "RepDistiller", successive, rows("cc5"),
           {"kernel": "successive", "unit_features": False, "distance": "mean_squared"})  # fmt: skip


# centred kernel alignment
def alignment(b):
    samples = len(b.student)
    if b.estimate == "biased":
        x, y = (v - v.mean(dim=0) for v in (b.student, b.teacher))
        return 1 - (y.T @ x).square().sum() / ((x.T @ x).norm() * (y.T @ y).norm())

    def independence(k, l):
        """Song et al. 2012, equation 5, of Gram matrices without their diagonals."""
        ones = torch.ones(samples)
        total = (k @ l).trace() + k.sum() * l.sum() / ((samples - 1) * (samples - 2)) - 2 / (samples - 2) * ones @ k @ l @ ones
        return total / (samples * (samples - 3))

    k, l = ((v @ v.T) * (1 - torch.eye(samples)) for v in (b.student, b.teacher))
    return 1 - independence(k, l) / (independence(k, k) * independence(l, l)).sqrt()


family.run("centered_kernel_alignment", "biased", alignment, rows("cka", 6, 4, 3), {"estimate": "biased"})
family.run("centered_kernel_alignment", "debiased", alignment, rows("cka2", 7, 4, 5), {"estimate": "debiased"})
family.run("centered_kernel_alignment", "more_features", alignment, rows("cka3", 5, 9, 8), {"estimate": "biased"})


# cross-modal relation
def cross_modal(b):
    u, v = F.normalize(b.student), F.normalize(b.teacher)
    p = F.softmax(v @ v.T / b.teacher_temperature, dim=1)
    kl = lambda logits: F.kl_div(F.log_softmax(logits / b.temperature, dim=1), p, reduction="batchmean")  # noqa: E731
    return b.cross_weight * kl(u @ v.T) + b.intra_weight * kl(u @ u.T)


for name, options in {"compress": (0.25, 0.25, 1.0, 0.0), "both": (0.5, 0.25, 1.0, 2.0), "intra": (0.125, 0.5, 0.0, 1.0)}.items():
    family.run("cross_modal_relation", name, cross_modal, rows(f"cross {name}"),
               dict(zip(("temperature", "teacher_temperature", "cross_weight", "intra_weight"), options)))  # fmt: skip


# instance relation graph
def graph(b):
    def edges(x):
        x = x.flatten(1)
        q = (x[:, None] - x[None]).square().sum(dim=2)
        return q / q.max()

    def ways(x, y):
        q = (x - y).flatten(1).square().sum(dim=1)
        return q / q.max()

    edge = F.mse_loss(edges(b.student), edges(b.teacher)) + F.mse_loss(edges(b.second), edges(b.teacher_second))
    way = F.mse_loss(ways(b.student, b.second), ways(b.teacher, b.teacher_second)) if b.transformation_weight else 0.0
    return b.edge_weight * edge / 2 + b.transformation_weight * way


for name, (edge_weight, transformation_weight) in {"kd_zoo": (5.0, 5.0), "edges": (2.0, 0.0)}.items():
    tensors = rows(f"irg {name}", 5, 4, 3, second=numbers(f"irg {name} 2", 5, 4), teacher_second=numbers(f"irg {name} 3", 5, 3))
    family.run("instance_relation_graph", name, graph, tensors,
               {"edge_weight": edge_weight, "transformation_weight": transformation_weight}, by=("student", "second"))  # fmt: skip


# locality preserving
def locality(b):
    s, t = b.student, b.teacher
    samples = len(s)
    distances = (t[:, None] - t[None]).square().sum(dim=2)
    others = distances + torch.diag(torch.full((samples,), math.inf))
    near = others.argsort(dim=1)[:, : int(b.neighbours)].tolist()
    bandwidth = b.bandwidth or torch.stack([distances[i, j] for i in range(samples) for j in near[i]]).mean()
    total = 0.0
    for i in range(samples):
        if b.weights == "heat":
            total = total + sum(torch.exp(-distances[i, j] / bandwidth) * (s[i] - s[j]).square().sum() / 2 for j in near[i])
        else:
            away = t[i] - t[near[i]]
            products = away @ away.T
            products = products + b.regularization * products.trace() * torch.eye(len(near[i]))
            a = torch.linalg.solve(products, torch.ones(len(near[i])))
            a = a / a.sum()
            total = total + (s[i] - a @ s[near[i]]).square().sum()
    return total / samples


HEAT = {"neighbours": 3, "weights": "heat", "bandwidth": 0.0, "regularization": 1e-3}
family.run("locality_preserving", "heat", locality, rows("lpkd", 6, 4, 3), HEAT)
family.run("locality_preserving", "bandwidth", locality, rows("lpkd2", 6, 4, 3), HEAT | {"bandwidth": 2.0, "neighbours": 2})
family.run("locality_preserving", "reconstruction", locality, rows("lpkd3", 6, 4, 3), HEAT | {"weights": "reconstruction"})


# similarity graph: rows of similarities, compared by forward KL without the diagonal
def similarity_graph(b):
    samples = len(b.student)

    def similarities(x):
        if b.kernel == "cosine":
            k = F.normalize(x) @ F.normalize(x).T
        else:
            k = torch.exp(-(x[:, None] - x[None]).square().sum(dim=2) / (2 * b.width**2))
        return k if b.with_self else k[~torch.eye(samples, dtype=torch.bool)].reshape(samples, samples - 1)

    q, p = (F.log_softmax(similarities(x) / b.temperature, dim=1) for x in (b.student, b.teacher))
    value = F.kl_div(q, p, log_target=True, reduction="batchmean")
    return b.temperature**2 * value if b.scale_by_temperature_squared else value


family.run("similarity_graph", "cosine", similarity_graph, rows("graph"),
           {"kernel": "cosine", "temperature": 0.125, "scale_by_temperature_squared": True, "with_self": False})  # fmt: skip
family.run("similarity_graph", "with_self", similarity_graph, rows("graph2", 4, 3, 5),
           {"kernel": "cosine", "temperature": 0.25, "scale_by_temperature_squared": False, "with_self": True})  # fmt: skip
family.run("similarity_graph", "gaussian", similarity_graph, rows("graph3"),
           {"kernel": "gaussian", "width": 2.0, "temperature": 0.5, "scale_by_temperature_squared": False, "with_self": False})  # fmt: skip

# more than a register holds
for loss, formula, options in [
    ("similarity_preserving", preserving, {}),
    ("relational_distance", distance_paper, RAW),
    ("relational_angle", angle, {"unit_features": False}),
    ("probabilistic_transfer", transfer, {"epsilon": 0.0, "length_epsilon": 0.0}),
    ("correlation_congruence", congruence, GAUSSIAN | {"unit_features": True, "distance": "mean_squared"}),
    ("centered_kernel_alignment", alignment, {"estimate": "debiased"}),
    ("similarity_graph", similarity_graph,
     {"kernel": "cosine", "temperature": 0.25, "scale_by_temperature_squared": False, "with_self": False}),
]:
    family.run(loss, "large", formula, rows(f"{loss} large", 11, 9, 10), options)

family.write()
