"""AsyncAPI's official parser, which runs on Node.js: installed once, then asked of a document."""

import hashlib
import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Final

from tests.toolchain import demand

_FILES: Final = (Path(__file__).parent / "package.json", Path(__file__).parent / "check.mjs")
_CACHE: Final = Path.home() / ".cache" / "loyaltystream"


def ask(document: dict[str, Any]) -> dict[str, Any]:
    """Return everything that the parser has against a document, and what it read in it."""
    demand("node", "npm")
    folder = _installed()
    done = subprocess.run(
        ["node", "check.mjs"],  # noqa: S607 (whichever Node.js the machine has)
        cwd=folder,
        input=json.dumps(document),
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    answer = json.loads(done.stdout)
    assert isinstance(answer, dict)
    return answer


def _installed() -> Path:
    """Return a folder with the parser; another version is another folder."""
    version = hashlib.sha256(b"".join(file.read_bytes() for file in _FILES)).hexdigest()[:12]
    folder = _CACHE / f"asyncapi-parser-{version}"
    if not folder.is_dir():
        _CACHE.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=_CACHE))
        for file in _FILES:
            shutil.copy(file, made)
        options = ("--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts")
        subprocess.run(  # a half of it is never taken for the whole
            ["npm", "install", *options],  # noqa: S607 (likewise)
            cwd=made,
            check=True,
            timeout=300,
        )
        made.rename(folder)
    return folder
