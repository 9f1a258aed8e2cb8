"""Rows of logits at the extremes, and what the scripts that use them share: softmax and text in many digits.

Each pattern is (student, teacher, label).
"""

import mpmath
from mpmath import mp, mpf
from vector_file import float32, random_numbers

STEP = mpf("1e-25")


def log_sum_exp(z, T):
    return mp.log(mp.fsum(mp.exp(x / T) for x in z))


def log_softmax(z, T):
    normalizer = log_sum_exp(z, T)
    return [x / T - normalizer for x in z]


def slope(function, x):
    """Truncation and rounding both stay below 1e-40 of what is printed."""
    return (function(x + STEP) - function(x - STEP)) / (2 * STEP)


def text(number, digits=30):
    if isinstance(number, (int, float)):
        return repr(number)
    return mpmath.nstr(number, digits) if abs(number) > mpf(10) ** -330 else "0"


def near(row, step):
    """The row with every entry moved by about the step, up and down in turn."""
    return [float32(x + step * (1 + c % 3) * (-1) ** c) for c, x in enumerate(row)]


moderate = random_numbers("exact student", 1, 5)[0]
patterns = {
    "moderate": (moderate, random_numbers("exact teacher", 1, 5)[0], 2),
    "huge": ([1e4, -1e4, 123.5, 9998.0], [-9999.25, 1e4, 9999.0, -17.0], 3),
    "one_hot_teacher": (moderate, [0.0, 1e4, 0.0, 0.0, 0.0], 1),
    "one_hot_both_agree": ([1e4, 0.0, 0.0], [1e4, 0.0, 0.0], 0),
    "one_hot_both_differ": ([1e4, 0.0, 0.0], [0.0, 0.0, 1e4], 2),
    "offset": ([9999.0, 1e4, 9998.5], [-1e4, -9999.5, -9999.0], 0),
    "near_1e-6": ([0.5, -0.25, 0.125, 0.75], near([0.5, -0.25, 0.125, 0.75], 1e-6), 1),
    "near_1e-4": ([0.5, -3.25, 2.125, 0.75], near([0.5, -3.25, 2.125, 0.75], 1e-4), 1),
    "near_1e-3": ([8.0, -8.0, 0.5, 4.0, 1.0], near([8.0, -8.0, 0.5, 4.0, 1.0], 1e-3), 0),
    "equal": ([1.5, -2.0, 0.25], [1.5, -2.0, 0.25], 2),
    "subnormal": ([0.0, -88.5, -95.0, -103.0, -720.0, -744.0], [-744.0, 0.0, -103.5, -92.0, -1.0, -730.0], 2),
    "one_class": ([-3.5], [12.25], 0),
    "two_classes": ([0.5, -1.5], [3.0, 2.75], 1),
    "two_classes_apart": ([1e4, -1e4], [20.0, -20.0], 1),
}
