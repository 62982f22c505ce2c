"""Tests, mirroring the package; slow references lie in ``tests/reference``."""
