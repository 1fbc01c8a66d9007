"""What is settled: accounts and their regions, rules for pushes, views; and how the installation does."""

from collections.abc import Iterable

from functions_app import clock
from functions_app.domain.health.findings import Finding
from functions_app.domain.tokens import Reach
from functions_app.models import Account, SavedView
from functions_app.services.changes import push_rules
from functions_app.services.changes.push_rules import Row as RuleRow
from functions_app.services.inventory.fleet.list_filter import lost
from functions_app.services.inventory.fleet_status import fleet_status
from functions_app.services.inventory.tables.table import Row, Table, in_batches, values
from functions_app.services.people import account_settings, views
from functions_app.services.people.account_settings import ScopeFact
from functions_app.services.people.actor import Actor

_ACCOUNT = ("name", "account_id", "enabled", "role_arn", "production_aliases", "approval")
ACCOUNTS = (*_ACCOUNT, "region", "read_at", "problem")
_RULE = ("mode", "person_name", "created_at", "digest", "told", "told_at")
RULES = ("id", "function", "alias", "image", *(name.removesuffix("_name") for name in _RULE), "plan", "run", "stopped")
_VIEW = ("name", "query", "person", "shared", "default", "changed_at")
VIEWS = ("id", *_VIEW, "lost")
FINDINGS = ("part", "state", "words", "next_step")


def account_table(reach: Reach) -> Table:
    """The accounts within reach: a row for each region, and what went wrong there last."""

    def row(account: Account, scope: ScopeFact) -> Row:
        problem = scope.problem.message if scope.problem else ""
        return [*values(account, _ACCOUNT), scope.region, scope.synced, problem]

    reached = [found for found in account_settings.listing() if reach.covers_account(found[0].account_id)]
    rows = [row(account, scope) for account, scopes in reached for scope in scopes or _unread(account)]
    return Table("accounts", ACCOUNTS, [rows])


def _unread(account: Account) -> list[ScopeFact]:
    """The regions of an account that no sync has come to yet."""
    return [ScopeFact(region, None, None) for region in account.regions]


def rule_table(actor: Actor) -> Table:
    """Every rule for pushes to functions within reach, with what became of its last push."""

    def row(found: RuleRow) -> Row:
        rule = found.rule
        named = (rule.pk, rule.function.arn, rule.alias, f"{rule.repository.uri}:{rule.tag}")
        run = found.run.pk if found.run else None
        return [*named, *values(rule, _RULE), rule.plan_id, run, rule.stopped_at is not None]

    return Table("push-rules", RULES, [[row(found) for found in push_rules.listed(actor)]])


def view_table(actor: Actor) -> Table:
    """One's own views and those that are shared, and what of their filters does not exist any more."""
    accounts, default = fleet_status(clock.now()).accounts, views.default_of(actor)

    def row(view: SavedView) -> Row:
        seen = views.row_of(view, actor, default)
        return [seen.pk, *values(seen, _VIEW), lost(seen.query, accounts)]

    def read(keys: list[int]) -> list[Row]:
        return [row(view) for view in views.seen(actor).filter(pk__in=keys).select_related("person")]

    return Table("views", VIEWS, in_batches(views.seen(actor).values_list("pk", flat=True), read))


def finding_table(findings: Iterable[Finding]) -> Table:
    """What a look at the installation found."""
    return Table("doctor", FINDINGS, [[values(found, FINDINGS) for found in findings]])
