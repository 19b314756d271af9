"""The training loop: equal to the Trainer number by number, and clear where it can't go on."""

import math
import re
import sys

import datasets
import pytest
import torch
from accelerate import Accelerator
from accelerate.data_loader import SeedableRandomSampler
from accelerate.state import AcceleratorState, GradientState
from datasets import Dataset
from small_training import collate as pad
from small_training import (
    make_loader,
    make_model,
    make_optimizer,
    make_rows,
    no_bar,
    same,
    weights,
)
from transformers import PrinterCallback, Trainer, TrainingArguments
from transformers.trainer_pt_utils import LengthGroupedSampler

from helpers.sources.metrics import load_metric
from helpers.training.checks import TrainingError
from helpers.training.evaluation import bfloat16_is_faster, evaluate
from helpers.training.history import History, HistoryCallback
from helpers.training.loop import linear_schedule, train

RATE = 5e-4


def by_trainer(folder, rows, *, accumulate=1, bfloat16=False, epochs=2, watch=None, **settings):
    """Train the small model with the Trainer; give it, its history and the Trainer."""
    model, history = make_model(), History()
    arguments = TrainingArguments(
        str(folder),
        num_train_epochs=epochs,
        per_device_train_batch_size=4,
        learning_rate=RATE,
        gradient_accumulation_steps=accumulate,
        bf16=bfloat16,
        use_cpu=True,
        **{"logging_steps": 1, "save_strategy": "no", "report_to": "none", "disable_tqdm": True}
        | settings,
    )
    trainer = Trainer(
        model,
        arguments,
        train_dataset=Dataset.from_list(rows),
        eval_dataset=Dataset.from_list(rows[:10]),
        data_collator=pad,
        compute_metrics=lambda p: load_metric("glue", "mrpc").compute(
            predictions=p.predictions.argmax(axis=-1), references=p.label_ids
        ),
        callbacks=[HistoryCallback(history, watch)],
    )
    trainer.remove_callback(PrinterCallback)
    if accumulate > 1:  # else it adds the losses of a classifier up, where it should average them
        trainer.loss_is_scaled_for_ga = False
    trainer.train()
    return model, history, trainer


def by_our_loop(rows, *, accumulate=1, bfloat16=False, epochs=2, sampler=None, **settings):
    """Train the small model with our loop, by the Trainer's recipe."""
    model = make_model()
    torch.manual_seed(42)
    sampler = sampler or SeedableRandomSampler(rows, data_seed=42)
    loader = make_loader(rows, sampler=sampler)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.0, fused=True)
    schedule = linear_schedule(optimizer, loader, epochs=epochs, accumulate=accumulate)
    if settings.pop("evaluated", False):
        settings["evaluate"] = lambda: evaluate(
            model, make_loader(rows[:10]), load_metric("glue", "mrpc"), bfloat16=bfloat16
        )
    history = train(
        model,
        loader,
        optimizer,
        schedule=schedule,
        epochs=epochs,
        clip=1.0,
        accumulate=accumulate,
        bfloat16=bfloat16,
        watch=no_bar,
        **settings,
    )
    return model, history


@pytest.mark.parametrize("bfloat16", [False, True])
@pytest.mark.parametrize("accumulate", [1, 2])
def test_losses_are_those_of_the_trainer(tmp_path, accumulate, bfloat16):
    rows = make_rows(50)  # 13 batches: with accumulate=2 the last group has one
    settings = {"accumulate": accumulate, "bfloat16": bfloat16, "epochs": 3}
    theirs, one, _ = by_trainer(tmp_path, rows, **settings)
    ours, other = by_our_loop(rows, **settings)
    assert len(other.losses) == 3 * math.ceil(13 / accumulate) >= 20
    assert other.losses == pytest.approx(one.losses, abs=1e-4)
    assert other.learning_rates == pytest.approx(one.learning_rates, rel=1e-9)
    for name, weight in ours.named_parameters():
        torch.testing.assert_close(weight, theirs.get_parameter(name), atol=1e-4, rtol=0)


@pytest.mark.parametrize("bfloat16", [False, True])
def test_evaluations_are_those_of_the_trainer(tmp_path, bfloat16):
    rows = make_rows(40)
    settings = {"eval_strategy": "epoch", "per_device_eval_batch_size": 4}
    _, one, trainer = by_trainer(tmp_path, rows, bfloat16=bfloat16, **settings)
    model, other = by_our_loop(rows, evaluated=True, bfloat16=bfloat16)
    assert other.losses == pytest.approx(one.losses, abs=1e-4)  # dropout after an evaluation, too
    assert [evaluation["step"] for evaluation in one.evaluations] == [10, 20]
    for mine, its in zip(other.evaluations, one.evaluations, strict=True):
        assert mine.keys() == its.keys() == {"step", "loss", "accuracy", "f1"}
        assert mine == pytest.approx(its, abs=1e-5)
    trainer.evaluate()
    assert len(one.evaluations) == 2  # what is measured after the training is no part of it
    assert model.training


def test_batches_of_like_length_are_those_of_the_trainer(tmp_path):
    rows = make_rows(40)
    _, one, _ = by_trainer(tmp_path, rows, train_sampling_strategy="group_by_length")
    _, other = by_our_loop(rows, sampler=LengthGroupedSampler(4, dataset=rows))
    assert other.losses == pytest.approx(one.losses, abs=1e-4)


@pytest.mark.parametrize("by_length", [False, True])
def test_the_trainer_predicts_in_another_order_where_it_trains_by_length(tmp_path, by_length):
    """As 3-1 says."""
    rows = make_rows(40)
    way = {"train_sampling_strategy": "group_by_length"} if by_length else {}
    _, _, trainer = by_trainer(tmp_path, rows, epochs=1, **way)
    found = trainer.predict(Dataset.from_list(rows)).label_ids.tolist()
    labels = [row["labels"] for row in rows]
    assert sorted(found) == sorted(labels)
    assert (found != labels) is by_length


def test_a_history_of_the_trainer_is_watched_and_complete(tmp_path):
    calls = []
    _, history, _ = by_trainer(
        tmp_path,
        make_rows(12),
        watch=lambda history, steps: calls.append((len(history.losses), steps)),
        eval_strategy="epoch",
    )
    assert len(history.losses) == len(history.learning_rates) == 6
    assert calls == [(n, 6) for n in (1, 2, 3, 3, 4, 5, 6, 6)]  # once more for each evaluation


@pytest.mark.parametrize("setting", [{"logging_steps": 5}, {"logging_strategy": "epoch"}])
def test_a_trainer_that_skips_losses_is_refused(tmp_path, setting):
    with pytest.raises(ValueError, match=r"loss of each step; got .* Set logging_steps=1"):
        by_trainer(tmp_path, make_rows(8), **setting)


def test_the_smaller_last_group_is_averaged_by_itself_and_leaks_nowhere():
    """5 batches in groups of 2: three steps an epoch, each with the gradient computed by hand."""
    rows = make_rows(17)
    model = make_model().eval()
    model.train = lambda mode=True: model  # no dropout: gradients can be computed apart
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    seen = []
    optimizer.register_step_pre_hook(
        lambda *_: seen.append([p.grad.clone() for p in model.parameters()])
    )
    history = train(model, make_loader(rows), optimizer, epochs=2, accumulate=2, watch=no_bar)

    by_hand = make_model().eval()
    batches = list(make_loader(rows))
    assert len(batches) == 5
    assert len(seen) == len(history.losses) == 6
    for step, group in enumerate([batches[:2], batches[2:4], batches[4:]] * 2):
        losses = [by_hand(**batch).loss for batch in group]
        mean = sum(losses) / len(group)
        assert history.losses[step] == pytest.approx(mean.item(), abs=1e-6)
        gradients = torch.autograd.grad(mean, list(by_hand.parameters()))
        for mine, right in zip(seen[step], gradients, strict=True):
            torch.testing.assert_close(mine, right, atol=1e-6, rtol=1e-4)
        with torch.no_grad():
            for parameter, gradient in zip(by_hand.parameters(), gradients, strict=True):
                parameter -= 0.1 * gradient


def test_the_rate_rises_and_falls_in_straight_lines():
    model = make_model()
    optimizer = make_optimizer(model, lr=1.0)
    loader = make_loader(make_rows(20))
    schedule = linear_schedule(optimizer, loader, epochs=2, warmup=0.2)
    history = train(model, loader, optimizer, schedule=schedule, epochs=2, clip=1.0, watch=no_bar)
    falling = [(10 - step) / 8 for step in range(2, 10)]
    assert history.learning_rates == pytest.approx([0.0, 0.5, *falling])
    with pytest.raises(ValueError, match="Expected warmup to be a share of the steps"):
        linear_schedule(optimizer, loader, epochs=2, warmup=2)


def test_clipping_shortens_the_gradient():
    for clip, expected in ((None, False), (0.01, True)):
        model, norms = make_model(), []
        optimizer = make_optimizer(model)

        def measure(*_, model=model, norms=norms):
            norms.append(torch.nn.utils.get_total_norm([p.grad for p in model.parameters()]))

        optimizer.register_step_pre_hook(measure)
        train(model, make_loader(make_rows(8)), optimizer, clip=clip, watch=no_bar)
        assert all(norm <= 0.0101 for norm in norms) == expected


def test_a_bar_is_shown_where_nobody_watches(capsys):
    model = make_model()
    train(model, make_loader(make_rows(8)), make_optimizer(model), epochs=2)
    assert "4/4" in capsys.readouterr().err


def test_an_evaluation_leaves_the_mode_and_the_metric_as_they_were():
    rows, metric = make_rows(10), load_metric("glue", "mrpc")
    model = make_model().eval()
    right = evaluate(model, make_loader(rows), metric)
    assert not model.training

    calls = []

    def stop_at_the_second(*_):
        calls.append(True)
        if len(calls) == 2:
            raise KeyboardInterrupt

    model.train()
    hook = model.bert.pooler.register_forward_hook(stop_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        evaluate(model, make_loader(rows), metric)
    hook.remove()
    assert model.training
    assert evaluate(model, make_loader(rows), metric) == right


def attempt(rows=None, *, model=None, optimizer=None, **settings):
    """Train a small model with one thing wrong; say what was raised."""
    model = model or make_model()
    rows = make_rows(12) if rows is None else rows
    loader = settings.pop("loader") if "loader" in settings else make_loader(rows)
    before = weights(model)
    with pytest.raises((ValueError, TrainingError)) as caught:
        train(model, loader, optimizer or make_optimizer(model), watch=no_bar, **settings)
    assert same(weights(model), before)
    assert all(parameter.grad is None for parameter in model.parameters())
    return caught.type, str(caught.value)


@pytest.mark.parametrize("name", ["epochs", "accumulate", "save_every"])
@pytest.mark.parametrize("value", [0, -1, 1.0, "2", None, True])
def test_counts_are_whole_numbers(name, value):
    kind, message = attempt(**{name: value})
    assert kind is ValueError
    assert f"Expected {name} to be a whole number of 1 or more; got {value!r}." in message


def test_an_empty_loader_is_named():
    for loader in (make_loader([]), make_loader(make_rows(3), drop_last=True)):
        kind, message = attempt(loader=loader)
        assert kind is ValueError
        assert "at least one batch; got an empty one" in message
        assert "drop_last" in message
        with pytest.raises(ValueError, match="got an empty one"):
            evaluate(make_model(), loader, load_metric("glue", "mrpc"))


def renamed(rows):
    """Collate rows whose labels have the name they have in the data set."""
    batch = pad(rows)
    batch["label"] = batch.pop("labels")
    return batch


def test_a_batch_without_labels_is_named():
    loader = torch.utils.data.DataLoader(make_rows(8), batch_size=4, collate_fn=renamed)
    kind, message = attempt(loader=loader)
    assert kind is ValueError
    assert "got ['attention_mask', 'input_ids', 'label']" in message
    assert "rename_column('label', 'labels')" in message
    with pytest.raises(ValueError, match="Expected 'labels' in each batch"):
        evaluate(make_model(), loader, load_metric("glue", "mrpc"))


def test_a_batch_with_text_is_named():
    loader = torch.utils.data.DataLoader(
        make_rows(8), batch_size=4, collate_fn=lambda rows: pad(rows) | {"sentence1": ["a"] * 4}
    )
    kind, message = attempt(loader=loader)
    assert kind is ValueError
    assert "got a list under 'sentence1'" in message
    assert "remove_columns" in message


@pytest.mark.parametrize("label", [2, -1])
def test_labels_that_the_model_has_no_output_for_are_named(label):
    rows = make_rows(12)
    rows[0]["labels"] = label
    kind, message = attempt(rows)
    assert kind is ValueError
    assert "labels from 0 to 1, for the 2 outputs of the model; got" in message
    assert f"{label}" in message
    assert "in step 1. Load the model with num_labels=..." in message
    with pytest.raises(ValueError, match=r"got .* in batch 1\."):
        evaluate(make_model(), make_loader(rows), load_metric("glue", "mrpc"))


def test_labels_that_the_loss_passes_over_are_no_error():
    rows = make_rows(8)
    rows[0]["labels"] = -100
    model = make_model()
    assert len(train(model, make_loader(rows), make_optimizer(model), watch=no_bar).losses) == 2


def test_a_loss_that_is_no_number_names_the_step_and_the_rate():
    """The fourth batch makes it so: the model stays as the third step left it."""
    rows, model, kept = make_rows(20), make_model(), []
    optimizer, history = make_optimizer(model, lr=1e-3), History()

    def poison(module, inputs, output):
        return output * float("nan") if len(history.losses) == 3 else output

    model.classifier.register_forward_hook(poison)
    with pytest.raises(TrainingError, match=r"became nan in step 4, at a learning rate of 0\.001"):
        train(
            model,
            make_loader(rows),
            optimizer,
            history=history,
            watch=lambda *_: kept.append(weights(model)),
        )
    assert len(kept) == 3
    assert same(weights(model), kept[-1])
    assert not same(kept[0], kept[-1])
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("device", ["cuda:7", "warp", "meta", "", object()])
def test_a_device_that_is_not_there_is_named(device):
    kind, message = attempt(device=device)
    assert kind is TrainingError
    assert "Expected a device that is here; got" in message
    assert "Use device='cpu'" in message
    with pytest.raises(TrainingError, match="device that is here"):
        evaluate(
            make_model(), make_loader(make_rows(4)), load_metric("glue", "mrpc"), device=device
        )


def test_settings_that_would_train_nothing_are_named():
    kind, message = attempt(optimizer=make_optimizer(make_model()))
    assert kind is ValueError
    assert "optimizer over the parameters of this model" in message
    assert "Expected clip to be above 0" in attempt(clip=0)[1]
    assert "resume=True alone" in attempt(resume=True)[1]
    assert (
        "one of 1 steps and 0 evaluations. Pass a fresh one"
        in attempt(history=History([0.5], [0.1]))[1]
    )


def table(labels):
    """Give a data set with these labels, as it comes from a file."""
    rows = make_rows(len(labels))
    return Dataset.from_list([{"input_ids": row["input_ids"]} for row in rows]).add_column(
        "labels", labels
    )


def batches_of(dataset):
    """Make a loader of a data set as in the book: its columns in tensors, padded in batches."""

    def collate(rows):
        labels = torch.stack([row["labels"] for row in rows])
        rows = [{"input_ids": row["input_ids"].tolist(), "labels": 0} for row in rows]
        return pad(rows) | {"labels": labels}

    return torch.utils.data.DataLoader(
        dataset.with_format("torch"), batch_size=4, collate_fn=collate
    )


WHOLE = [0, 1, 1, 0, 1, 0, 1, 1]
COLUMNS = {
    "floats": [float(label) for label in WHOLE],
    "a gap": [*WHOLE[:5], None, *WHOLE[6:]],
    "floats with a gap": [0.0, None, *map(float, WHOLE[2:])],
    "bool": [bool(label) for label in WHOLE],
}


@pytest.mark.parametrize("column", [*COLUMNS])
def test_labels_of_the_wrong_type_come_with_the_line_that_converts_them(column):
    """The line is run, as a reader would, until the training accepts what it gives."""
    dataset, model = table(COLUMNS[column]), make_model()
    conversions = 1 + ("gap" in column and "floats" in column)
    for _ in range(conversions):
        with pytest.raises(ValueError, match=r"^Expected .*; got torch\.\w+ .* in batch \d"):
            evaluate(model, batches_of(dataset), load_metric("glue", "mrpc"))
        with pytest.raises(
            ValueError, match=r"got torch\.\w+ of shape \(4,\) in step \d"
        ) as caught:
            train(model, batches_of(dataset), make_optimizer(model), watch=no_bar)
        line = re.search(r"dataset = (dataset\..*)$", str(caught.value))[1]
        dataset = eval(line, {"dataset": dataset, "datasets": datasets})
    history = train(model, batches_of(dataset), make_optimizer(model), watch=no_bar)
    assert len(history.losses) == 2
    assert model.config.problem_type == "single_label_classification"


INT64 = r"type torch\.int64 and shape \(rows,\)"
FLOAT32 = r"type torch\.float32 and shape \(4,\) or \(4, 1\)"
HOT = r"type torch\.float32 and shape \(4, 3\)"
REGRESSION = {"num_labels": 1}
THREE = {"num_labels": 3}
SEVERAL = {"num_labels": 3, "problem_type": "multi_label_classification"}
SCORES = {"num_labels": 3, "problem_type": "regression"}


@pytest.mark.parametrize(
    ("settings", "labels", "message"),
    [
        ({}, torch.zeros(4, 1, dtype=torch.int64), INT64 + r".*labels = labels.squeeze\(-1\)"),
        ({}, torch.ones(4, dtype=torch.uint8), INT64 + r".*labels = labels.long\(\)"),
        ({}, torch.ones(4, dtype=torch.int32), INT64 + r".*labels = labels.long\(\)"),
        ({}, torch.tensor([0.5, 1, 0, 1]), INT64 + ".*num_labels=1"),
        ({}, torch.zeros(4, 5, dtype=torch.int64), INT64 + ".*Check the collator"),
        ({}, torch.full((4,), -100), "other than -100 in a batch; .*collator"),
        ({}, ["yes", "no", "no", "yes"], r"got a list .*class_encode_column\('labels'\)"),
        (THREE, torch.ones(4, 3, dtype=torch.int64), INT64 + r".*multi_label.*labels.float\(\)"),
        (REGRESSION, torch.tensor([1, 2, 3, 4]), FLOAT32 + r".*Value\('float32'\)"),
        (REGRESSION, torch.tensor([0.5, 1, math.nan, 2]), "a gap in the column.*is not None"),
        (REGRESSION, torch.rand(4, 2), FLOAT32 + r".*got torch.float32 of shape \(4, 2\)"),
        (SCORES, torch.rand(4), HOT),
        (SEVERAL, torch.ones(4, 3, dtype=torch.int64), HOT + r".*labels = labels.float\(\)"),
        (SEVERAL, torch.tensor([0, 1, 2, 1]), HOT + ".*single_label_classification"),
        (SEVERAL, torch.full((4, 3), 2.0), HOT + ".*They go from 2 to 2"),
    ],
)
def test_labels_that_do_not_fit_the_models_problem_are_named(settings, labels, message):
    model = make_model(**settings)
    kind, raised = attempt(model=model, loader=[pad(make_rows(4)) | {"labels": labels}])
    assert kind is ValueError
    assert re.search(message, raised)
    assert "learning rate" not in raised
    assert model.config.problem_type == settings.get("problem_type")  # the loss would set it


@pytest.mark.parametrize(
    ("settings", "labels"),
    [
        (REGRESSION, torch.rand(4)),
        (REGRESSION, torch.rand(4, 1).half()),
        (SCORES, torch.rand(4, 3)),
        (SEVERAL, torch.tensor([[0.0, 1, 1]] * 4)),
        (THREE, torch.tensor([[0.0, 1, 1]] * 4)),  # floats for each class: several labels
        (THREE, torch.tensor([0, 1, 2, -100])),
    ],
)
def test_each_problem_type_trains(settings, labels):
    model = make_model(**settings)
    loader = [pad(make_rows(4)) | {"labels": labels}] * 2
    assert len(train(model, loader, make_optimizer(model), watch=no_bar).losses) == 2


@pytest.mark.parametrize("settings", [REGRESSION, SCORES, SEVERAL])
def test_only_a_classifier_is_evaluated(settings):
    """The highest of one column is always the first: an accuracy that means nothing."""
    model = make_model(**settings)
    loader = [pad(make_rows(4)) | {"labels": torch.zeros(4, settings["num_labels"])}]
    with pytest.raises(ValueError, match=r"one of several classes; got a Bert.*logits"):
        evaluate(model, loader, load_metric("glue", "mrpc"))


class Endless(torch.utils.data.IterableDataset):
    def __iter__(self):
        return iter(make_rows(8))


def frozen(model):
    model.requires_grad_(False)
    return {"optimizer": make_optimizer(model)}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda model: {"loader": make_loader(Endless())},
            r"got a DataLoader over Endless\. .*list\(itertools\.islice",
        ),
        (lambda model: {"loader": iter([])}, "got a list_iterator"),
        (lambda model: {"loader": [list(pad(make_rows(4)).values())]}, "got a list.*Collator"),
        (frozen, r"are frozen\. Unfreeze some: model\.classifier\.requires_grad_\(True\)"),
        (lambda model: {"checkpoint": 5}, "path of a folder; got 5"),
        (lambda model: {"clip": "1.0"}, "clip to be above 0; got '1.0'"),
    ],
)
def test_common_objects_that_cannot_be_used_say_what_to_use(change, message):
    model = make_model()
    kind, raised = attempt(model=model, **change(model))
    assert kind is ValueError
    assert re.search(message, raised)


@pytest.mark.parametrize("own", [True, False])
def test_a_schedule_that_cannot_follow_the_steps_is_named(own):
    model = make_model()
    optimizer = make_optimizer(model)
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer)
    other = linear_schedule(make_optimizer(model), make_loader(make_rows(12)), epochs=1)
    _, raised = attempt(model=model, optimizer=optimizer, schedule=plateau if own else other)
    assert ("ReduceLROnPlateau" if own else "got one over another") in raised
    assert "linear_schedule(optimizer, loader" in raised


def test_a_list_of_batches_is_a_loader():
    model, other = make_model(), make_model()
    batches = [pad(make_rows(4)), pad(make_rows(2))]
    torch.manual_seed(0)
    one = train(model, batches, make_optimizer(model), epochs=2, watch=no_bar)
    torch.manual_seed(0)
    loader = torch.utils.data.DataLoader(batches, batch_size=None)
    two = train(other, loader, make_optimizer(other), epochs=2, watch=no_bar)
    assert one.losses == pytest.approx(two.losses, abs=1)
    assert len(one.losses) == 4
    assert set(evaluate(model, batches, load_metric("glue", "mrpc"))) == {"loss", "accuracy", "f1"}


@pytest.mark.parametrize("scores", [None, 0.5, {"accuracy": "high"}, [0.5]])
def test_an_evaluation_that_returns_no_numbers_is_named(scores):
    model = make_model()
    loader = make_loader(make_rows(4))
    with pytest.raises(ValueError, match=r"return a dict of numbers, .*; got "):
        train(model, loader, make_optimizer(model), evaluate=lambda: scores, watch=no_bar)


def test_settings_of_another_accelerator_are_left_alone():
    """And both precisions fit into one process, which `AcceleratorState._reset_state` is for.

    If an upgrade of accelerate breaks this: see `own_accelerator`.
    """
    AcceleratorState._reset_state(reset_partial_state=True)  # a Trainer's, of the tests before
    mine = Accelerator(mixed_precision="bf16", cpu=True, gradient_accumulation_steps=4)
    try:
        for bfloat16 in (False, True, False):
            model = make_model()
            train(
                model, make_loader(make_rows(8)), make_optimizer(model), bfloat16=bfloat16,
                watch=no_bar,
            )  # fmt: skip
            assert (mine.mixed_precision, mine.gradient_accumulation_steps) == ("bf16", 4)
    finally:
        AcceleratorState._reset_state(reset_partial_state=True)
        GradientState._reset_state()


class VirtualClock(torch.overrides.TorchFunctionMode):
    """A clock that only products of matrices move, each by what its type takes."""

    def __init__(self, seconds):
        super().__init__()
        self.now, self.seconds, self.seen = 0.0, seconds, set()

    def __torch_function__(self, function, types, arguments=(), settings=None):
        if function in (torch.matmul, torch.Tensor.matmul, torch.Tensor.__matmul__):
            kinds = {(one.dtype, one.shape, one.device.type) for one in arguments}
            (kind,) = kinds  # both sides are alike
            self.seen |= kinds
            self.now += self.seconds[kind[0]]
        return function(*arguments, **settings or {})


@pytest.mark.parametrize(
    ("seconds", "faster"), [(0.5, True), (0.79, True), (0.9, False), (10, False)]
)
def test_bfloat16_is_faster_where_its_products_take_clearly_less_time(monkeypatch, seconds, faster):
    clock = VirtualClock({torch.float32: 1.0, torch.bfloat16: seconds})
    monkeypatch.setattr("time.perf_counter", lambda: clock.now)
    with clock:
        assert bfloat16_is_faster() is faster
    shape = torch.Size([512, 512])
    assert clock.seen == {(dtype, shape, "cpu") for dtype in (torch.float32, torch.bfloat16)}


def test_bfloat16_is_faster_says_nothing(monkeypatch, capfd):
    """`torch.utils.benchmark` loads what complains, on Python 3.13, that there is no CUDA."""
    monkeypatch.setitem(sys.modules, "torch.utils.benchmark", None)
    assert bfloat16_is_faster() in (True, False)
    assert capfd.readouterr() == ("", "")
