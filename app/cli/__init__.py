"""The command line. Each command is a few lines over the API's client; everything heavy is imported when it is needed.

Exit codes: 0 done; 1 refused, or problems were found; 2 the command line was wrong; 3 the server does not run;
78 the settings have faults (from `serve` and `trial`).
"""

from app.cli.group import main

__all__ = ["main"]
