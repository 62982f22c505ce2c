"""``siamfc visualize`` from a checkout that is not installed: ``python tools/visualize.py VIDEO --box X,Y,W,H``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from siamfc.cli.main import main

if __name__ == "__main__":
    sys.argv.insert(1, "visualize")
    main()
