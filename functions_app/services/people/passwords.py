"""Passwords: what is wrong with a new one, and what ends with the old one."""

from dataclasses import dataclass

from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.models import User
from django.db import transaction

from functions_app.services.people import access, sessions
from functions_app.services.people.actor import Actor

OLD, NEW, AGAIN = "old_password", "new_password1", "new_password2"


@dataclass(frozen=True)
class Field:
    """A field of the form: its name, what it is called, what browsers fill in, and what is said below it."""

    name: str
    label: str
    autocomplete: str
    hint: str


FIELDS = (
    Field(OLD, "The password you have", "current-password", "Asked again, since a browser may be left open."),
    Field(NEW, "A new one", "new-password", "At least 12 characters, and none of those that everybody takes."),
    Field(AGAIN, "Again", "new-password", "All your other sessions end; this one goes on."),
)
_WORDS = {
    (OLD, "password_incorrect"): "That is not your password.",
    (OLD, "required"): "That is not your password.",
    (AGAIN, "password_mismatch"): "The two differ.",
}


def faults(form: PasswordChangeForm) -> dict[str, str]:
    """What is wrong with a filled-in form, by field; empty where nothing is. The old one is asked first, and alone."""
    found = {
        field: " ".join(_WORDS.get((field, each.code or ""), " ".join(each.messages)) for each in errors.as_data())
        for field, errors in form.errors.items()
    }
    if OLD in found:
        return {OLD: found[OLD]}
    if not found and form.cleaned_data[NEW] == form.cleaned_data[OLD]:
        return {NEW: "This is the one you have."}
    return found


@transaction.atomic
def changed(person: User, actor: Actor, key: str | None) -> int:
    """End what began with the old password, but this session: how many others ended."""
    ended = sessions.drop_all(person, key)
    access.audit(actor, "password.change", person.get_username(), {"sessions": ended}, "changed; other sessions ended")
    return ended


@transaction.atomic
def reset(person: User, password: str, actor: Actor) -> int:
    """Give somebody a new password, which ends all their sessions: how many."""
    person.set_password(password)
    person.save(update_fields=["password"])
    ended = sessions.drop_all(person)
    access.audit(actor, "password.reset", person.get_username(), {"sessions": ended}, "reset; all sessions ended")
    return ended
