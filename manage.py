#!/usr/bin/env python
"""Django's command line for Drydock."""

import os
import sys


def main() -> None:
    """Run the management command named on the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")
    from dashboard import env

    try:
        env.read()
    except (ValueError, OSError) as error:
        sys.exit(f"drydock: {error}")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
