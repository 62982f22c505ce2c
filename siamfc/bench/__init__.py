"""How fast each stage runs here, and how near that is to what this machine can do."""
