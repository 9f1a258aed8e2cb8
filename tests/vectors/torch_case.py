"""Runs a formula on PyTorch in float64 and writes inputs, value and autograd's gradients as a case of the loss's file."""

import math
import pathlib

import torch
from vector_file import VectorFile, random_numbers

torch.set_default_dtype(torch.float64)
FOLDER = pathlib.Path(__file__).parent
files = {}


def table(tensor):
    """Rows of Python numbers: a scalar is 1 x 1, a vector is a column."""
    return tensor.detach().reshape(len(tensor) if tensor.dim() else 1, -1).tolist()


def write(loss, name, options, tensors):
    if loss not in files:
        heading = [f"{loss}: PyTorch {torch.__version__.split('+')[0]}, float64, made by make_vectors.py"]
        files[loss] = VectorFile(FOLDER / f"{loss}.txt", heading)
    shown = {key: int(value) if isinstance(value, bool) else value for key, value in options.items()}
    files[loss].case(f"{loss}/{name}", loss, shown, {key: table(value) for key, value in tensors.items()})


def temperature_of(value, rows):
    """A number, or a list of one per row, as a tensor that autograd follows."""
    assert not isinstance(value, list) or len(value) == rows
    return torch.tensor(value).reshape(-1, 1).requires_grad_()


def finish(loss, name, options, inputs, student, temperature, values, reduced):
    """Differentiates `reduced` and writes the case. Per-row temperatures become a tensor, one number an option."""
    outputs = {"values": values} if values is not None else {}
    gradient, by_temperature = torch.autograd.grad(reduced, [student, temperature], allow_unused=True)
    if len(temperature) > 1:
        inputs = {"temperature": temperature, **inputs}
    else:
        options = {"temperature": temperature.item(), **options}
    outputs |= {"value": reduced, "gradient": gradient}
    if by_temperature is not None:
        outputs["gradient_by_temperature"] = by_temperature
    for key, tensor in outputs.items():
        assert torch.isfinite(tensor).all(), (loss, name, key)
    write(loss, name, options, {"student": student, **inputs, **outputs})


def reduce(values, options, row_weights=None):
    """Weighted sum, over the sum of the weights, or over an external count."""
    weights = torch.ones_like(values) if row_weights is None else row_weights
    total = (weights * values).sum()
    return total if options.get("reduction") == "sum" else total / options.get("normalizer", weights.sum().item())


def logits(name, rows, columns, scale=3.0, masked=()):
    tensor = torch.tensor(random_numbers(name, rows, columns, scale))
    tensor[:, list(masked)] = -math.inf
    return tensor


def write_files():
    for file in files.values():
        file.write()
