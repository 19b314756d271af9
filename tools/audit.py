"""Run Lighthouse on every page of the built site and print the scores.

    python -m tools.audit SITE [PAGE ...]

The site is served from this machine, compressed. The command fails if a score is below its goal.
A page takes about half a minute. Other running programs lower the performance score: a page that
misses this goal is measured twice more, and the median counts.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.browsing import FLAGS, chromium, serve
from tools.toc import documents

ROOT = Path(__file__).parents[1]
HERE = ROOT / "tools" / "lighthouse"
NODE = ROOT / "_build" / "npm" / "audit"  # ignored by version control

CATEGORIES = {
    "performance": "performance",
    "accessibility": "accessibility",
    "best-practices": "best practices",
    "seo": "search",
}
GOALS = {
    "mobile": {"performance": 85, "accessibility": 100, "best-practices": 100, "seo": 100},
    "desktop": {"performance": 95, "accessibility": 100, "best-practices": 100, "seo": 100},
}


def environment() -> dict[str, str]:
    """Give the environment in which npm and Lighthouse find Node.js and the browser."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    own = {"PATH": path, "CHROME_PATH": chromium(shell=False) or "", "NODE_USE_SYSTEM_CA": "1"}
    return os.environ | own


def install() -> Path:
    """Install the locked Lighthouse if needed. The first time needs the network."""
    program = NODE / "node_modules" / "lighthouse" / "cli" / "index.js"
    lock = (HERE / "package-lock.json").read_text()
    stamp = NODE / "complete"
    if not (stamp.is_file() and stamp.read_text() == lock):
        NODE.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(HERE / name, NODE / name)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(command, cwd=NODE, env=environment(), check=True)
        stamp.write_text(lock)
    return program


def report_on(program: Path, url: str, form: str) -> dict:
    """Run Lighthouse on one page and return its report."""
    with tempfile.TemporaryDirectory() as temporary:
        report = Path(temporary) / "report.json"
        command = [
            "node",
            program,
            url,
            "--quiet",
            "--output=json",
            f"--output-path={report}",
            f"--only-categories={','.join(CATEGORIES)}",
            f"--chrome-flags=--headless {' '.join(f for f in FLAGS if ' ' not in f)}",
            *(["--preset=desktop"] if form == "desktop" else []),
        ]
        subprocess.run(
            command, env=environment(), check=True, timeout=300, stdout=subprocess.DEVNULL
        )
        return json.loads(report.read_text())


def scores(report: dict) -> dict[str, int]:
    """Give the scores of a report, from 0 to 100."""
    return {key: round(100 * (report["categories"][key]["score"] or 0)) for key in CATEGORIES}


def faults(report: dict) -> list[str]:
    """List the failed checks of a page, except for performance, which is a score only."""
    return [
        f"{key}: {report['audits'][item['id']]['title']}"
        for key in CATEGORIES
        if key != "performance"
        for item in report["categories"][key]["auditRefs"]
        if item["weight"] and report["audits"][item["id"]]["score"] not in (None, 1)
    ]


def main(site: Path, pages: list[str]) -> int:
    """Print the table. Return 1 if a score is below its goal."""
    if chromium(shell=False) is None:
        print(
            "expected a Chromium, found none. On Debian: apt-get install chromium", file=sys.stderr
        )
        return 2
    program = install()
    missed = 0
    print(f"{'page':60}{'':9}{''.join(f'{name:>16}' for name in CATEGORIES.values())}")
    with serve(site) as address:
        for page in pages:
            for form, goals in GOALS.items():
                report = report_on(program, address + page, form)
                if scores(report)["performance"] < goals["performance"]:
                    more = [report_on(program, address + page, form) for _ in range(2)]
                    by_speed = sorted([report, *more], key=lambda one: scores(one)["performance"])
                    report = by_speed[1]
                row = scores(report)
                low = {key for key in goals if row[key] < goals[key]}
                cells = (f"{row[key]}{' <' if key in low else ''}" for key in CATEGORIES)
                print(f"{page:60}{form:9}{''.join(f'{cell:>16}' for cell in cells)}", flush=True)
                for fault in faults(report):
                    print(f"    {fault}", flush=True)
                missed += bool(low)
    return int(missed > 0)


if __name__ == "__main__":
    asked = sys.argv[2:] or [
        *(f"{name}.html" for name in documents()),
        "search.html",
        "genindex.html",
    ]
    sys.exit(main(Path(sys.argv[1]), asked))
