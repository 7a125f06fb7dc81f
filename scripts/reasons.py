"""Copy the phrases of reasons from the package, their home, to the MediaWiki extension.

python3 scripts/reasons.py
"""

import shutil
from pathlib import Path

ROOT = Path(__file__).parent.parent
HOME = ROOT / "src/revision_quality/models/data/reasons"
COPY = ROOT / "extension/RevisionQuality/i18n/reasons"


def main() -> None:
    """Make the extension's files those of the package."""
    COPY.mkdir(parents=True, exist_ok=True)
    for file in COPY.glob("*.json"):
        file.unlink()
    for file in sorted(HOME.glob("*.json")):
        shutil.copyfile(file, COPY / file.name)


if __name__ == "__main__":
    main()
