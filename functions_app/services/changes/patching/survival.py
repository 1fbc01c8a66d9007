"""Whether the way back and all that is live outlive the pushes of a patch, by the repository's own lifecycle policy.

The policy is read now, the images are those of the snapshot.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from functions_app import clock
from functions_app.aws import lifecycle
from functions_app.domain.changes.patching.base_moves import RebasePlan
from functions_app.domain.changes.patching.patches import PatchPlan
from functions_app.domain.changes.patching.push_survival import NAME, Pushed, survival_checks
from functions_app.domain.errors import DrydockError
from functions_app.domain.fleet.lifecycle_simulation import Kept, read_rules
from functions_app.domain.images.lambda_rules import Check
from functions_app.domain.images.roles import Role
from functions_app.models import Image, Repository, Tag
from functions_app.services.changes.careful_steps import PASSING
from functions_app.services.people import accounts
from functions_app.services.snapshot.endangered_images import would_endanger

NOT_LISTED = ("ARCHIVED", "ACTIVATING")  # no rule of the standard class counts them
UNKNOWN_DAY = datetime.min.replace(tzinfo=UTC)  # not told: taken for the oldest, which goes first


@dataclass(frozen=True)
class Push:
    """An image that is rebased, and the digest and tag of what is pushed beside it; `golden`: others stand on it."""

    app: Image
    digest: str
    tag: str
    golden: bool = False


def checks_of(pushes: Sequence[Push]) -> tuple[Check, ...]:
    """What these pushes would make rules of their repositories take.

    One call to ECR and six queries for each repository. Raises what may pass: THROTTLED, UNREACHABLE.
    """
    repositories = {each.app.repository_id: each.app.repository for each in pushes}
    return tuple(
        check
        for pk, repository in repositories.items()
        for check in _checks(repository, [each for each in pushes if each.app.repository_id == pk])
    )


def _checks(repository: Repository, pushes: Sequence[Push]) -> tuple[Check, ...]:
    try:
        policy = lifecycle.policy(accounts.target(repository.account, repository.region), repository.name)
        rules = read_rules(policy) if policy else ()
    except DrydockError as error:
        if error.problem.code in PASSING:
            raise
        return (Check(NAME, None, f"{_unknown(repository)}: its policy could not be read. {error}"),)
    if not policy:
        return (Check(NAME, True, f"{repository.name} has no lifecycle policy: nothing goes for these pushes."),)
    if repository.images_synced_at is None or repository.images_problem:
        return (Check(NAME, None, f"{_unknown(repository)}: its images were not all read. Sync, then plan again."),)
    pushed = Pushed.of(rules, _kept(repository), {each.digest: each.tag for each in pushes}, clock.now())
    lost = [*pushed.lost, *(one for each in pushes for one in pushed.losing(each.app.digest))]
    dangers = would_endanger(repository.pk, tuple(dict.fromkeys(lost)))
    golden, rebased = ([each.app.digest for each in pushes if each.golden is whether] for whether in (True, False))
    return survival_checks(pushed, dangers, repository.name, golden, rebased)


def checks_again(frozen: PatchPlan) -> tuple[Check, ...]:
    """The same for a plan that is carried out: the policy may be another one, and other images may have come."""
    planned: list[RebasePlan] = [*(one for one in frozen.golden if not one.there), frozen]
    held = [(one, _held(one.app_image)) for one in planned]
    return checks_of([Push(app, one.to_digest, one.tag, golden=one is not frozen) for one, app in held if app])


def _held(image: str) -> Image | None:
    """An image by HOST/NAME@DIGEST; None where it is not known, or gone."""
    repository, _, digest = image.partition("@")
    found = Image.objects.filter(repository__uri=repository, digest=digest, gone_at=None)
    return found.select_related("repository__account").first()


def _unknown(repository: Repository) -> str:
    return f"Whether a lifecycle rule of {repository.name} takes the way back once this is pushed is not known"


def _kept(repository: Repository) -> tuple[Kept, ...]:
    """What the repository holds, with what each index holds."""
    tags: dict[str, set[str]] = defaultdict(set)
    for digest, name in Tag.objects.filter(repository=repository).values_list("digest", "name"):
        tags[digest].add(name)
    held = Image.objects.filter(repository=repository, gone_at=None).exclude(status__in=NOT_LISTED)
    rows = list(held.values_list("digest", "pushed_at", "entries", "role", "part_of"))
    members: dict[str, set[str]] = defaultdict(set)
    for digest, _, entries, role, part_of in rows:
        members[digest].update(entry["digest"] for entry in entries or ())
        if role == Role.PART:
            members[part_of].add(digest)
    return tuple(
        Kept(digest, frozenset(tags[digest]), pushed_at or UNKNOWN_DAY, tuple(sorted(members[digest])))
        for digest, pushed_at, *_ in rows
    )
