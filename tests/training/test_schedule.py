"""The learning rate's schedule, held to what the Trainer does with the same numbers."""

import math

import pytest
import torch
from transformers import TrainingArguments

from helpers.training.loop import linear_schedule

RATE = 1e-3


def rates(steps: int, warmup: float) -> list[float]:
    """Record the learning rate before each step of one epoch."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=RATE)
    schedule = linear_schedule(optimizer, range(steps), epochs=1, warmup=warmup)
    recorded = []
    for _ in range(steps):
        recorded.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    return recorded


@pytest.mark.parametrize("warmup", [0.0, 0.01, 0.06, 0.1, 1 / 3, 0.5, 1.0])
@pytest.mark.parametrize("steps", [1, 7, 10, 15, 101])
def test_the_warmup_is_rounded_up(steps, warmup, tmp_path):
    """As the Trainer rounds it."""
    rising = TrainingArguments(str(tmp_path), warmup_steps=warmup if warmup < 1 else steps)
    expected = rising.get_warmup_steps(steps)
    assert expected == math.ceil(warmup * steps)
    up = [RATE * step / max(1, expected) for step in range(expected)]
    down = [RATE * (steps - step) / max(1, steps - expected) for step in range(expected, steps)]
    assert rates(steps, warmup) == pytest.approx(up + down)
