"""The introduction's pictures: drawn to scale, and true of the bundled encoder."""

import math
import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

BOOK = Path(__file__).parents[2] / "book"


def picture(name):
    return BeautifulSoup((BOOK / "figures" / name).read_text(encoding="utf-8"), "html.parser")


def table_of_lengths():
    """The rows of the introduction's table: a model's name, and from where to where it looks."""
    text = (BOOK / "introduction.md").read_text(encoding="utf-8")
    table = re.search(r"\| Model \| Looks back .*\n\|.*\n((?:\|.*\n)+)", text)[1]
    for row in table.splitlines():
        name, length = [cell.strip() for cell in row.strip("|").split("|")][:2]
        numbers = [int(number) for number in re.findall(r"\d+", length)]
        yield name.removeprefix("Transformer: "), numbers[0], numbers[-1]


def test_the_picture_of_lengths_shows_the_table():
    svg = picture("how-far-back.svg")
    names = [text.get_text().partition(" (")[0] for text in svg.select("text.name")]
    marks = [(int(m["data-from"]), int(m["data-to"])) for m in svg.select(".mark")]
    shown = [(name, *ends) for name, ends in zip(names, marks, strict=True)]
    assert shown == list(table_of_lengths())


def test_the_picture_of_lengths_is_to_scale():
    """The axis's own lines say where 10 and 10,000 are; all else must lie between by logarithm."""
    svg = picture("how-far-back.svg")
    lines = [float(re.match(r"M([0-9.]+) ", path["d"])[1]) for path in svg.select(".grid")]
    left, right = lines[0], lines[-1]

    def place(tokens):
        return left + (math.log10(tokens) - 1) / 3 * (right - left)

    assert lines == pytest.approx([place(10**power) for power in (1, 2, 3, 4)], abs=0.06)
    for mark in svg.select(".mark"):
        start, end = int(mark["data-from"]), int(mark["data-to"])
        if mark.name == "circle":
            ends = [float(mark["cx"])] * 2
        else:
            ends = [float(mark["x"]), float(mark["x"]) + float(mark["width"])]
        assert ends == pytest.approx([place(start), place(end)], abs=0.11)


def test_the_picture_of_embeddings_is_that_of_the_bundled_encoder():
    import torch
    from transformers import AutoModel, AutoTokenizer

    from helpers.sources.checkpoints import resolve

    folder = resolve("bert-base-uncased")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    table = AutoModel.from_pretrained(folder).get_input_embeddings().weight.detach()
    words = picture("word-embedding.svg").select("g.word")
    assert len(words) == 5
    first = table[int(words[0]["data-id"])]
    for word in words:
        number = int(word["data-id"])
        assert tokenizer.convert_tokens_to_ids(word["data-word"]) == number
        similarity = torch.cosine_similarity(first, table[number], dim=0)
        assert f"{similarity:.2f}" == word["data-similarity"]
        squares = word.select("rect.blue, rect.amber")
        signs = [square["class"] == ["blue"] for square in squares]
        assert signs == (table[number, :8] > 0).tolist()
        areas = torch.tensor([float(square["width"]) ** 2 for square in squares])
        assert torch.corrcoef(torch.stack([areas, table[number, :8].abs()]))[0, 1] > 0.999
    assert table.shape == (30522, 384)


def test_the_page_says_what_the_pictures_show():
    text = (BOOK / "introduction.md").read_text(encoding="utf-8")
    for word in picture("word-embedding.svg").select("g.word"):
        assert f"{word['data-word']} {word['data-similarity']}" in text
    assert "*movie* is 3185" in text
    assert re.search(r"\*film\* is\s+2143", text)


def test_the_size_of_the_adapter_is_that_of_its_card():
    card = Path(BOOK.parent, "helpers", "sources", "data", "sentiment", "README.md").read_text()
    text = (BOOK / "introduction.md").read_text(encoding="utf-8")
    assert "480,386" in text
    assert "480,386" in card
