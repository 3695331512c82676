"""``python -m brnn`` is the command `brnn`."""

import sys

from brnn.cli import main

if __name__ == "__main__":
    sys.exit(main())
