"""Runs a formula of the response family on PyTorch in float64 and writes it as a case of its family's file.

A formula takes the batch below and gives one loss a row, or one for the whole batch where rows are coupled.
"""

import pathlib

import torch
from torch_case import logits, table, temperature_of
from vector_file import VectorFile, random_integers

FOLDER = pathlib.Path(__file__).parent


class Family:
    """The file of a family, and the script that makes it."""

    def __init__(self, name, script):
        heading = [f"{name}: PyTorch {torch.__version__.split('+')[0]}, float64, made by {script}"]
        self.file = VectorFile(FOLDER / f"{name}.txt", heading)

    def write(self):
        self.file.write()


class Batch:
    """What a formula sees: logits z and t of the classes that neither side masks, T, labels y among these, and weights of rows."""

    def __init__(self, z, t, T, y, share, options):
        self.z, self.t, self.T, self.y, self.share = z, t, T, y, share
        self.options = options

    def __getattr__(self, name):
        return self.options[name]

    @property
    def q(self):
        return soften(self.z, self.T)

    @property
    def p(self):
        return soften(self.t, self.T)

    @property
    def factor(self):
        """T^2 a row, where the loss has it."""
        return self.T.square().reshape(-1) if self.options.get("scale_by_temperature_squared") else 1.0


def soften(z, T):
    """softmax(z / T), and 0 for what one side alone masks: the derivative of -inf / T is NaN."""
    present = torch.isfinite(z[0])
    result = torch.zeros_like(z)
    result[:, present] = torch.softmax(z[:, present] / T, dim=1)
    return result


def kl(p, m):
    """Sum of p log(p / m), 0 where p is."""
    some = p > 0
    one = torch.ones_like(p)
    return (p * (torch.where(some, p, one).log() - torch.where(some, m, one).log())).sum(dim=1)


def run(family, loss, name, formula, *, rows=3, columns=5, temperature=1.0, options=None, inputs=None, labelled=False, ignored=(),
        weighted=False, masked=(), student_masked=(), teacher_masked=(), teacher_columns=None, scale=3.0, reduction="mean",
        coupled=False, by_temperature=True, value=True, positive=False):
    """Differentiates what the formula gives and writes the case.

    `value` False: the public code leaves out a constant, and only its gradient is kept. `positive`: largest logits above 0.
    """
    seed = f"{loss} {name}"
    student = logits(seed, rows, columns, scale, (*masked, *student_masked))
    teacher = logits(f"{seed} teacher", rows, teacher_columns or columns, scale, (*masked, *teacher_masked))
    if positive:
        student[:, 0], teacher[:, 2] = student[:, 0].abs() + 0.5, teacher[:, 2].abs() + 0.5
    student.requires_grad_()
    kept = [c for c in range(columns) if c not in masked]
    kept_of_teacher = kept if teacher_columns is None else list(range(teacher_columns))
    options = dict(options or {})
    tensors = {"student": student, "teacher": teacher}
    T = None
    if temperature is not None:
        T = temperature_of(temperature, rows)
        if len(T) > 1:
            tensors["temperature"] = T
        else:
            options = {"temperature": T.item(), **options}
    counted = torch.ones(rows)
    y = None
    if labelled or ignored:
        y = torch.tensor(random_integers(f"{seed} labels", rows, len(kept))).reshape(-1)
        labels = torch.tensor(kept)[y]
        labels[list(ignored)] = -100
        counted[list(ignored)] = 0
        tensors["labels"] = labels
    if weighted:
        tensors["row_weights"] = logits(f"{seed} weights", rows, 1, 1.0).abs().reshape(-1) + 0.25
        tensors["row_weights"][-1] = 0
        counted = counted * tensors["row_weights"]
    tensors |= {key: tensor for key, tensor in (inputs or {}).items()}
    batch = Batch(student[:, kept], teacher[:, kept_of_teacher], T, y, counted / counted.sum(), {**options, **(inputs or {})})
    result = formula(batch)
    if coupled:
        reduced = result
    else:
        values = torch.where(counted > 0, result, 0)
        total = (counted * values).sum()
        reduced = total if reduction == "sum" else total / counted.sum()
        options = {"reduction": reduction, **options}
        if value:
            tensors["values"] = values
    slope = by_temperature and T is not None
    found = torch.autograd.grad(reduced, [student, T] if slope else [student])
    outputs = {"value": reduced} if value else {}
    outputs["gradient"] = found[0]
    if slope:
        outputs["gradient_by_temperature"] = found[1]
    for key, tensor in outputs.items():
        assert torch.isfinite(tensor).all(), (loss, name, key)
    shown = {key: int(chosen) if isinstance(chosen, bool) else chosen for key, chosen in options.items()}
    family.file.case(f"{loss}/{name}", loss, shown, {key: table(tensor) for key, tensor in (tensors | outputs).items()})


def one_hot(batch):
    return torch.nn.functional.one_hot(batch.y, batch.z.shape[1]).to(batch.z.dtype)


def at_label(matrix, y):
    return matrix.gather(1, y.reshape(-1, 1)).reshape(-1)


def without_label(batch, matrix):
    """The columns of the other classes: one less a row."""
    return matrix[one_hot(batch) == 0].reshape(len(matrix), -1)


