"""Writes exact_divergences.txt: divergences, DKD and NKD at extreme logits, printed to 20 digits.

    python make_exact_divergences.py        (any virtual environment with mpmath)

Values are the definitions. Gradients are (psi - q sum psi) f / T with psi the derivative by log q, asserted against central
differences of the values. `..._size` is what the error of a gradient is relative to, but for f / T: the largest of |psi| and p, and
the largest q times 1 + |sum psi|, from which it is made; for Renyi's times 1 + the rounded exponents of the classes that make Z.
"""

import pathlib

import mpmath
from exact_rows import log_softmax, log_sum_exp, patterns, slope, text
from mpmath import mp, mpf
from vector_file import VectorFile, float32

mp.dps = 400
TEMPERATURES = [0.05, 1.0, 100.0]  # 0.05 as the nearest float
ROWS = ["moderate", "huge", "one_hot_teacher", "one_hot_both_differ", "offset", "near_1e-6", "near_1e-3", "equal", "subnormal",
        "two_classes_apart"]  # fmt: skip
half, eighth = mpf(1) / 2, mpf(1) / 8
orders = {"renyi": half, "renyi_2": mpf(2)}
TARGET_WEIGHT, NON_TARGET_WEIGHT = 1, 2
OPTIONS = {"forward_weight": 0.25, "head_mass": 0.5, "teacher_mix": 0.125, "skew": 0.125, "overlap_decay": 3.0, "alpha": 0.5,
           "beta": 0.25, "target_weight": 1.0, "non_target_weight": 2.0}  # fmt: skip


def total(values):
    return mp.fsum(values)


def share_of(p, q):
    """The weight of forward KL in adaptive_kl at a head of half the mass; equal probabilities go together."""
    head, mass = 0, 0
    for level in sorted(set(p), reverse=True):
        mass += level * p.count(level)
        if head and mass > mpf(1) / 2:
            break
        head = level
    inside = total(abs(x - y) for x, y in zip(p, q) if x >= head)
    gap = total(abs(x - y) for x, y in zip(p, q))
    return inside / gap if gap else mpf(1) / 2


class Row:
    def __init__(self, z, t, T):
        self.log_p, self.log_q = log_softmax(t, T), log_softmax(z, T)
        self.p, self.q = [mp.exp(x) for x in self.log_p], [mp.exp(x) for x in self.log_q]

    def each(self, function):
        return [function(*four) for four in zip(self.log_p, self.log_q, self.p, self.q)]

    def forward(self):
        return total(self.each(lambda a, b, p, q: p * (a - b)))

    def reverse(self):
        return total(self.each(lambda a, b, p, q: q * (b - a)))

    def psi_reverse(self):
        return self.each(lambda a, b, p, q: q * (b - a + 1))

    def overlap(self):
        return total(self.each(lambda a, b, p, q: min(p, q)))

    def psi_distance(self):
        return self.each(lambda a, b, p, q: q * mp.sign(q - p) / 2)

    def mixed(self, share):
        """(log p, log q, log m) of m = share p + (1 - share) q, with p and q."""
        return self.each(lambda a, b, p, q: (a, b, mp.log(share * p + (1 - share) * q), p, q))


def blend(share):
    def value(row, at):
        return share(at) * row.forward() + (1 - share(at)) * row.reverse()

    def psi(row):
        s = share(row)
        return [(1 - s) * r - s * p for r, p in zip(row.psi_reverse(), row.p)]

    return value, psi


def mixture(share, of_p, of_q):
    def value(row, _):
        return total(of_p * p * (a - m) + of_q * q * (b - m) for a, b, m, p, q in row.mixed(share))

    def psi(row):
        """By log q, through the mixture too."""
        return [of_q * q * (b - m + 1) - (of_p * p + of_q * q) * (1 - share) * q / mp.exp(m) for a, b, m, p, q in row.mixed(share)]

    return value, psi


def powers(a, b):
    def value(row, _):
        rest = row.each(lambda x, y, p, q: (a * mp.exp((a + b) * x) + b * mp.exp((a + b) * y)) / (a + b))
        return (total(rest) - total(row.each(lambda x, y, p, q: mp.exp(a * x + b * y)))) / (a * b)

    def psi(row):
        return row.each(lambda x, y, p, q: mp.exp(b * y) * (mp.exp(a * y) - mp.exp(a * x)) / a)

    return value, psi


def renyi(a):
    def summands(row):
        return row.each(lambda x, y, p, q: mp.exp(a * x + (1 - a) * y))

    return (lambda row, _: mp.log(total(summands(row))) / (a - 1)), (lambda row: [-w / total(summands(row)) for w in summands(row)])


def hybrid_weight(row):
    return mp.exp(-3 * row.overlap())


divergences = {
    "reverse_kl": blend(lambda _: mpf(0)),
    "jeffreys": blend(lambda _: mpf(1) / 4),
    "adaptive_kl": blend(lambda row: share_of(row.p, row.q)),
    "jensen_shannon": mixture(eighth, eighth, 1 - eighth),
    "normalized_jensen_shannon": mixture(eighth, 1 / (1 - eighth), 1 / eighth),
    "skew_kl": mixture(eighth, 1, 0),
    "skew_reverse_kl": mixture(1 - eighth, 0, 1),
    "total_variation": (lambda row, _: 1 - row.overlap(), lambda row: row.psi_distance()),
    "negative_log_overlap": (
        lambda row, _: -mp.log(row.overlap()),
        lambda row: row.each(lambda a, b, p, q: -min(p, q) * (1 if q < p else half if q == p else 0) / row.overlap()),
    ),
    "overlap_hybrid": (
        lambda row, at: hybrid_weight(at) * row.forward() + (1 - hybrid_weight(at)) * (1 - row.overlap()),
        lambda row: [(1 - hybrid_weight(row)) * d - hybrid_weight(row) * p for d, p in zip(row.psi_distance(), row.p)],
    ),
    "brier_divergence": (lambda row, _: total(row.each(lambda a, b, p, q: (p - q) ** 2)),
                         lambda row: row.each(lambda a, b, p, q: 2 * q * (q - p))),
    "alpha_beta": powers(half, half / 2),
    "amari_alpha": powers(half, half),
    **{name: renyi(order) for name, order in orders.items()},
}  # fmt: skip


def without(row, label):
    return row[:label] + row[label + 1 :]


def binary(z, label, T):
    return log_softmax([z[label] / T, log_sum_exp(without(z, label), T)], 1)


def decoupled_kd(z, t, label, T):
    target = total(mp.exp(b) * (b - a) for a, b in zip(binary(z, label, T), binary(t, label, T)))
    others = Row(without(z, label), without(t, label), T).forward()
    return T**2 * (TARGET_WEIGHT * target + NON_TARGET_WEIGHT * others)


def normalized_kd(z, t, label, T):
    others = Row(without(z, label), without(t, label), T)
    target = -mp.exp(log_softmax(t, 1)[label]) * log_softmax(z, 1)[label]
    return target + NON_TARGET_WEIGHT * T**2 * -total(others.each(lambda a, b, p, q: p * b))


def labelled_gradients(z, t, label, T):
    others = Row(without(z, label), without(t, label), T)
    rest = [q - p for p, q in zip(others.p, others.q)]
    gap = mp.exp(binary(z, label, T)[0]) - mp.exp(binary(t, label, T)[0])
    dkd = [T * (NON_TARGET_WEIGHT * r - TARGET_WEIGHT * gap * q) for r, q in zip(rest, others.q)]
    dkd.insert(label, T * TARGET_WEIGHT * gap)
    p_y = mp.exp(log_softmax(t, 1)[label])
    hard = [mp.exp(x) - (c == label) for c, x in enumerate(log_softmax(z, 1))]
    soft = [NON_TARGET_WEIGHT * T * r for r in rest]
    soft.insert(label, mpf(0))
    return {"decoupled_kd": dkd, "normalized_kd": [p_y * h + s for h, s in zip(hard, soft)]}


def check(function, z, gradient, what):
    c = len(z) - 1
    difference = slope(lambda x: function([*z[:c], x, *z[c + 1 :]]), z[c])
    assert abs(difference - gradient[c]) <= mpf(10) ** -24 * (1 + abs(difference)), (what, difference, gradient[c])


file = VectorFile(pathlib.Path(__file__).parent / "exact_divergences.txt",
                  [f"mpmath {mpmath.__version__}, {mp.dps} digits, made by make_exact_divergences.py. Without the factor T^2, but for",
                   "decoupled_kd and normalized_kd, which have it; renyi_2 is of order 2"])  # fmt: skip
for name in ROWS:
    student, teacher, label = patterns[name]
    for temperature in TEMPERATURES:
        z, t, T = [mpf(x) for x in student], [mpf(x) for x in teacher], mpf(float32(temperature))
        here = Row(z, t, T)
        tensors = {"student": [student], "teacher": [teacher], "labels": [[label]]}
        for loss, (value, psi_of) in divergences.items():
            psi = psi_of(here)
            gradient = [(x - q * total(psi)) / T for x, q in zip(psi, here.q)]
            check(lambda x: value(Row(x, t, T), here), z, gradient, (name, temperature, loss))
            size = max(max(map(abs, psi)), *here.p) + max(here.q) * (1 + abs(total(psi)))
            if loss in orders:
                a = orders[loss]  # -psi are the shares of Z
                size *= 1 - total(w * (a * abs(x) + abs(1 - a) * abs(y)) for w, x, y in zip(psi, here.log_p, here.log_q))
            tensors |= {loss: [[value(here, here)]], f"{loss}_gradient": [gradient], f"{loss}_size": [[size]]}
        for loss, gradient in labelled_gradients(z, t, label, T).items():
            function = {"decoupled_kd": decoupled_kd, "normalized_kd": normalized_kd}[loss]
            check(lambda x: function(x, t, label, T), z, gradient, (name, temperature, loss))
            tensors |= {loss: [[function(z, t, label, T)]], f"{loss}_gradient": [gradient]}
        file.case(f"exact/{name}/{temperature}", "all", {"temperature": float32(temperature), **OPTIONS}, tensors, None, lambda x: text(x, 20))
file.write()
