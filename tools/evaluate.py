"""``siamfc evaluate`` from a checkout that is not installed: ``python tools/evaluate.py --data otb:PATH``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from siamfc.cli.main import main

if __name__ == "__main__":
    sys.argv.insert(1, "evaluate")
    main()
