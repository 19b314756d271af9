"""Look at every page of the built site with Lighthouse, and print its marks.

    python -m tools.audit SITE [PAGE ...]

The site is served on this machine, compressed, as any web server does. A mark below its goal makes
the command fail. A run takes about half a minute a page. Other programs at work make performance
look worse than it is: a page that misses its goal is looked at twice more, and the look in the
middle counts.
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
    """Let npm and Lighthouse find the Node.js of this environment, and the browser."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    own = {"PATH": path, "CHROME_PATH": chromium() or "", "NODE_USE_SYSTEM_CA": "1"}
    return os.environ | own


def install() -> Path:
    """Fetch Lighthouse by its lock, unless it is there. Needs the network the first time."""
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


def look(program: Path, url: str, form: str) -> dict:
    """Give Lighthouse's report on one page."""
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


def marks(report: dict) -> dict[str, int]:
    """Give the marks of a report, from 0 to 100."""
    return {key: round(100 * (report["categories"][key]["score"] or 0)) for key in CATEGORIES}


def faults(report: dict) -> list[str]:
    """List the checks that a page did not pass, but for those of speed, which are degrees."""
    return [
        f"{key}: {report['audits'][item['id']]['title']}"
        for key in CATEGORIES
        if key != "performance"
        for item in report["categories"][key]["auditRefs"]
        if item["weight"] and report["audits"][item["id"]]["score"] not in (None, 1)
    ]


def main(site: Path, pages: list[str]) -> int:
    """Print the table. Give 1 if a mark is below its goal."""
    if chromium() is None:
        print("expected a Chromium. On Debian: apt-get install chromium", file=sys.stderr)
        return 2
    program = install()
    missed = 0
    print(f"{'page':60}{'':9}{''.join(f'{name:>16}' for name in CATEGORIES.values())}")
    with serve(site) as address:
        for page in pages:
            for form, goals in GOALS.items():
                report = look(program, address + page, form)
                if marks(report)["performance"] < goals["performance"]:
                    more = [look(program, address + page, form) for _ in range(2)]
                    by_speed = sorted([report, *more], key=lambda one: marks(one)["performance"])
                    report = by_speed[1]
                row = marks(report)
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
