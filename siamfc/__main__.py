"""``python -m siamfc`` is the ``siamfc`` program."""

from siamfc.cli.main import main

if __name__ == "__main__":
    main()
