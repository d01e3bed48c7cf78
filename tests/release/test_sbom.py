"""The list of what the image installs."""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PINNED = re.compile(r"^([a-z0-9._-]+)==([^\s;]+)", re.MULTILINE)


def test_everything_that_is_pinned_is_listed_with_its_hashes(tmp_path: Path) -> None:
    """`make sbom` lists each package of the image's lock, in its version; the form is valid."""
    recipe = (ROOT / "Makefile").read_text()
    [arguments] = re.findall(r"\$\(BIN\)/python (.* cyclonedx_py .*) -o dist/sbom.json", recipe)
    written = tmp_path / "sbom.json"
    asked = [sys.executable, *arguments.split(), "-o", str(written)]
    subprocess.run(asked, cwd=ROOT, check=True, capture_output=True)
    listed = json.loads(written.read_text())["components"]
    pinned = PINNED.findall((ROOT / "requirements" / "image.txt").read_text())
    assert sorted((one["name"], one["version"]) for one in listed) == sorted(pinned)
    assert len(pinned) > 10
    for one in listed:
        [reference] = one["externalReferences"]
        assert {found["alg"] for found in reference["hashes"]} == {"SHA-256"}
