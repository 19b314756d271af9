"""What the site takes from npm: only with its checksum, whole or not at all, and not twice."""

import base64
import gzip
import hashlib
import sys
import tarfile
from dataclasses import replace

import pytest

from tools import vendor

# Stands for npm: says where it was asked what, and packs the file that lies beside it.
NPM = """#!{python}
import os, shutil, sys
assert os.environ["NODE_USE_SYSTEM_CA"] == "1"
if sys.argv[1:3] != ["pack", "a-package@1.2.3"]:
    sys.exit("no such package")
shutil.copy({archive!r}, "a-package-1.2.3.tgz")
"""


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of one file, and a program in npm's place that packs it."""
    (tmp_path / "program.mjs").write_text("export const one = 1;\n")
    archive = tmp_path / "archive.tgz"
    with tarfile.open(archive, "w:gz") as made:
        made.add(tmp_path / "program.mjs", "package/dist/program.mjs")
    npm = tmp_path / "npm"
    npm.write_text(NPM.format(python=sys.executable, archive=str(archive)))
    npm.chmod(0o755)
    monkeypatch.setattr(vendor.shutil, "which", lambda *_, **__: str(npm))
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    return vendor.Package("a-package", "1.2.3", f"sha512-{digest}", ("dist/program.mjs",))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder"


def test_the_needed_files_come_and_no_others(package, folder):
    vendor.fetch(package, folder)
    assert [path.name for path in folder.iterdir()] == ["program.mjs"]
    assert (folder / "program.mjs").read_text() == "export const one = 1;\n"


def test_a_large_file_is_stored_compressed(package, folder):
    vendor.fetch(replace(package, compressed=package.files), folder)
    assert [path.name for path in folder.iterdir()] == ["program.mjs.gz"]
    packed = (folder / "program.mjs.gz").read_bytes()
    assert gzip.decompress(packed) == b"export const one = 1;\n"
    assert packed[4:8] == bytes(4), "a time of day would make it another file each time"


def test_another_checksum_is_an_error_and_nothing_is_kept(package, folder):
    with pytest.raises(vendor.VendorError, match=r"checksum sha512-AAAA; got sha512-.*Nothing was"):
        vendor.fetch(replace(package, integrity="sha512-AAAA"), folder)
    assert not list(folder.iterdir())


def test_what_npm_says_is_passed_on(package, folder):
    with pytest.raises(
        vendor.VendorError, match=r"(?s)could not fetch a-package@9\.9.*no such package"
    ):
        vendor.fetch(replace(package, version="9.9"), folder)


def test_without_npm_the_error_says_what_to_install(package, folder, monkeypatch):
    monkeypatch.setattr(vendor.shutil, "which", lambda *_, **__: None)
    with pytest.raises(vendor.VendorError, match=r"npm is missing: .*\[dev\]"):
        vendor.fetch(package, folder)


def test_what_is_whole_is_not_made_again_and_what_failed_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(vendor, "VENDOR", tmp_path / "vendor")

    def fail(folder):
        (folder / "half").write_text("half")
        raise vendor.VendorError("broken off")

    with pytest.raises(vendor.VendorError, match="broken off"):
        vendor.complete("one", {"version": 1}, fail)
    assert not list(vendor.VENDOR.iterdir())
    assert vendor.complete("one", {"version": 1}, lambda folder: (folder / "a").write_text("a"))
    assert not vendor.complete("one", {"version": 1}, fail)
    with pytest.raises(vendor.VendorError):
        vendor.complete("one", {"version": 2}, fail)
    # the old one stays until a new one is whole
    assert (vendor.VENDOR / "one" / "a").read_text() == "a"
