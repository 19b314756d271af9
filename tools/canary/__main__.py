"""Say what an upgrade of the book's packages would change for a reader, before anyone upgrades.

    python -m tools.canary [--pre] [CHAPTER ...]

Runs the notebooks on the lock and on the newest releases that pyproject.toml allows, with --pre on
pre-releases, too, and compares. The report is in ``_build/canary``: ``index.html``, and a
``requirements.lock`` with what was tested. Exit status: 0, nothing new; 1, differences; 2, it
couldn't install or reach the registry, which says nothing about the releases.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from tools.canary import issues, report
from tools.canary.environments import InstallError
from tools.canary.watch import Book, say, watch

ROOT = Path(__file__).parents[2]


def main(arguments: list[str], root: Path = ROOT) -> int:
    """Run the command, and give its exit status."""
    parser = argparse.ArgumentParser(prog="make canary")
    parser.add_argument("chapters", nargs="*", metavar="CHAPTER", help="such as 1; default: all")
    parser.add_argument("--pre", action="store_true", help="go on to pre-releases")
    chosen = parser.parse_args(arguments)
    sources = [
        source
        for source in sorted((root / "notebooks").glob("*/*/*.md"))
        if not chosen.chapters or source.parent.name.partition("-")[0] in chosen.chapters
    ]
    if not sources:
        parser.error(f"expected the number of a chapter; got {' '.join(chosen.chapters)}")
    token = issues.take_token()
    folder = root / "_build" / "canary"
    shutil.rmtree(folder, ignore_errors=True)  # an earlier report would be taken for this one
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as work:
        try:
            stages = watch(
                Book(root, sources, Path(work)), folder / "requirements.lock", pre=chosen.pre
            )
        except InstallError as error:
            say(f"{error}\nNothing was compared: this says nothing about the new releases.")
            return 2
    (folder / "index.html").write_text(report.page(stages), encoding="utf-8")
    print(report.summary(stages))
    print(f"Old and new, side by side: file://{folder}/index.html")
    print(f"What was tested, to be copied over requirements.lock: {folder}/requirements.lock")
    differ = any(stage.findings for stage in stages)
    if differ and token:
        try:
            print(*(f"Issue: {address}" for address in issues.publish(stages, token)), sep="\n")
        except OSError as error:
            say(f"The differences are on the page, but GitHub didn't take the issues: {error}")
    return int(differ)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
