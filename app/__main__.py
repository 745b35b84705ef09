"""The command `gatepost`, also `python -m app`."""

import sys


def main() -> None:
    # Cron and scripts start `gatepost sendmail` for every message: it goes past the command line's libraries.
    if sys.argv[1:2] == ["sendmail"]:
        from app.sendmail.command import main as sendmail

        sys.exit(sendmail(sys.argv[2:]))
    from app.cli import main as command_line

    command_line()


if __name__ == "__main__":
    main()
