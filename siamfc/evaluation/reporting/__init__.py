"""Reports of an evaluation: ``report.json``, ``report.html`` and tables on the screen."""
