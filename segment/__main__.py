"""`python -m segment` is the command."""

from segment.command.cli import main

if __name__ == "__main__":
    main()
