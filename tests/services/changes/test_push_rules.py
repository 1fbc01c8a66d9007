"""Rules that deploy what is pushed: who may make one, for what, and what becomes of it."""

from collections.abc import Callable

import pytest

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.tokens import Reach, TokenScope
from functions_app.models import AuditEntry, Function, PushRule, Repository
from functions_app.services.changes import push_rules
from functions_app.services.people.actor import Actor
from tests.conftest import Valkey
from tests.factories import digest, make_repository
from tests.fixtures import Sandbox
from tests.sandbox.functions import Functions
from tests.services.changes.stage import Stage, make_stage

pytestmark = pytest.mark.django_db


@pytest.fixture
def stage(functions: Functions, operator: Actor, aws: Sandbox, valkey: Valkey) -> Stage:
    """A function whose repository Drydock knows; its tag main names an image."""
    made = make_stage(functions, operator)
    make_repository(made.account, made.name)
    made.push("two", "main")
    return made


def make(
    stage: Stage, actor: Actor | None = None, image: str = "main", alias: str = "dev", typed: str = ""
) -> PushRule:
    return push_rules.make(stage.function, alias, image, "deploy", actor or stage.actor, typed)


def refused(act: Callable[[], object]) -> DrydockError:
    """Why it is refused; nothing is made, and the attempt is in the audit."""
    rules = PushRule.objects.count()
    with pytest.raises(DrydockError) as caught:
        act()
    assert PushRule.objects.count() == rules
    newest = AuditEntry.objects.first()
    assert newest is not None
    assert newest.result == f"refused: {caught.value}"[:300]
    return caught.value


def test_one_is_made_with_what_the_tag_names_now_and_audited(stage: Stage) -> None:
    rule = make(stage)
    assert (rule.digest, rule.tag, rule.person) == (stage.push("two", "main"), "main", stage.actor.person)
    entry = AuditEntry.objects.get(action="push_rule.make")
    assert entry.result == f"made: push rule {rule.pk}: app:main to app:dev"
    assert entry.plan["alias"] == "dev"


def test_a_tag_that_is_not_there_yet_may_be_waited_for(stage: Stage) -> None:
    assert make(stage, image="release").digest == ""


def test_an_alias_has_one_rule(stage: Stage) -> None:
    make(stage)
    assert "There is a rule for app:dev already." in str(refused(lambda: make(stage, image="other")))


@pytest.mark.parametrize(
    ("image", "code"),
    [
        (digest("x"), Code.INVALID),
        ("", Code.INVALID),
        ("AKIAIOSFODNN7EXAMPLE", Code.INVALID),
        ("111111111111.dkr.ecr.eu-west-1.amazonaws.com/nowhere:main", Code.NOT_FOUND),
    ],
)
def test_what_is_no_tag_of_a_known_repository_is_refused(stage: Stage, image: str, code: Code) -> None:
    assert refused(lambda: make(stage, image=image)).problem.code is code


def test_a_repository_of_another_region_is_refused(stage: Stage) -> None:
    Repository.objects.update(region="us-east-1")
    assert refused(lambda: make(stage)).problem.code is Code.PREFLIGHT


def test_for_production_the_aliass_name_is_typed_once(stage: Stage) -> None:
    assert "type the name of the alias" in str(refused(lambda: make(stage, alias="live")))
    assert make(stage, alias="live", typed="live").alias == "live"


def test_who_may_only_look_makes_and_removes_none(stage: Stage, viewer: Actor) -> None:
    assert refused(lambda: make(stage, viewer)).problem.code is Code.DENIED
    rule = make(stage)
    with pytest.raises(DrydockError, match="Only operators"):
        push_rules.remove(rule.pk, viewer)
    assert PushRule.objects.exists()


def test_a_token_makes_one_within_its_scopes_and_its_reach(stage: Stage) -> None:
    nonprod = frozenset({TokenScope.DEPLOY_NONPROD})
    person = stage.actor.person
    assert refused(lambda: make(stage, Actor(person, "token ci", nonprod), alias="live", typed="live"))
    elsewhere = Actor(person, "token ci", nonprod, reach=Reach(functions=("billing-*",)))
    assert refused(lambda: make(stage, elsewhere)).problem.code is Code.NOT_FOUND
    rule = make(stage, Actor(person, "token ci", nonprod))
    assert list(push_rules.listed(elsewhere)) == []
    assert refused_removal(rule, elsewhere) is Code.NOT_FOUND


def refused_removal(rule: PushRule, actor: Actor) -> Code:
    with pytest.raises(DrydockError) as caught:
        push_rules.remove(rule.pk, actor)
    return caught.value.problem.code


def test_one_is_removed_by_any_operator_and_audited(stage: Stage, approver: Actor) -> None:
    push_rules.remove(make(stage).pk, approver)
    assert not PushRule.objects.exists()
    assert AuditEntry.objects.get(action="push_rule.remove").actor == approver.person


def test_it_goes_with_its_function(stage: Stage) -> None:
    make(stage)
    Function.objects.all().delete()
    assert not PushRule.objects.exists()
