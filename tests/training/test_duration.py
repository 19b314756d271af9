"""How long a training will take: what is printed, and that nothing is changed."""

import copy

import pytest
import torch
from accelerate.data_loader import SeedableRandomSampler
from small_training import make_loader, make_model, make_optimizer, make_rows, no_bar
from torch.utils.data import DataLoader, IterableDataset

from helpers.training import duration, estimate_duration, train


def test_it_says_how_many_steps_and_how_long(capsys):
    seconds = estimate_duration(make_model(), make_loader(make_rows(10)), epochs=4)
    assert seconds > 0
    assert capsys.readouterr().out == (
        "This training: 12 steps, about 5 seconds on this machine.\n"
    )


def draw(chance, rows):
    """Give what decides the order of some rows."""
    if chance == "a sampler that counts epochs":
        return {"sampler": SeedableRandomSampler(rows, data_seed=5)}
    own = chance == "a generator of its own"
    return {"shuffle": True, "generator": torch.Generator().manual_seed(5) if own else None}


@pytest.mark.parametrize(
    "chance", ["torch's chance", "a generator of its own", "a sampler that counts epochs"]
)
@pytest.mark.parametrize("rows", [12, 40])
def test_a_training_goes_as_if_it_had_not_been_measured(chance, rows):
    def losses(measured):
        torch.manual_seed(3)
        model, data = make_model(), make_rows(rows)
        loader = make_loader(data, **draw(chance, data))
        model.eval()
        before = copy.deepcopy(model.state_dict())
        if measured:
            estimate_duration(model, loader, epochs=2)
            assert not model.training
            assert all(weight.grad is None for weight in model.parameters())
            assert all(torch.equal(before[name], w) for name, w in model.state_dict().items())
        return train(model, loader, make_optimizer(model), epochs=2, watch=no_bar).losses

    assert losses(measured=True) == losses(measured=False)


@pytest.mark.parametrize("count", [1, 3, 5, 6, 125])
def test_batches_of_all_lengths_are_measured(count):
    """A sampler may put the longest texts first, as 🤗 Transformers' own does."""
    batches = [{"length": length} for length in range(count)]
    loader = DataLoader(range(4 * count), batch_size=4, collate_fn=lambda rows: rows[0] // 4)
    places = [batch["length"] for batch in duration._from_everywhere(batches)]
    assert places == list(duration._from_everywhere(loader))
    assert len(places) == len(set(places)) == min(5, count)
    assert abs(sum(places) / len(places) - (count - 1) / 2) <= 0.5


class Stream(IterableDataset):
    """Rows that come one after the other, and can't be chosen."""

    def __len__(self):
        return 36

    def __iter__(self):
        return iter(range(36))


@pytest.mark.parametrize(
    "loader",
    [DataLoader(range(9), batch_size=None), DataLoader(Stream(), batch_size=4)],
    ids=["the data set makes the batches", "a stream with a length"],
)
def test_where_rows_cannot_be_chosen_the_first_batches_are_measured(loader):
    assert len(list(duration._from_everywhere(loader))) == 5


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "5 seconds"), (42, "40 seconds"), (100, "2 minutes"), (5400, "1.5 hours")],
)
def test_a_time_is_written_in_the_unit_people_use(seconds, words):
    assert duration._in_words(seconds) == words


def test_what_cannot_be_trained_is_refused():
    with pytest.raises(ValueError, match="at least one batch"):
        estimate_duration(make_model(), [])
    with pytest.raises(ValueError, match="labels"):
        estimate_duration(make_model(), [{"input_ids": torch.ones(1, 4, dtype=torch.long)}])
