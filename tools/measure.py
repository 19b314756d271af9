"""Measure how near the browser's copy of the sentiment model comes to PyTorch's.

    python -m tools.measure

Runs both on 500 of the held-out sentences, the copy in Chromium, and writes the result to
``helpers/display/live/measured.json``, which the published page shows. The tests measure a fifth
of them again.
"""

from __future__ import annotations

import csv
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from helpers.sources import DATA
from tools.browsing import open_browser, serve

ROOT = Path(__file__).parents[1]
LIVE = ROOT / "helpers" / "display" / "live"
RESULT = LIVE / "measured.json"
HELD_OUT = DATA / "sentiment" / "held_out.csv"
NEAR = 0.05  # a difference of probabilities
SENTENCES = 500

RUN = """async ([address, texts]) => {
  const { load, classify } = await import(address);
  await load({ signal: new AbortController().signal, arrived: () => {} });
  const answers = [];
  for (const text of texts) answers.push((await classify(text)).probabilities);
  return answers;
}"""


def some_sentences() -> list[str]:
    """Give every second held-out sentence."""
    with HELD_OUT.open(encoding="utf-8", newline="") as file:
        return [row["text"] for row in csv.DictReader(file)][: 2 * SENTENCES : 2]


def in_pytorch(texts: Sequence[str]) -> list[list[float]]:
    """Give the probabilities that the notebooks' model gives."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    from helpers.sources.checkpoints import resolve

    checkpoint = resolve("distilbert-base-uncased-finetuned-sst-2-english")
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    model = AutoModelForSequenceClassification.from_pretrained(checkpoint).eval()
    probabilities = []
    with torch.inference_mode():
        for text in texts:
            logits = model(**tokenizer(text, truncation=True, return_tensors="pt")).logits
            probabilities.append(logits[0].softmax(dim=-1).tolist())
    return probabilities


@contextmanager
def serve_modules() -> Iterator[str]:
    """Serve the modules and what they load, laid out as in ``_static``, and give the address."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "live").symlink_to(LIVE)
        Path(folder, "vendor").symlink_to(ROOT / "book" / "_vendor")
        with serve(Path(folder)) as address:
            yield address


def in_chromium(browser, address: str, texts: Sequence[str]) -> list[list[float]]:
    """Give the probabilities of the copy; `address` is that of `serve_modules`."""
    page = browser.new_page()
    module = f"{address}live/classifier.js"
    page.goto(module)  # a module is imported only by a page of its own site
    answers = page.evaluate(RUN, [module, list(texts)])
    page.close()
    return answers


def compare(ours: Sequence[Sequence[float]], theirs: Sequence[Sequence[float]]) -> dict:
    """Count equal labels and near probabilities."""
    pairs = list(zip(ours, theirs, strict=True))
    far = [abs(one[1] - other[1]) for one, other in pairs]
    return {
        "sentences": len(pairs),
        "same_label": sum((one[1] > one[0]) == (other[1] > other[0]) for one, other in pairs),
        "near": sum(difference <= NEAR for difference in far),
    }


def main() -> int:
    """Measure, and write the result down."""
    texts = some_sentences()
    with serve_modules() as address, open_browser() as browser:
        copy = in_chromium(browser, address, texts)
    measured = compare(copy, in_pytorch(texts))
    RESULT.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    print(measured)
    return 0


if __name__ == "__main__":
    sys.exit(main())
