"""Read the events behind the paraphrase corpus, and what its near misses change."""

from __future__ import annotations

import json

from helpers.sources.checksums import DATA

FOLDER = DATA / "paraphrases"


def read_events() -> dict[str, list[dict]]:
    """Read the events of each topic.

    Returns
    -------
    dict of str to list of dict
        The events by topic. Each has ``id``, ``wordings``, ``reworks`` and ``near_misses``; a near
        miss has its ``text``, what it ``changed``, and some have a ``rework``.
    """
    import yaml

    return {
        path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
        for path in sorted((FOLDER / "events").glob("*.yaml"))
    }


def read_trainings() -> dict:
    """Read what came of the trainings that were run ahead of time on the book's own corpus.

    Returns
    -------
    dict
        ``settings``: those of all trainings. ``baselines``: by the name of a rule, its answers to
        the test pairs, a string with a digit for each. ``trainings``: a list, each with its
        ``start`` ("pretrained", "frozen" or "random"), ``seed``, ``epochs`` (the losses, in nats,
        and the accuracy on the validation set after each) and ``test_answers``, a string as above.
    """
    return json.loads((FOLDER / "trainings.json").read_text(encoding="utf-8"))


def changes(topics: dict[str, list[dict]]) -> dict[str, str]:
    """Map each near miss, and its rework, to the kind of fact that it changes.

    Parameters
    ----------
    topics : dict of str to list of dict
        The events of each topic, from `read_events`.

    Returns
    -------
    dict of str to str
        The kind of changed fact, such as "number" or "place", by sentence.
    """
    misses = [miss for events in topics.values() for e in events for miss in e["near_misses"]]
    return {text: miss["changed"] for miss in misses for text in tellings(miss)}


def tellings(miss: dict) -> list[str]:
    """List the sentences of a near miss: its text, and its light rework if it has one."""
    return [miss[name] for name in ("text", "rework") if name in miss]
