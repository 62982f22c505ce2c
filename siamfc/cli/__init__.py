"""The ``siamfc`` program: one file a command, each a thin shell over a public call."""
