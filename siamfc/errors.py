"""What went wrong with something the user gave; the program turns these into one line and exit code 2."""

from __future__ import annotations


class SiamfcError(Exception):
    """Bad input or a broken environment: the message says what was expected, what came, and what to do."""


class BoxError(SiamfcError, ValueError):
    """A box that is not four finite numbers, has no area, or lies outside the frame."""


class FrameError(SiamfcError, ValueError):
    """An array that is not a picture."""


class ConfigError(SiamfcError, ValueError):
    """A setting that is unknown, of the wrong type or out of range."""


class CheckpointError(SiamfcError):
    """A weight file that cannot be read, or does not fit the network."""


class SourceError(SiamfcError):
    """A video, folder, camera or stream that cannot be opened or read to its end."""


class OutputError(SiamfcError):
    """A result that cannot be written, or would overwrite one that is there."""


class EnvironmentProblem(SiamfcError):  # noqa: N818 - it is the machine that lacks something, not the input
    """A library, display or device that is not usable on this machine."""


class TrackerError(SiamfcError):
    """A tracker that is not known, cannot be imported or built, or lacks its model files."""


class TrainingError(SiamfcError):
    """A training run that cannot go on: no label can be made, the loss is not finite, the settings are another's."""


class CalibrationError(SiamfcError):
    """Scores that cannot be calibrated: targets of one video only."""


class MatchError(SiamfcError, ValueError):
    """An exemplar that cannot be searched for: of one colour, too small, or larger than the picture at every scale."""
