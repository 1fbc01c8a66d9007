"""`python -m drydock_cli`."""

from drydock_cli.main import program

program()
