"""`python -m ouzel`."""

from ouzel.cli.main import main

main()
