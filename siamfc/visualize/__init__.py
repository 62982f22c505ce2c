"""Score maps to look at: drawn over frames, beside them, as videos, and as curves."""
