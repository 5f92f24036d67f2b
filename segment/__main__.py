"""`python -m segment` is the command."""

from segment.cli import main

if __name__ == "__main__":
    main()
