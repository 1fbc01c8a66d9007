"""Rules that deploy what is pushed: made by operators, each for one alias, and taken away."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from functions_app import clock
from functions_app.aws import ecr, quota
from functions_app.domain.changes.aliases import check_alias_name
from functions_app.domain.changes.checks import check_confirmation
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.redaction import NOT_KEPT, holds_secret
from functions_app.domain.runs import Kind
from functions_app.domain.tokens import needed
from functions_app.models import Function, PushRule, Repository, Run
from functions_app.services.changes.image_references import read_reference
from functions_app.services.engine import approvals
from functions_app.services.people import access, accounts
from functions_app.services.people.actor import Actor
from functions_app.services.people.reach import functions_within

REPLACED = "A newer push took its place."


@dataclass(frozen=True)
class Row:
    """A rule as lists show it; `run`: what came of its last push, where that became one."""

    rule: PushRule
    run: Run | None

    @property
    def waits(self) -> bool:
        """Whether the plan of its last push is still to be applied, or approved."""
        plan = self.rule.plan
        return plan is not None and plan.applied_at is None and plan.rejected_at is None


def make(function: Function, alias: str, image: str, mode: str, actor: Actor, typed: str = "") -> PushRule:
    """Make a rule: `image` names a tag, of the function's own repository or with its repository before it.

    What the tag names now is not deployed: the next push is. For an alias that carries production traffic its name is
    `typed`, once for all pushes. Asks ECR. Raises DENIED, INVALID, NOT_FOUND, PREFLIGHT; audited either way.
    """
    asked = {"alias": alias[:130], "image": image[:600], "mode": mode[:10]}
    try:
        access.require_operator(actor)
        rule = _checked(function, check_alias_name(alias), image, mode, actor, typed)
        with quota.patience(quota.PERSONS_WAIT):
            rule.digest = tag_now(rule)
        with transaction.atomic():
            rule.save()
            access.audit(actor, "push_rule.make", function.arn, facts(rule), f"made: {rule}")
    except IntegrityError as error:
        refused = DrydockError(
            Code.INVALID, f"There is a rule for {function.name}:{alias} already.", next_step="Remove that one first."
        )
        access.audit(actor, "push_rule.make", function.arn, asked, f"refused: {refused}")
        raise refused from error
    except DrydockError as error:
        access.audit(actor, "push_rule.make", function.arn, asked, f"refused: {error}")
        raise
    return rule


def _checked(function: Function, alias: str, image: str, mode: str, actor: Actor, typed: str) -> PushRule:
    production = _require_right(function, alias, actor)
    if mode not in PushRule.Mode.values:
        raise DrydockError(Code.INVALID, "A rule plans, or deploys.", next_step="Say plan or deploy.")
    reference = read_reference(image, function)
    if holds_secret(alias) or holds_secret(reference.tag):
        raise DrydockError(Code.INVALID, f"The alias or the tag: {NOT_KEPT}")
    if reference.digest:
        raise DrydockError(
            Code.INVALID, "A digest is never pushed anew.", next_step="Name a tag that moves, such as main."
        )
    repository = Repository.objects.filter(uri=reference.name, gone_at=None).select_related("account").first()
    if repository is None:
        raise DrydockError(
            Code.NOT_FOUND, f"Drydock knows no repository {reference.name}.", next_step="Sync, if it is new."
        )
    if repository.region != function.region:
        told = f"The repository is in {repository.region}, the function in {function.region}."
        raise DrydockError(Code.PREFLIGHT, told, next_step="Lambda pulls from ECR in its own region only.")
    if mode == PushRule.Mode.DEPLOY:
        check_confirmation(alias if production else "", typed)
    return PushRule(
        function=function,
        alias=alias,
        repository=repository,
        tag=reference.tag,
        mode=mode,
        person=actor.person,
        person_name=actor.name,
        via=actor.via,
        scopes=sorted(actor.scopes),
        accounts=None if actor.reach.accounts is None else sorted(actor.reach.accounts),
        functions=None if actor.reach.functions is None else list(actor.reach.functions),
        confirmed=alias if production and mode == PushRule.Mode.DEPLOY else "",
        created_at=clock.now(),
    )


def _require_right(function: Function, alias: str, actor: Actor) -> bool:
    """Raise unless they might deploy to this alias themselves; whether it carries production traffic."""
    production = accounts.production(function.account).include(alias)
    access.require_reach(actor, function)
    access.require_scopes(actor, needed(Kind.DEPLOYMENT, production=production))
    return production


def remove(pk: int, actor: Actor) -> None:
    """Take a rule away, and the plan of its last push where nobody has applied it. Raises DENIED, NOT_FOUND."""
    rule = find(pk, actor)
    try:
        access.require_operator(actor)
        _require_right(rule.function, rule.alias, actor)
    except DrydockError as error:
        access.audit(actor, "push_rule.remove", rule.function.arn, facts(rule), f"refused: {error}")
        raise
    with transaction.atomic():
        take_back(rule, "Its rule was removed.")
        access.audit(actor, "push_rule.remove", rule.function.arn, facts(rule), f"removed: {rule}")
        rule.delete()


def find(pk: int, actor: Actor) -> PushRule:
    """A rule of a function within reach. Raises NOT_FOUND."""
    rule = _within(actor).filter(pk=pk).first()
    if rule is None:
        access.audit(actor, "push_rule.remove", f"push rule {pk}", None, "refused: there is none")
        raise DrydockError(Code.NOT_FOUND, "There is no such rule.", next_step="Look at the list.")
    return rule


def listed(actor: Actor) -> Sequence[Row]:
    """Every rule of functions within reach, with what came of its last push. Two queries."""
    rules = list(_within(actor).order_by("function__name", "alias", "pk"))
    runs = {run.made_from_id: run for run in Run.objects.filter(made_from__in=[rule.plan_id for rule in rules])}
    return [Row(rule, runs.get(rule.plan_id)) for rule in rules]


def _within(actor: Actor) -> QuerySet[PushRule]:
    found = PushRule.objects.select_related("function__account", "repository__account", "person", "plan")
    return found.filter(functions_within(actor.reach, "function__"))


def tag_now(rule: PushRule) -> str:
    """The digest that the tag names in ECR now; '' where there is no such tag. Raises DrydockError."""
    repository = rule.repository
    target = accounts.target(repository.account, repository.region)
    found = ecr.manifests(target, repository.name, [rule.tag], registry_id=repository.account.account_id).found
    return found[rule.tag].digest if rule.tag in found else ""


def take_back(rule: PushRule, why: str) -> None:
    """Have nobody apply the plan of an earlier push any more."""
    if rule.plan_id is not None:
        approvals.withdraw(rule.plan_id, why, f"push rule {rule.pk}")


def facts(rule: PushRule) -> dict[str, object]:
    """What the audit keeps of a rule."""
    image = f"{rule.repository.uri}:{rule.tag}"
    return {"alias": rule.alias, "image": image, "mode": rule.mode, "person": rule.person_name, "digest": rule.digest}
