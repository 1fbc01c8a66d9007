"""Short codes that people read in one place and type in another: a link's, and a plan's."""

import secrets

_SIGNS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # none that is taken for another one
_GROUP = 4
LINK_GROUPS = 2  # 39 bits for ten minutes, and few guesses


def new_link_code() -> str:
    """A code that says who somebody is: "7F3K-9QXM"."""
    return "-".join(_group() for _ in range(LINK_GROUPS))


def new_plan_code() -> str:
    """A code that names a plan, and is no run's number: "7F3K". It is said aloud, and gives no right."""
    while (code := _group()).isdecimal():
        pass
    return code


def typed(code: str) -> str:
    """A code as somebody typed it, in the one way of writing it: without blanks and dashes, in capitals."""
    return "".join(sign for sign in code.upper() if sign.isalnum())[:40]


def _group() -> str:
    return "".join(secrets.choice(_SIGNS) for _ in range(_GROUP))
