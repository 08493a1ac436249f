"""`python -m app` is `trimbin`."""

from app.cli import main

main()
