"""What is settled of an account, with what stands ready by it: which of its aliases carry production traffic."""

from django.db import transaction

from functions_app.models import Account, Function
from functions_app.services.people import account_settings
from functions_app.services.people.account_settings import AccountDraft
from functions_app.services.people.actor import Actor
from functions_app.services.snapshot.function_summaries import refresh_summaries


def save(draft: AccountDraft, actor: Actor, existing: Account | None = None) -> Account:
    """Store a draft; another rule for production holds in lists and counts at once. Raises as account_settings does."""
    before = list(existing.production_aliases) if existing else []
    account = account_settings.save(draft, actor, existing)
    if account.production_aliases != before:
        transaction.on_commit(lambda: _refresh(account))
    return account


def _refresh(account: Account) -> None:
    functions = Function.objects.filter(account=account, gone_at=None).order_by("pk")
    refresh_summaries(list(functions.values_list("pk", flat=True)))
