"""`python -m app` is the command `gatepost`."""

from app.cli import main

if __name__ == "__main__":
    main()
