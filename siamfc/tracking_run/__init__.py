"""A run: a tracker over a whole video, with the files that it leaves."""
