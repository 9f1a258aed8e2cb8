"""Writes contrastive.txt: losses that tell the samples of a batch, a queue or a memory apart.

    python make_contrastive.py          (any virtual environment with torch)
"""

import torch
import torch.nn.functional as F
from tensor_case import Family, numbers

family = Family("contrastive", "make_contrastive.py")


def maybe_unit(x, b):
    return F.normalize(x) if b.normalize else x


# InfoNCE
def contrast(s, t, scale):
    return F.cross_entropy(s @ t.T * scale, torch.arange(len(s)))


def info_nce(b):
    s, t = maybe_unit(b.student, b), maybe_unit(b.teacher, b)
    value = contrast(s, t, 1 / b.temperature)
    return (value + contrast(t, s, 1 / b.temperature)) / 2 if b.symmetric else value


for name, T, normalize, symmetric in [("one_way", 0.125, True, False), ("symmetric", 0.5, True, True), ("products", 2.0, False, True)]:
    family.run("info_nce", name, info_nce,
               {"student": numbers(f"nce {name}", 5, 4), "teacher": numbers(f"nce t {name}", 5, 4), "temperature": torch.tensor([T])},
               {"normalize": normalize, "symmetric": symmetric}, by=("student", "temperature"))  # fmt: skip


# embeddings of images and texts
def pairs(name, scale, of_teacher=4):
    return {
        "image": numbers(f"{name} image", 5, 4),
        "text": numbers(f"{name} text", 5, 4),
        "teacher_image": numbers(f"{name} teacher image", 5, of_teacher),
        "teacher_text": numbers(f"{name} teacher text", 5, of_teacher),
        "scale": torch.tensor([scale]),
    }


BY = ("image", "text", "scale")


def four(b):
    return (maybe_unit(x, b) for x in (b.image, b.text, b.teacher_image, b.teacher_text))


def affinity(b):
    """CLIP-KD's affinity mimicking, or TinyCLIP's soft cross entropy, of rows and of columns."""
    image, text, teacher_image, teacher_text = four(b)
    own, other = b.scale * image @ text.T, b.teacher_scale * teacher_image @ teacher_text.T

    def compare(s, t):
        p = F.softmax(t, dim=1)
        if b.what == "cross_entropy":
            return F.cross_entropy(s, p)
        return F.kl_div(F.log_softmax(s, dim=1), p, reduction="sum") / len(s)

    return b.direction_weight * (compare(own, other) + compare(own.T, other.T))


for name, scale, teacher_scale, what, weight, normalize, width in [
    ("CLIP_KD", 10.0, 8.0, "kl", 0.5, True, 4),
    ("TinyCLIP_sum", 4.0, 16.0, "cross_entropy", 1.0, True, 6),
    ("products", 0.5, 0.25, "kl", 0.5, False, 3),
]:
    family.run("clip_affinity", name, affinity, pairs(f"clip {name}", scale, width),
               {"teacher_scale": teacher_scale, "what": what, "direction_weight": weight, "normalize": normalize}, by=BY)  # fmt: skip


def interactive(b):
    image, text, teacher_image, teacher_text = four(b)
    return (contrast(image, teacher_text, b.scale) + contrast(text, teacher_image, b.scale)) / 2


family.run("interactive_contrast", "CLIP_KD", interactive, pairs("icl", 8.0), {"normalize": True}, by=BY)
family.run("interactive_contrast", "products", interactive, pairs("icl2", 0.5), {"normalize": False}, by=BY)


def contrast_gradients(b):
    """What autograd gives for each network's own contrast by its embeddings, in both directions, compared."""
    image, text, teacher_image, teacher_text = four(b)

    def gradients(u, v, scale, keep):
        u, v = (x if keep else x.clone().requires_grad_() for x in (u, v))
        there = torch.autograd.grad(contrast(u, v, scale), (u, v), create_graph=keep, retain_graph=True)
        back = torch.autograd.grad(contrast(v, u, scale), (v, u), create_graph=keep, retain_graph=True)
        return *there, *back

    if not b.normalize:
        image, text = image * 1.0, text * 1.0
    own = gradients(image, text, b.scale, True)
    other = gradients(teacher_image, teacher_text, torch.tensor(b.teacher_scale), False)
    return sum(F.mse_loss(s, t) for s, t in zip(own, other))


family.run("contrast_gradients", "paper", contrast_gradients, pairs("gd", 4.0), {"teacher_scale": 6.0, "normalize": True}, by=BY)
family.run("contrast_gradients", "products", contrast_gradients, pairs("gd2", 0.5), {"teacher_scale": 0.75, "normalize": False}, by=BY)


# queues
def queue(b):
    s, t = maybe_unit(b.student, b), maybe_unit(b.teacher, b)
    own, other = s @ b.queue.T, t @ (b.teacher_queue if hasattr(b, "teacher_queue") else b.queue).T
    if b.with_own_teacher:
        own = torch.cat([(s * t).sum(dim=1, keepdim=True), own], dim=1)
        other = torch.cat([(t * t).sum(dim=1, keepdim=True), other], dim=1)
    q, p = F.log_softmax(own / b.student_temperature, dim=1), F.softmax(other / b.teacher_temperature, dim=1)
    return F.kl_div(q, p, reduction="batchmean") if b.what == "kl" else -(p * q).sum(dim=1).mean()


def embeddings(name, width=4):
    return {"student": numbers(f"{name} s", 3, 4), "teacher": numbers(f"{name} t", 3, width), "queue": numbers(f"{name} q", 7, 4)}


COMPRESS = {"student_temperature": 0.125, "teacher_temperature": 0.125, "what": "kl", "with_own_teacher": False, "normalize": True}
family.run("queue_distillation", "CompRess_1q", queue, embeddings("compress"), COMPRESS)
family.run("queue_distillation", "CompRess_2q", queue, embeddings("compress2", 6) | {"teacher_queue": numbers("compress2 tq", 7, 6)}, COMPRESS)
family.run("queue_distillation", "SEED", queue, embeddings("seed"),
           COMPRESS | {"student_temperature": 0.2, "teacher_temperature": 1e-4, "what": "cross_entropy", "with_own_teacher": True})  # fmt: skip
family.run("queue_distillation", "products", queue, embeddings("products"),
           {"student_temperature": 2.0, "teacher_temperature": 4.0, "what": "kl", "with_own_teacher": True, "normalize": False})  # fmt: skip


# contrastive representation
def representation(b):
    """The authors' code: exponentials over Z of the first batch, the noise m / N beside them, memories moved after each step."""
    s_memory, t_memory = F.normalize(b.students), F.normalize(b.teachers)
    samples = len(s_memory)
    z = None
    numbers_of = lambda x: x.long().reshape(len(x), -1)  # noqa: E731
    for step in range(2 if hasattr(b, "first_student") else 1):
        last = step == (1 if hasattr(b, "first_student") else 0)
        s, t = (F.normalize(x) for x in ((b.student, b.teacher) if last else (b.first_student, b.first_teacher)))
        own = numbers_of(b.numbers if last else b.first_numbers)
        looked_at = torch.cat([own, numbers_of(b.negatives)], dim=1)
        k = looked_at.shape[1] - 1
        of_s = torch.exp(torch.einsum("bkd,bd->bk", t_memory[looked_at], s) / b.temperature)
        of_t = torch.exp(torch.einsum("bkd,bd->bk", s_memory[looked_at], t) / b.temperature)
        if z is None:
            z = [x.mean().item() * samples for x in (of_s, of_t)]
        value = 0.0
        for h in (of_s / z[0], of_t / z[1]):
            noise = k / samples
            log_d1 = torch.log(h[:, 0] / (h[:, 0] + noise + b.epsilon))
            log_d0 = torch.log(noise / (h[:, 1:] + noise + b.epsilon))
            value = value - (log_d1.sum() + log_d0.sum()) / len(s)
        if not last:
            s_memory, t_memory = s_memory.clone(), t_memory.clone()
            s_memory[own[:, 0]] = F.normalize(b.momentum * s_memory[own[:, 0]] + (1 - b.momentum) * s)
            t_memory[own[:, 0]] = F.normalize(b.momentum * t_memory[own[:, 0]] + (1 - b.momentum) * t)
    return value


def memory_case(name, options, **more):
    tensors = {"student": numbers(f"{name} s", 3, 4), "teacher": numbers(f"{name} t", 3, 4), "numbers": torch.tensor([2.0, 7, 0]),
               "negatives": torch.tensor([[1.0, 4, 5, 6], [8, 1, 3, 2], [5, 5, 4, 7]]),
               "students": numbers(f"{name} sm", 9, 4), "teachers": numbers(f"{name} tm", 9, 4), **more}  # fmt: skip
    family.run("contrastive_representation", name, representation, tensors, options, by=("student", "teacher"))


memory_case("RepDistiller", {"temperature": 0.07, "epsilon": 1e-7})
memory_case("warm", {"temperature": 0.5, "epsilon": 0.0})
memory_case("second_step", {"temperature": 0.25, "epsilon": 1e-7, "momentum": 0.5}, first_student=numbers("first s", 3, 4),
            first_teacher=numbers("first t", 3, 4), first_numbers=torch.tensor([1.0, 7, 3]))  # fmt: skip

# more than a register holds
family.run("info_nce", "large", info_nce,
           {"student": numbers("nce large", 11, 9), "teacher": numbers("nce t large", 11, 9), "temperature": torch.tensor([0.25])},
           {"normalize": True, "symmetric": True}, by=("student", "temperature"))  # fmt: skip
family.run("clip_affinity", "large", affinity,
           {key: numbers(f"clip large {key}", 11, 9) for key in ("image", "text", "teacher_image", "teacher_text")}
           | {"scale": torch.tensor([4.0])},
           {"teacher_scale": 8.0, "what": "kl", "direction_weight": 0.5, "normalize": True}, by=BY)  # fmt: skip

family.write()
