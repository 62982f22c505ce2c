"""``siamfc train`` from a checkout; on several GPUs or machines ``torchrun --nproc-per-node 2 tools/train.py``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from siamfc.cli.main import main

if __name__ == "__main__":
    sys.argv.insert(1, "train")
    main()
