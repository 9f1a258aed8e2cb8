"""Runs a formula of named tensors on PyTorch in float64 and writes it, with autograd's gradients, as a case of its family's file.

A tensor of more than two dimensions is written as a table with a row for each entry of its first, and an option `NAME_shape`.
"""

import math
import pathlib

import torch
from vector_file import VectorFile, random_numbers

torch.set_default_dtype(torch.float64)
FOLDER = pathlib.Path(__file__).parent


def numbers(name, *shape, scale=1.0):
    """Normal numbers rounded to multiples of 1/64, so that they are exact in float."""
    return torch.tensor(random_numbers(name, 1, math.prod(shape), scale)).reshape(shape)


def positive(name, *shape):
    """Weights: multiples of 1/64 from 1/4 up."""
    return numbers(name, *shape).abs() + 0.25


class Given:
    """What a formula sees: tensors and options by their names."""

    def __init__(self, tensors, options):
        self.__dict__.update(tensors)
        self.__dict__.update(options)


def table(tensor):
    """A scalar is 1 x 1, a vector a column."""
    tensor = tensor.detach()
    return (tensor.reshape(1, 1) if tensor.dim() == 0 else tensor.reshape(len(tensor), -1)).tolist()


class Family:
    """The file of a family, and the script that makes it."""

    def __init__(self, name, script):
        heading = [f"{name}: PyTorch {torch.__version__.split('+')[0]}, float64, made by {script}"]
        self.file = VectorFile(FOLDER / f"{name}.txt", heading)

    def run(self, loss, name, formula, tensors, options=None, by=("student",)):
        """Writes inputs, options, value, and its gradients by the tensors named in `by`."""
        options = dict(options or {})
        leaves = [tensors[key].requires_grad_() for key in by]
        value = formula(Given(tensors, options))
        gradients = torch.autograd.grad(value, leaves, allow_unused=True)
        for leaf in leaves:
            leaf.requires_grad_(False)
        outputs = {"value": value}
        for key, leaf, gradient in zip(by, leaves, gradients):
            outputs[f"gradient_{key}"] = torch.zeros_like(leaf) if gradient is None else gradient
        for key, tensor in outputs.items():
            assert torch.isfinite(tensor).all(), (loss, name, key)
        assert not math.isclose(value.item(), 0.0, abs_tol=1e-12), (loss, name)
        shown = {key: int(entry) if isinstance(entry, bool) else entry for key, entry in options.items()}
        for key, tensor in tensors.items():
            if tensor.dim() > 2:
                shown[f"{key}_shape"] = "x".join(map(str, tensor.shape))
        everything = {key: table(tensor) for key, tensor in (tensors | outputs).items()}
        self.file.case(f"{loss}/{name}", loss, shown, everything)

    def write(self):
        self.file.write()
