"""``python -m tillway``: the same as the console script."""

from tillway.cli import main

if __name__ == "__main__":
    main()
