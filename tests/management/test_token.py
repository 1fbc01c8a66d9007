"""`manage.py token`: what the page under Settings does, by whoever has the shell."""

from getpass import getuser
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from functions_app.models import ApiToken, AuditEntry
from functions_app.services.people import living_tokens
from functions_app.services.people.actor import Actor
from tests.factories import make_account

pytestmark = pytest.mark.django_db
ADDRESS = "203.0.113.7"


def said(*words: str) -> str:
    """What the command says."""
    out = StringIO()
    call_command("token", *words, stdout=out)
    return out.getvalue().strip()


def acts(text: str) -> bool:
    return living_tokens.recognise(text, ADDRESS) is not None


def test_makes_a_token_that_acts_for_its_person_within_what_is_named(operator: Actor) -> None:
    account = make_account()
    narrow = ["--account", account.account_id, "--function", "billing-*", "--network", "203.0.113.0/24"]
    text = said("make", "olga", "ci", "read", "invoke", "--days", "7", *narrow)
    found = living_tokens.recognise(text, ADDRESS)
    assert found is not None
    actor, row = found
    assert (actor.name, row.scopes) == ("olga", ["invoke", "read"])
    assert (row.accounts, row.functions, row.networks) == ([account.account_id], ["billing-*"], ["203.0.113.0/24"])
    assert (row.expires_at - row.created_at).days == 7
    assert living_tokens.recognise(text, "198.51.100.1") is None


def test_rotates_one_whose_old_text_is_worth_nothing_then(operator: Actor) -> None:
    old = said("make", "olga", "ci", "read")
    new = said("rotate", str(ApiToken.objects.get().pk))
    assert (acts(old), acts(new)) == (False, True)


def test_revokes_one_at_once(operator: Actor) -> None:
    text = said("make", "olga", "ci", "read")
    assert said("revoke", str(ApiToken.objects.get().pk)) == "token ci is revoked."
    assert not acts(text)


def test_lists_them_without_their_texts(operator: Actor) -> None:
    texts = [said("make", "olga", name, "read") for name in ("ci", "cd")]
    ci, cd = ApiToken.objects.order_by("pk")
    said("revoke", str(ci.pk))
    assert said("list").splitlines() == [
        f"{ci.pk} ci for olga: read; revoked",
        f"{cd.pk} cd for olga: read; until {cd.expires_at:%Y-%m-%d}",
    ]
    assert not any(text in said("list") for text in texts)


def test_is_audited_as_whoever_has_the_shell(operator: Actor) -> None:
    text = said("make", "olga", "ci", "read")
    pk = str(ApiToken.objects.get().pk)
    said("rotate", pk)
    said("revoke", pk)
    rows = AuditEntry.objects.filter(action__startswith="token.").order_by("pk")
    assert [(row.action, row.actor_name) for row in rows] == [
        (f"token.{verb}", getuser()) for verb in ("make", "rotate", "revoke")
    ]
    assert not any(text in str(row.plan) for row in rows)


@pytest.mark.parametrize("words", [("make", "nobody", "ci", "read"), ("rotate", "0"), ("revoke", "0")])
def test_says_that_there_is_no_such_person_or_token(db: None, words: tuple[str, ...]) -> None:
    with pytest.raises(CommandError, match="There is no"):
        said(*words)
    assert not User.objects.filter(username="nobody").exists()
