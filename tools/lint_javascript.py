"""Check the JavaScript of the book with Biome.

    python -m tools.lint_javascript

Biome is a single program that npm packs for each platform. It is fetched into the environment once,
by its exact version and only with the checksum below. After that no network is needed.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.vendor import Package, VendorError, fetch

ROOT = Path(__file__).parents[1]
SETTINGS = ROOT / "tools" / "biome.jsonc"
CHECKED = ("helpers/display/live/*.js", "book/_static/*.js")
VERSION = "2.6.8"
# for each platform, as Python names it: the package and its checksum
BUILDS = {
    "Linux-x86_64": (
        "linux-x64",
        "sha512-XIk3pLQT56I6Tti+u0DF8FtSNXjCMTPbxVTzfJ9cS2t1ImVKvrqV5b52GuEaJg6/wuiXvz0sjfb5saB4TPRjzA==",
    ),
    "Linux-aarch64": (
        "linux-arm64",
        "sha512-0Bjim8lKwnrvXUHoI4k3Tb51BjoiLEwDnovCI8nSzkk6wj3dShiuAjrx6+X0Hjf4ejR1sRZgTQiSDHlpy9vB7w==",
    ),
    "Darwin-arm64": (
        "darwin-arm64",
        "sha512-DHyj+JnRHcn4YdvpiqgTFZMYKSPELMCfFpNNlEuu1L8DKTGXhzW7raIwdsbo2Ie9nCljQLAQkVWQk/mwM0ueiA==",
    ),
    "Darwin-x86_64": (
        "darwin-x64",
        "sha512-QWWUPjlA0RnkkgYnFLUHZu+RrDc0FdK0A+wEPA+dENQJwsuSHMH89lspnAw2QUWWc9VHyfluGx1Xmp6Y2GZi8Q==",
    ),
}


def biome() -> Path | None:
    """Give the path of Biome, fetching it if it isn't there; None where there is no build of it."""
    build = f"{platform.system()}-{platform.machine()}"
    if build not in BUILDS:
        return None
    name, integrity = BUILDS[build]
    program = Path(sys.prefix) / f"biome-{VERSION}" / "biome"
    if not program.is_file():
        package = Package(f"@biomejs/cli-{name}", VERSION, integrity, ("biome",))
        with tempfile.TemporaryDirectory(dir=sys.prefix) as temporary:
            folder = Path(temporary) / "biome"
            folder.mkdir()
            fetch(package, folder)
            (folder / "biome").chmod(0o755)
            shutil.rmtree(program.parent, ignore_errors=True)
            folder.rename(program.parent)
        print(f"fetched Biome {VERSION}")
    return program


def main() -> int:
    """Check every file, and give Biome's exit status."""
    files = sorted(str(path) for pattern in CHECKED for path in ROOT.glob(pattern))
    try:
        program = biome()
    except VendorError as error:
        print(f"Couldn't fetch Biome, which checks the JavaScript. {error}", file=sys.stderr)
        return 1
    if program is None:
        print(
            f"The JavaScript was NOT CHECKED: expected one of {', '.join(BUILDS)}, got "
            f"{platform.system()}-{platform.machine()}. Add Biome's build for it to BUILDS in "
            "tools/lint_javascript.py.",
            file=sys.stderr,
        )
        return 0
    options = [f"--config-path={SETTINGS}", "--error-on-warnings"]
    return subprocess.run([program, "lint", *options, *files], cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
