"""Signing in: recorded in the audit table, and slowed down where somebody guesses.

The audit table is what is counted, so that every web process knows of every attempt, with Redis or without.
"""

from datetime import datetime
from ipaddress import ip_address, ip_network
from math import ceil

from django.contrib.auth.models import User
from django.utils.crypto import salted_hmac

from functions_app import clock
from functions_app.domain import limits
from functions_app.models import AuditEntry
from functions_app.services.people import access
from functions_app.services.people.actor import Actor

ACCEPTED = "login"
REFUSED = "login.refused"


def wait(name: str, address: str) -> int:
    """Seconds this name from this address must still wait; 0 for none. At most four queries.

    Where it failed here before; and, where it is not known here, for this name at all and for this address at all.
    """
    now = clock.now()
    entries = AuditEntry.objects.filter(at__lte=clock.latest()).order_by("-at").values_list("at", flat=True)
    failures = entries.filter(action=REFUSED, at__gt=now - limits.SIGN_IN_WINDOW)
    mine = {"target": _target(name, address)}
    last = entries.filter(action=ACCEPTED, at__gt=now - limits.KNOWN_FOR, **mine).first()
    earliest = now - limits.SIGN_IN_WINDOW
    since = max(last or earliest, earliest)  # a sign-in forgives what was before it
    own = list(failures.filter(at__gt=since, **mine)[:20])
    left = 0.0
    if len(own) >= limits.SIGN_INS:
        pause = min(limits.LONGEST_WAIT, limits.FIRST_WAIT * 2.0 ** (len(own) - limits.SIGN_INS))
        left = pause - (now - own[0]).total_seconds()
    if last is None:
        here = failures.filter(at__gt=now - limits.ADDRESS_WINDOW, target__startswith=_place(address))
        left = max(
            left, _left(list(here[: limits.ADDRESS_SIGN_INS]), limits.ADDRESS_SIGN_INS, limits.ADDRESS_WAIT, now)
        )
        anywhere = failures.filter(target__endswith=f"({_mark(name)})")
        left = max(left, _left(list(anywhere[: limits.NAME_SIGN_INS]), limits.NAME_SIGN_INS, limits.NAME_WAIT, now))
    return max(0, ceil(left))


def _left(failures: list[datetime], free: int, pause: float, now: datetime) -> float:
    """What is left of the pause after the last of so many failures."""
    return pause - (now - failures[0]).total_seconds() if len(failures) >= free else 0.0


def refused(name: str, address: str) -> None:
    """Record a failed attempt. A name that nobody has is not written down: it may be a password in the wrong field."""
    person = User.objects.filter(username=name).first()
    nobody = Actor(None, named=person.get_username() if person else "(unknown name)")  # not yet, at least
    access.audit(nobody, REFUSED, _target(name, address), None, "refused: wrong name or password")


def accepted(person: User, name: str, address: str) -> None:
    """Record a sign-in."""
    access.audit(Actor(person), ACCEPTED, _target(name, address), None, "signed in")


def ended(person: User, address: str) -> None:
    """Record a sign-out."""
    access.audit(Actor(person), "logout", f"sign-out from {address}", None, "signed out")


def _place(address: str) -> str:
    """The address as it is counted: a whole /64 of IPv6 is one subscriber."""
    try:
        known = ip_address(address)
    except ValueError:
        return f"sign-in from {address[:60]} ("
    counted = known if known.version == 4 else ip_network(f"{known}/64", strict=False)
    return f"sign-in from {counted} ("


def _target(name: str, address: str) -> str:
    return f"{_place(address)}{_mark(name)})"


def _mark(name: str) -> str:
    return salted_hmac("drydock.sign-in", name.casefold()).hexdigest()[:12]
