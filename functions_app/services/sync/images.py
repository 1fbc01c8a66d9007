"""The images' part of a sync: repositories, images, tags and their moves, then manifests and configs of new images."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet

from functions_app import clock
from functions_app.aws import ecr
from functions_app.aws.members import LOOK
from functions_app.domain.errors import Code, DrydockError, Problem
from functions_app.domain.images.statuses import NOT_PULLABLE
from functions_app.domain.text import storable
from functions_app.models import Image, Repository, Tag, TagMove
from functions_app.registry.client import Registry
from functions_app.services.images import roles, scans
from functions_app.services.images.facts import copy_known, inspect, known_digests
from functions_app.services.images.registries import open_registry
from functions_app.services.snapshot.bulk_updates import lock_rows, update_rows
from functions_app.services.snapshot.readers import Readers, Subject
from functions_app.services.snapshot.reading_progress import IMAGES
from functions_app.services.snapshot.scope_reading import CHUNK, READERS, Failures, ScopeRead, blame, chunks, read_each


def read_images(scope: ScopeRead) -> None:
    """Bring repositories, images and tags up to date, then read what new images are. Raises DrydockError when the
    listing of repositories fails; a single repository that fails keeps its old rows and is told in the problems.
    """
    began = clock.now()
    found = ecr.repositories(scope.target)
    if not found.odd:  # what nobody understands may be the repository that a version needs: nothing is lost then
        scope.images_since = began
    facts = found.facts
    rows: dict[str, Repository] = {}

    def take(name: str, read_at: datetime, images: Sequence[ecr.ImageFact]) -> None:
        _store_images(scope, rows[name], images, read_at)
        scope.counts["images"] = scope.counts.get("images", 0) + len(images)

    with Readers(scope) as readers:
        subject = Subject("images", readers.pool(READERS, "sync"))
        for name in sorted({fact.name for fact in facts}):
            readers.ask(subject, name, partial(ecr.images, scope.target, name), partial(take, name))
        rows |= _store_repositories(scope, facts, found.odd)  # which may wait for functions to be stored
        scope.counts["repositories"] = len(rows)
        readers.take()
    problems = {name or "one without a name": _odd(why) for name, why in found.odd.items()}
    blame(scope, "settings", {name: (scope.now, problem) for name, problem in problems.items()}, len(facts))
    subject.tell(scope)
    for name, (tried_at, problem) in subject.failures.items():
        _not_read_since(rows[name], tried_at).update(images_problem=problem.as_json())
    inspect_new(scope)
    _decide_roles(scope)


def _not_read_since(repository: Repository, read_at: datetime) -> QuerySet[Repository]:
    """The row, unless its images were read later by somebody else."""
    never = Q(images_synced_at=None) | Q(images_synced_at__gt=clock.latest())
    return Repository.objects.filter(never | Q(images_synced_at__lte=read_at), pk=repository.pk)


def _odd(why: str) -> Problem:
    return Problem(Code.FAILED, f"AWS's entry can't be understood: {why}.", next_step=LOOK)


def _store_repositories(
    scope: ScopeRead, facts: Sequence[ecr.RepositoryFact], odd: Collection[str] = ()
) -> dict[str, Repository]:
    """Keep what was listed; what was not is gone, unless its own entry, or one that names nobody, was odd."""
    rows = [
        Repository(
            account=scope.account,
            region=scope.region,
            name=fact.name,
            arn=fact.arn,
            uri=fact.uri,
            tag_mutability=fact.tags.mode,
            tag_filters=fact.tags.filters_json(),
            created_at=fact.created_at,
            synced_at=scope.now,
        )
        for fact in facts
    ]
    for part in chunks(rows):
        Repository.objects.bulk_create(
            part,
            update_conflicts=True,
            unique_fields=["account", "region", "name"],
            update_fields=["arn", "uri", "tag_mutability", "tag_filters", "created_at", "synced_at", "gone_at"],
        )
    own = Repository.objects.filter(account=scope.account, region=scope.region)
    known = {row.name: row for row in own}
    listed = {fact.name for fact in facts}
    unlisted = [row for name, row in known.items() if name not in listed and row.gone_at is None]
    gone = [row.pk for row in unlisted if not {"", row.name} & set(odd)]
    for ids in chunks(gone):
        with transaction.atomic():
            Repository.objects.filter(pk__in=ids).update(gone_at=scope.now)
            vanished = Image.objects.filter(repository_id__in=ids, gone_at=None)
            scope.images.update(lock_rows(vanished))
            vanished.update(gone_at=scope.now)
            Tag.objects.filter(repository_id__in=ids).delete()
    return {name: row for name, row in known.items() if name in listed}


def _store_images(scope: ScopeRead, repository: Repository, facts: Sequence[ecr.ImageFact], read_at: datetime) -> None:
    """Keep what a repository holds, all at once, unless it was read later by somebody else."""
    mine = _not_read_since(repository, read_at)
    with transaction.atomic():
        # Held until the end of the transaction, so that readings of one repository are stored one after another.
        if not mine.update(images_synced_at=read_at, images_problem=None):
            return
        _store_listed(scope, repository, facts, read_at)
        _store_tags(scope, repository, {tag: fact.digest for fact in facts for tag in fact.tags}, read_at)


LISTED = ("media_type", "size_bytes", "pushed_at", "status", "artifact_type", "subject")


def _columns(fact: ecr.ImageFact) -> tuple[Any, ...]:
    """The values of LISTED."""
    media_type = storable(fact.media_type, 120)
    return media_type, fact.size_bytes, fact.pushed_at, fact.status, fact.artifact_type, fact.subject


def _store_listed(scope: ScopeRead, repository: Repository, facts: Sequence[ecr.ImageFact], read_at: datetime) -> None:
    lock_rows(Image.objects.filter(repository=repository))
    rows = Image.objects.filter(repository=repository).values_list("digest", "pk", "gone_at", *LISTED)
    known = {digest: (pk, gone_at, tuple(columns)) for digest, pk, gone_at, *columns in rows}
    listed = {fact.digest: fact for fact in facts}
    fresh = [
        Image(
            repository=repository,
            digest=fact.digest,
            synced_at=read_at,
            **dict(zip(LISTED, _columns(fact), strict=True)),
        )
        for fact in listed.values()
        if fact.digest not in known
    ]
    back = [pk for digest, (pk, gone_at, _) in known.items() if digest in listed and gone_at is not None]
    gone = [pk for digest, (pk, gone_at, _) in known.items() if digest not in listed and gone_at is None]
    for part in chunks(fresh):
        Image.objects.bulk_create(part, ignore_conflicts=True)
    for ids in chunks(back):
        Image.objects.filter(pk__in=ids).update(gone_at=None)
    for ids in chunks(gone):
        Image.objects.filter(pk__in=ids).update(gone_at=read_at)
    Image.objects.filter(repository=repository, gone_at=None).update(synced_at=read_at)
    scope.images.update(back, gone)
    # An image that is pushed again, archived or restored, or that was known only as gone, gets its facts.
    changed = [
        (*now, pk)
        for digest, (pk, _, before) in known.items()
        if digest in listed and (now := _columns(listed[digest])) != before
    ]
    update_rows(Image, LISTED, changed)
    if fresh or back or gone or changed:
        scope.changed.add(repository.pk)
    scans.store_listed(repository, list(listed.values()), read_at)


def _store_tags(scope: ScopeRead, repository: Repository, now: Mapping[str, str], read_at: datetime) -> None:
    before = {name: (pk, digest) for pk, name, digest in repository.tags.values_list("pk", "name", "digest")}
    moved = [
        (name, before[name][1], digest) for name, digest in now.items() if before.get(name, ("", digest))[1] != digest
    ]
    removed = [(name, digest, "") for name, (_, digest) in before.items() if name not in now]
    Tag.objects.bulk_create(
        [Tag(repository=repository, name=n, digest=d, since=read_at) for n, d in now.items() if n not in before],
        batch_size=CHUNK,
        ignore_conflicts=True,
    )
    update_rows(Tag, ["digest", "since"], [(digest, read_at, before[name][0]) for name, _, digest in moved])
    for vanished in chunks([before[name][0] for name, _, _ in removed]):
        Tag.objects.filter(pk__in=vanished).delete()
    TagMove.objects.bulk_create(
        [
            TagMove(repository=repository, tag=name, from_digest=old, to_digest=new, seen_at=read_at)
            for name, old, new in (*moved, *removed)
        ],
        batch_size=CHUNK,
    )
    if moved or removed or now.keys() - before.keys():
        scope.changed.add(repository.pk)
    scope.counts["moved tags"] = scope.counts.get("moved tags", 0) + len(moved) + len(removed)


def read_repository(scope: ScopeRead, repository: Repository) -> None:
    """Read one repository's images and tags now, and what its new images are. Raises DrydockError."""
    read_at = clock.now()
    try:
        facts = ecr.images(scope.target, repository.name)
    except DrydockError as error:
        _not_read_since(repository, read_at).update(images_problem=error.problem.as_json())
        raise
    _store_images(scope, repository, facts, read_at)
    inspect_new(scope, Q(repository=repository))
    _decide_roles(scope)


def _decide_roles(scope: ScopeRead) -> None:
    """Of repositories whose images or tags changed, and of those where something was never decided."""
    own = Image.objects.filter(repository__account=scope.account, repository__region=scope.region, gone_at=None)
    undecided = own.filter(role="").order_by().values_list("repository_id", flat=True).distinct()
    wanted = sorted({*undecided, *scope.changed})
    for part in chunks(wanted, 50):
        roles.decide(part)


def inspect_new(scope: ScopeRead, only: Q | None = None) -> None:
    """Read manifest and config of every image that was not read yet, or of `only` these: once per digest, ever.

    Of a digest that several repositories hold one is asked; the next only where that one could not be read.
    """
    tried: set[int] = set()
    hosts: dict[str, Registry] = {}
    try:
        waiting = _unread(scope, only)
        scope.progress.found(IMAGES, len(waiting))
        while waiting and not scope.stopped():
            one_each = {row.digest: row for row in reversed(waiting)}
            known = known_digests(one_each)
            copied = [row for row in waiting if row.digest in known]
            asked = [row for digest, row in one_each.items() if digest not in known]
            for part in chunks(copied):
                _keep(scope, part, copy_known)
            _ask(scope, asked, hosts)
            tried.update(row.pk for row in (*copied, *asked))
            scope.progress.read(IMAGES, len(copied) + len(asked))
            waiting = [row for row in _unread(scope, only) if row.pk not in tried]
    finally:
        for registry in hosts.values():
            registry.close()


@dataclass(frozen=True)
class _Unread:
    """An image of which nothing was read yet, and where it is."""

    pk: int
    digest: str
    host: str
    repository: str


def _unread(scope: ScopeRead, only: Q | None) -> list[_Unread]:
    unread = Q(inspected_at=None) | Q(is_index=True, entries__isnull=True)
    waiting = Image.objects.filter(
        unread, repository__account=scope.account, repository__region=scope.region, gone_at=None
    ).exclude(status__in=NOT_PULLABLE)  # ECR gives no manifest of those; they are read once they are restored
    if only:
        waiting = waiting.filter(only)
    rows = waiting.order_by("repository_id", "pk")
    return [
        _Unread(pk, digest, uri.partition("/")[0], name)
        for pk, digest, uri, name in rows.values_list("pk", "digest", "repository__uri", "repository__name")
    ]


def _ask(scope: ScopeRead, images: Sequence[_Unread], hosts: dict[str, Registry]) -> None:
    """Ask ECR for manifests, a hundred of a repository at a time and several repositories at once."""
    repositories: dict[tuple[str, str], list[_Unread]] = defaultdict(list)
    for image in images:
        repositories[image.host, image.repository].append(image)
    parts = {
        f"{name} {number}": (host, name, part)
        for (host, name), wanted in repositories.items()
        for number, part in enumerate(chunks(wanted, ecr.BATCH))
    }

    def manifests(key: str) -> ecr.ManifestAnswer:
        _, name, part = parts[key]
        return ecr.manifests(scope.target, name, [image.digest for image in part])

    failures: Failures = {}
    for key, _, answer in read_each(scope, "manifests", manifests, list(parts), failures):
        host, _, part = parts[key]
        try:
            if host not in hosts:
                hosts[host] = open_registry(host, target=scope.target)
        except DrydockError as error:
            scope.fail(error)
        else:
            found = {digest: fact.data for digest, fact in answer.found.items()}
            _keep(scope, part, partial(inspect, manifests=found, registry=hosts[host]))


def _keep(scope: ScopeRead, waiting: Sequence[_Unread], store: Callable[[Sequence[Image]], None]) -> None:
    keys = [image.pk for image in waiting]
    images = list(Image.objects.filter(pk__in=keys).select_related("repository").order_by("pk"))
    store(images)
    scope.images.update(keys)
    scope.changed.update(image.repository_id for image in images)
    read = sum(image.inspected_at is not None for image in images)
    for name, count in (("inspected", read), ("not readable", len(images) - read)):
        scope.counts[name] = scope.counts.get(name, 0) + count
