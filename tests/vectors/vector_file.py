"""The line format of the vectors, shared by the scripts that make them; tests/support/vectors.hpp reads it.

    # comment
    case NAME
    loss NAME
    option KEY VALUE
    tensor NAME ROWS COLUMNS        then one line of numbers a row
    formula NAME ROWS COLUMNS A B M S D
                                    entry k, counted along the rows, is ((A k + B) mod M - S) / D
"""

import random
import struct
import zlib


def float32(x):
    """x rounded to the nearest float, so that tests in float and in double start from the same numbers."""
    return struct.unpack("f", struct.pack("f", x))[0]


def random_numbers(seed, rows, columns, scale=3.0):
    """Multiples of 1/64 around zero: exact in float, at the default scale in half too, and short to read."""
    source = random.Random(zlib.crc32(seed.encode()))
    return [[round(source.gauss(0, scale) * 64) / 64 for _ in range(columns)] for _ in range(rows)]


def random_integers(seed, rows, below):
    source = random.Random(zlib.crc32(seed.encode()))
    return [[source.randrange(below)] for _ in range(rows)]


class VectorFile:
    def __init__(self, path, heading):
        self.path = path
        self.lines = [f"# {line}" for line in heading]

    def case(self, name, loss, options, tensors, formulas=None, number=repr):
        self.lines += ["", f"case {name}", f"loss {loss}"]
        self.lines += [f"option {key} {value}" for key, value in options.items()]
        for key, (rows, columns, *coefficients) in (formulas or {}).items():
            self.lines.append(f"formula {key} {rows} {columns} " + " ".join(map(str, coefficients)))
        for key, rows in tensors.items():
            self.lines.append(f"tensor {key} {len(rows)} {len(rows[0])}")
            self.lines += [" ".join(number(entry) for entry in row) for row in rows]

    def write(self):
        with open(self.path, "w", encoding="ascii") as file:
            file.write("\n".join(self.lines) + "\n")
