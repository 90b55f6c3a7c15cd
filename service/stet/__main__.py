"""`python -m stet` is the command `stet`."""

from stet.cli import main

main()
