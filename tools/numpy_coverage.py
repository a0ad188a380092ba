"""Measure which NumPy expressions HIPS/autograd, MyGrad and PyTorch get right, for the page "NumPy coverage".

python -m tools.numpy_coverage
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

STORE = Path(__file__).parent / "site" / "numpy_coverage.json"


def main() -> None:
    """Measure the libraries and write the file that the page build reads."""
    from tests.oracles.numpy_peers import PEERS, rights

    found = {text: " ".join(names) for text, names in rights(list(PEERS)).items()}
    versions = {name: version(name) for name in PEERS}
    STORE.write_text(json.dumps({"versions": versions, "right": found}, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
