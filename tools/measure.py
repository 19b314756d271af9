"""Measure how near the browser's copy of the model comes to PyTorch's.

    python -m tools.measure

Runs both on 500 of the held-out sentences, the copy in Chromium, and writes the result to
``helpers/display/live/measured.json``, which the published page shows. The tests measure a fifth
of them again.
"""

from __future__ import annotations

import csv
import json
import math
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.sources import DATA
from tools.browsing import open_browser, serve

if TYPE_CHECKING:
    import numpy as np
    from playwright.sync_api import Browser

ROOT = Path(__file__).parents[1]
LIVE = ROOT / "helpers" / "display" / "live"
RESULT = LIVE / "measured.json"
HELD_OUT = DATA / "sentiment" / "held_out.csv"
NEAR = 0.05  # a difference of probabilities
NEAR_WEIGHT = 0.01  # a difference of attention weights
SENTENCES = 500
ATTENDED = 20  # of how many sentences the attention is compared: each has thousands of weights

RUN = """async ([address, texts, attended]) => {
  const { load, classify, vector, attend } = await import(address);
  await load({ signal: new AbortController().signal, arrived: () => {} });
  const answers = { probabilities: [], vectors: [], attentions: [] };
  for (const [i, text] of texts.entries()) {
    answers.probabilities.push((await classify(text)).probabilities);
    answers.vectors.push([...(await vector(text))]);
    if (i >= attended) continue;
    const { layers } = await attend(text);
    answers.attentions.push(layers.flatMap((layer) => [...layer]));
  }
  return answers;
}"""


def some_sentences() -> list[str]:
    """Give every second held-out sentence."""
    with HELD_OUT.open(encoding="utf-8", newline="") as file:
        return [row["text"] for row in csv.DictReader(file)][: 2 * SENTENCES : 2]


def in_pytorch(texts: Sequence[str], attended: int) -> dict[str, list[Any]]:
    """Give the probabilities, the vectors and the attentions of the notebooks' models.

    Parameters
    ----------
    texts : sequence of str
        The texts, each run by itself.
    attended : int
        Of how many of them to give the attention weights.

    Returns
    -------
    dict
        For each text its ``probabilities`` and the ``vectors`` of length 1, and for the first ones
        all ``attentions`` in one row.
    """
    import torch
    from transformers import AutoModel, AutoModelForSequenceClassification, AutoTokenizer

    from helpers.sources.checkpoints import resolve

    checkpoint = resolve("distilbert-base-uncased-finetuned-sst-2-english")
    tokenizer = AutoTokenizer.from_pretrained(checkpoint)
    classifier = AutoModelForSequenceClassification.from_pretrained(checkpoint).eval()
    encoder = AutoModel.from_pretrained(resolve("bert-base-uncased"), attn_implementation="eager")
    encoder.eval()
    answers: dict[str, list[Any]] = {"probabilities": [], "vectors": [], "attentions": []}
    with torch.inference_mode():
        for i, text in enumerate(texts):
            inputs = tokenizer(text, truncation=True, return_tensors="pt")
            answers["probabilities"].append(classifier(**inputs).logits[0].softmax(-1).tolist())
            outputs = encoder(**inputs, output_attentions=i < attended)
            mean = outputs.last_hidden_state[0].mean(dim=0)  # (dim,): one text has no padding
            answers["vectors"].append((mean / mean.norm()).tolist())
            if i < attended:
                answers["attentions"].append(torch.cat(outputs.attentions).flatten().tolist())
    return answers


@contextmanager
def serve_modules() -> Iterator[str]:
    """Serve the modules and what they load, laid out as in ``_static``, and give the address."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "live").symlink_to(LIVE)
        Path(folder, "vendor").symlink_to(ROOT / "book" / "_vendor")
        with serve(Path(folder)) as address:
            yield address


def in_chromium(
    browser: Browser, address: str, texts: Sequence[str], attended: int
) -> dict[str, list[Any]]:
    """Give the same of the copy; `address` is that of `serve_modules`."""
    page = browser.new_page()
    module = f"{address}live/model.js"
    page.goto(module)  # a module is imported only by a page of its own site
    answers = page.evaluate(RUN, [module, list(texts), attended])
    page.close()
    return answers


def compare(
    ours: Mapping[str, Sequence[Any]], theirs: Mapping[str, Sequence[Any]]
) -> dict[str, float]:
    """Compare the copy's answers with PyTorch's.

    Parameters
    ----------
    ours, theirs : mapping
        What `in_chromium` and `in_pytorch` gave for the same texts.

    Returns
    -------
    dict
        How many ``sentences`` there were, how many got the ``same_label``, of how many the
        probabilities are ``near``; how many ``pairs`` of sentences, and the largest difference of
        their ``cosine``, rounded up; how many attention ``weights``, and how many of them differ by
        at most 0.01 (``attention``).
    """
    import numpy as np

    pairs = list(zip(ours["probabilities"], theirs["probabilities"], strict=True))
    far = [abs(one[1] - other[1]) for one, other in pairs]

    def cosines(vectors: Sequence[Any]) -> np.ndarray:
        matrix = np.array(vectors)  # (sentences, dim), each row of length 1
        return (matrix @ matrix.T)[np.triu_indices(len(matrix), k=1)]

    apart = np.abs(cosines(ours["vectors"]) - cosines(theirs["vectors"]))
    weights = np.concatenate(
        [
            np.abs(np.array(one) - np.array(other))
            for one, other in zip(ours["attentions"], theirs["attentions"], strict=True)
        ]
    )
    return {
        "sentences": len(pairs),
        "same_label": sum((one[1] > one[0]) == (other[1] > other[0]) for one, other in pairs),
        "near": sum(difference <= NEAR for difference in far),
        "pairs": len(apart),
        "cosine": math.ceil(1000 * float(apart.max())) / 1000,
        "weights": len(weights),
        "attention": int((weights <= NEAR_WEIGHT).sum()),
    }


def main() -> int:
    """Measure, and write the result to its file."""
    texts = some_sentences()
    with serve_modules() as address, open_browser() as browser:
        copy = in_chromium(browser, address, texts, ATTENDED)
    measured = compare(copy, in_pytorch(texts, ATTENDED))
    RESULT.write_text(json.dumps(measured, indent=1) + "\n", encoding="utf-8")
    print(measured)
    return 0


if __name__ == "__main__":
    sys.exit(main())
