"""What the course notes say of the loop, held to the libraries as they are."""

import pytest
import torch
from small_training import collate, make_loader, make_model, make_rows, no_bar
from torch.utils.data import DataLoader
from transformers import TrainingArguments, get_scheduler

from helpers.training.loop import linear_schedule, train

RATE = 5e-5


def loop_of_the_notes(loader, *, forget=False):
    """Train as the course notes do, for one epoch; ``forget`` leaves ``zero_grad`` out."""
    model = make_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE)
    schedule = get_scheduler(
        "linear", optimizer=optimizer, num_warmup_steps=0, num_training_steps=len(loader)
    )
    losses = []
    torch.manual_seed(42)
    model.train()
    for batch in loader:
        loss = model(**batch).loss
        loss.backward()
        optimizer.step()
        schedule.step()
        if not forget:
            optimizer.zero_grad()
        losses.append(loss.item())
    return losses


@pytest.fixture
def loader():
    return make_loader(make_rows(40), shuffle=True)


def test_the_helper_is_the_loop_of_the_notes(loader):
    model = make_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE)
    schedule = linear_schedule(optimizer, loader, epochs=1)
    torch.manual_seed(42)
    history = train(model, loader, optimizer, schedule=schedule, watch=no_bar)
    assert history.losses == loop_of_the_notes(loader)
    assert history.learning_rates == pytest.approx([RATE * (10 - i) / 10 for i in range(10)])


def test_without_zero_grad_two_losses_are_right_and_no_more(loader):
    right, wrong = loop_of_the_notes(loader), loop_of_the_notes(loader, forget=True)
    assert right[:2] == wrong[:2]
    assert all(one != other for one, other in zip(right[2:], wrong[2:], strict=True))


def test_gradients_add_up_and_zero_grad_removes_them():
    model, batch = make_model().eval(), collate(make_rows(4))
    optimizer = torch.optim.AdamW(model.parameters())
    weight = model.classifier.weight
    assert weight.grad is None
    model(**batch).loss.backward()
    once = weight.grad.clone()
    model(**batch).loss.backward()
    assert torch.allclose(weight.grad, 2 * once)
    optimizer.zero_grad()
    assert weight.grad is None


def test_the_first_step_of_adamw_is_as_long_as_the_learning_rate():
    model = make_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE)
    model(**collate(make_rows(4))).loss.backward()
    weight = model.classifier.weight
    before = weight.detach().clone()
    optimizer.step()
    moved = (weight - before).abs()
    assert moved.min().item() == pytest.approx(RATE, rel=0.02)
    assert moved.max().item() == pytest.approx(RATE, rel=0.02)


def test_a_label_without_s_gives_no_loss_and_no_error():
    model, batch = make_model(), collate(make_rows(4))
    labels = batch.pop("labels")
    assert model(**batch, label=labels).loss is None
    assert model(**batch, labels=labels).loss is not None


def test_the_optimizer_of_the_notes_has_these_defaults_today():
    weight = torch.zeros(1, requires_grad=True)
    defaults = torch.optim.AdamW([weight], lr=RATE).defaults
    assert {name: defaults[name] for name in ("lr", "betas", "eps", "weight_decay")} == {
        "lr": RATE,
        "betas": (0.9, 0.999),
        "eps": 1e-8,
        "weight_decay": 0.01,
    }


def test_the_notes_train_1377_steps_on_mrpc():
    loader = DataLoader(range(3668), batch_size=8)
    assert len(loader) == 459
    assert 3 * len(loader) == 1377
    optimizer = torch.optim.AdamW([torch.zeros(1, requires_grad=True)], lr=RATE)
    schedule = get_scheduler(
        "linear", optimizer=optimizer, num_warmup_steps=0, num_training_steps=1377
    )
    assert schedule.get_last_lr() == [RATE]
    for _ in range(1377):
        optimizer.step()
        schedule.step()
    assert schedule.get_last_lr() == [0]


def test_the_defaults_of_the_trainer_are_those_of_the_table(tmp_path):
    arguments = TrainingArguments(str(tmp_path))
    assert (arguments.seed, arguments.data_seed) == (42, None)
    assert arguments.max_grad_norm == 1.0
    assert arguments.weight_decay == 0.0
    assert arguments.optim == "adamw_torch_fused"
    assert arguments.lr_scheduler_type == "linear"
    assert arguments.get_warmup_steps(1000) == 0
    assert arguments.learning_rate == RATE
    assert arguments.per_device_train_batch_size == 8
    assert arguments.num_train_epochs == 3
