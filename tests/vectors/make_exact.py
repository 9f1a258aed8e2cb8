"""Writes exact.txt: losses at extreme logits, from arithmetic of hundreds of digits, printed to 30.

    python make_exact.py            (any virtual environment with mpmath; the header of the file names the version used)

Logits and temperatures are floats first and exact from then on. Values are the definitions, digit for digit. Gradients are closed forms,
each asserted here against central differences of the values; derivatives by the temperature are those differences.
"""

import pathlib

import mpmath
from exact_rows import log_softmax, log_sum_exp, patterns, slope, text
from mpmath import mp, mpf
from vector_file import VectorFile, float32

SHORT_ROW_DIGITS, LONG_ROW_DIGITS = 400, 80  # a value of 1e-300 is the difference of two normalizers
TEMPERATURES = [0.05, 0.5, 1.0, 4.0, 100.0]  # 0.05 as the nearest float
SOFT_WEIGHT, HARD_WEIGHT = 0.75, 0.25


def softmax(z, T):
    return [mp.exp(x) for x in log_softmax(z, T)]


def entropy(z, T):
    return -mp.fsum(mp.exp(x) * x for x in log_softmax(z, T))


def cross_entropy(z, label):
    return log_sum_exp(z, 1) - z[label]


def soft_cross_entropy(z, t, T):
    return -mp.fsum(p * x for p, x in zip(softmax(t, T), log_softmax(z, T)))


def forward_kl(z, t, T):
    return mp.fsum(mp.exp(y) * (y - x) for x, y in zip(log_softmax(z, T), log_softmax(t, T)))


def hinton_kd(z, t, label, T):
    return HARD_WEIGHT * cross_entropy(z, label) + SOFT_WEIGHT * T**2 * forward_kl(z, t, T)


def entropy_gradient(z, T):
    value = entropy(z, T)
    return [-mp.exp(x) * (x + value) / T for x in log_softmax(z, T)]


def cross_entropy_gradient(z, label):
    return [q - (c == label) for c, q in enumerate(softmax(z, 1))]


def forward_kl_gradient(z, t, T):
    return [(q - p) / T for q, p in zip(softmax(z, T), softmax(t, T))]


def hinton_kd_gradient(z, t, label, T):
    pairs = zip(cross_entropy_gradient(z, label), forward_kl_gradient(z, t, T))
    return [HARD_WEIGHT * hard + SOFT_WEIGHT * T**2 * soft for hard, soft in pairs]


def check(function, z, gradient, classes):
    for c in classes:
        difference = slope(lambda x: function([*z[:c], x, *z[c + 1 :]]), z[c])
        assert abs(difference - gradient[c]) < mpf(10) ** -40, (c, difference, gradient[c])


def write(file, name, student, teacher, label, temperature, *, classes=None, formulas=None):
    """`classes` picks the entries of the gradients that are written and checked; the inputs are then formulas."""
    mp.dps = SHORT_ROW_DIGITS if classes is None else LONG_ROW_DIGITS
    z, t, T = [mpf(x) for x in student], [mpf(x) for x in teacher], mpf(float32(temperature))
    picked = range(len(z)) if classes is None else classes
    tensors = {"labels": [[label]]}
    tensors |= {"student": [student], "teacher": [teacher]} if classes is None else {"classes": [classes]}

    def put(loss, value, gradient, function, by_temperature):
        check(function, z, gradient, picked if classes is None and T >= 0.5 else picked[:1])
        tensors[loss] = [[value]]
        tensors[f"{loss}_gradient"] = [[gradient[c] for c in picked]]
        if by_temperature:
            tensors[f"{loss}_by_temperature"] = [[slope(by_temperature, T)]]

    put("log_sum_exp", log_sum_exp(z, T), [q / T for q in softmax(z, T)], lambda x: log_sum_exp(x, T), lambda s: log_sum_exp(z, s))
    put("entropy", entropy(z, T), entropy_gradient(z, T), lambda x: entropy(x, T), lambda s: entropy(z, s))
    if T == 1:
        put("cross_entropy", cross_entropy(z, label), cross_entropy_gradient(z, label), lambda x: cross_entropy(x, label), None)
    put("forward_kl", forward_kl(z, t, T), forward_kl_gradient(z, t, T), lambda x: forward_kl(x, t, T), lambda s: forward_kl(z, t, s))
    put("hinton_kd", hinton_kd(z, t, label, T), hinton_kd_gradient(z, t, label, T), lambda x: hinton_kd(x, t, label, T),
        lambda s: hinton_kd(z, t, label, s))  # fmt: skip
    tensors["soft_cross_entropy"] = [[soft_cross_entropy(z, t, T)]]
    tensors["soft_cross_entropy_by_temperature"] = [[slope(lambda s: soft_cross_entropy(z, t, s), T)]]
    options = {"temperature": float32(temperature), "soft_weight": float(SOFT_WEIGHT), "hard_weight": float(HARD_WEIGHT)}
    file.case(f"exact/{name}/{temperature}", "all", options, tensors, formulas, text)


def formula_row(columns, a, b, m, s, d):
    return [((a * k + b) % m - s) / d for k in range(columns)]


file = VectorFile(pathlib.Path(__file__).parent / "exact.txt",
                  [f"mpmath {mpmath.__version__}, {SHORT_ROW_DIGITS} digits ({LONG_ROW_DIGITS} for formulas), made by make_exact.py",
                   "Every case holds all losses of the logits `student` and `teacher`. Gradients of rows written as a formula",
                   "are given at the entries `classes` only. The gradient of soft cross entropy is that of forward KL."])  # fmt: skip
for name, (student, teacher, label) in patterns.items():
    for temperature in TEMPERATURES:
        write(file, name, student, teacher, label, temperature)
for name, columns, temperature, divisors in [
    ("long", 1000, 1.0, (128, 64)), ("long", 1000, 4.0, (128, 64)), ("long_cold", 1003, 0.05, (128, 64)),
    ("long_nearly_uniform", 1000, 1.0, (2**20, 2**20)), ("very_long", 32003, 2.0, (128, 128))]:  # fmt: skip
    formulas = {"student": (1, columns, 7919, 13, 2003, 1001, divisors[0]), "teacher": (1, columns, 104729, 7, 1999, 999, divisors[1])}
    rows = [formula_row(columns, *coefficients[2:]) for coefficients in formulas.values()]
    write(file, name, *rows, columns // 3, temperature, classes=[0, 1, columns // 3, columns // 2, columns - 1], formulas=formulas)
file.write()
