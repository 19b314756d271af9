"""What ships says where it comes from: source, license, checksum, in the table and on its card."""

import re
from pathlib import Path

import pytest
import yaml

from helpers.sources.checksums import read_sums

ROOT = Path(__file__).parents[2]
BUNDLED = ROOT / "helpers" / "sources" / "data"
LICENSES = {"Apache-2.0", "MIT", "CC0 1.0", "CC BY 4.0"}
TABLES = [BUNDLED / "README.md", ROOT / "tests" / "data" / "README.md"]
CARDS = sorted(BUNDLED.glob("*/README.md"))


def rows(table: Path) -> list[dict[str, str]]:
    """Read the Markdown table of a README, one dictionary for each row."""
    lines = [line for line in table.read_text().splitlines() if line.startswith("|")]
    head, _, *body = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [dict(zip(head, cells, strict=True)) for cells in body]


def license_of(row: dict[str, str]) -> str:
    """Give the license in a row, whose holder may follow a comma."""
    return row.get("License", "").split(",")[0]


@pytest.mark.parametrize("table", TABLES, ids=lambda path: path.parts[-3])
def test_each_row_has_a_source_and_a_license(table):
    assert rows(table)
    for row in rows(table):
        assert row["Source"], row
        assert license_of(row) in LICENSES, row


def test_each_row_of_what_ships_says_where_its_checksum_is():
    for row in rows(BUNDLED / "README.md"):
        assert "SUMS" in row["SHA-256"], row


@pytest.mark.parametrize("table", TABLES, ids=lambda path: path.parts[-3])
def test_each_file_with_a_checksum_is_in_the_table(table):
    named = re.findall(r"`([\w./-]+)`", " ".join(next(iter(row.values())) for row in rows(table)))
    for name in read_sums(table.parent / "SHA256SUMS"):
        assert name in named or f"{name.split('/')[0]}/" in named, name


def test_each_folder_has_a_card():
    folders = [path for path in BUNDLED.iterdir() if path.is_dir()]
    assert sorted(folder / "README.md" for folder in folders) == CARDS


@pytest.mark.parametrize("card", CARDS, ids=lambda path: path.parent.name)
def test_a_card_ends_with_its_license(card):
    text = card.read_text()
    assert "\n## How it was made\n" in text
    folder = f"`{card.parent.name}/`"
    (row,) = [row for row in rows(BUNDLED / "README.md") if folder in row["What"]]
    last = text.rstrip().rpartition("\n")[2]
    assert re.match(rf"Licen[cs]e: {re.escape(license_of(row))}\b", last), last
    script = re.search(r"\(([\w./]+\.py)\)", text)
    assert (card.parent / script[1]).is_file()
    if text.startswith("---\n"):  # the head that the Hub reads
        head = yaml.safe_load(text.split("---\n")[1])
        assert head["license"] == license_of(row).lower().replace(" ", "-")


@pytest.mark.parametrize("card", CARDS, ids=lambda path: path.parent.name)
def test_a_card_names_the_data_of_others(card):
    """The reviews were collected by others: their release, license and paper are named."""
    text = " ".join(card.read_text().split())
    if "written for this book, sentence by sentence" not in text:
        assert "`vaderSentiment` 3.3.2 (MIT, © 2016 C.J. Hutto)" in text
        assert "Hutto and Gilbert, 2014" in text
