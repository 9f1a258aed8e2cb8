#!/usr/bin/env python3
"""Writes digits.inc from the table of the UCI set: 64 pixels (0..16) and the label on each line.

    python3 make_digits.py digits.csv.gz > digits.inc

The table is the one that scikit-learn ships (Debian: python3-sklearn, sklearn/datasets/data/digits.csv.gz).
"""
import gzip
import sys

print("""\
// Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak (1998), UCI Machine Learning Repository,
// https://doi.org/10.24432/C50P49, licensed under CC BY 4.0; the 1,797 images of its test part, re-encoded.
// Written by make_digits.py.""")
with gzip.open(sys.argv[1], "rt") as table:
    for line in table:
        *pixels, label = map(int, line.split(","))
        assert len(pixels) == 64 and all(0 <= pixel <= 16 for pixel in pixels) and 0 <= label <= 9
        print(f'"{label}{"".join(chr(ord("a") + pixel) for pixel in pixels)}",')
