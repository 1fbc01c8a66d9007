"""Which image row each version runs, and the images that versions still name though ECR no longer has them.

One digest may be in several repositories, regions and accounts: the image of a version is the one at the URI that AWS
gives for it, and no other. While that URI is not known, the repository of $LATEST is taken for its own, if it has the
digest; nothing is concluded from its not being there.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from functions_app.domain.ecr_hosts import ecr_host, partition_of
from functions_app.domain.refs import repository_of
from functions_app.models import Image, Repository, Version
from functions_app.services.snapshot.bulk_updates import update_rows
from functions_app.services.snapshot.scope_reading import CHUNK, ScopeRead

Place = tuple[str, str]  # HOST/NAME of a repository, and a digest
Held = Mapping[Place, tuple[int, datetime | None]]  # the image at each place that has one, and since when it is gone
CLOCKS = timedelta(minutes=5)  # that AWS's and ours may differ by


def link_versions(scope: ScopeRead, *, function_id: int | None = None) -> None:
    """Link versions that have no image yet to the row of their digest; few queries per 500 versions.

    A digest that the repository of a version's URI was found without, after the version was there, is gone from ECR,
    and gets a row that says so.
    """
    waiting = _waiting().filter(function__account=scope.account, function__region=scope.region)
    if function_id is not None:
        waiting = waiting.filter(function_id=function_id)
    _each(waiting, partial(_link, scope))


def link_known() -> None:
    """Link versions of whatever account that wait for an image which is known by now; one query where none does.

    Accounts are read at the same time, in any order: the images of one may come after the functions of another.
    """
    known = Image.objects.filter(digest=OuterRef("digest"), gone_at=None)
    _each(_waiting().filter(Exists(known)), _link_held)


def _waiting() -> QuerySet[Version]:
    """Versions that have no image yet."""
    found = Version.objects.filter(image=None, function__gone_at=None).exclude(digest="")
    return found.select_related("function").only(
        "digest", "image_uri", "last_modified", "function__image_uri", "function__synced_at"
    )


def _each(waiting: QuerySet[Version], link: Callable[[Sequence[Version]], None]) -> None:
    last = 0
    while True:
        with transaction.atomic():
            # Held: a refresh may give $LATEST another digest meanwhile, which this image would then belie.
            held = waiting.select_for_update(of=("self",))
            part = list(held.filter(pk__gt=last).order_by("pk")[:CHUNK])
            link(part)
        if len(part) < CHUNK:
            return
        last = part[-1].pk


def _link(scope: ScopeRead, versions: Sequence[Version]) -> None:
    places = _places(versions)
    held = _held(places.values())
    repositories = _repositories({uri for uri, _ in places.values()})
    lost = {
        places[version.pk]
        for version in versions
        if version.image_uri
        and places[version.pk] not in held
        and _is_lost(scope, version, places[version.pk][0], repositories.get(places[version.pk][0]))
    }
    _write(versions, places, held, _store_lost(scope, sorted(lost), repositories))


def _link_held(versions: Sequence[Version]) -> None:
    places = _places(versions)
    _write(versions, places, _held(places.values()), {})


def _write(versions: Sequence[Version], places: Mapping[int, Place], held: Held, lost: Mapping[Place, int]) -> None:
    images = {**{place: pk for place, (pk, _) in held.items()}, **lost}
    # What is only taken for a version's repository proves no deletion.
    links = [
        (images[place], version.pk)
        for version in versions
        if (place := places[version.pk]) in images and (version.image_uri or held[place][1] is None)
    ]
    update_rows(Version, ["image_id"], links)


def _places(versions: Iterable[Version]) -> dict[int, Place]:
    return {version.pk: _place(version) for version in versions}


def _place(version: Version) -> Place:
    return repository_of(version.image_uri or version.function.image_uri), version.digest


def _held(places: Iterable[Place]) -> Held:
    """The image at each place that has one, and since when ECR no longer lists it."""
    wanted = set(places)
    rows = Image.objects.filter(digest__in={digest for _, digest in wanted}).values_list(
        "repository__uri", "digest", "pk", "gone_at"
    )
    return {(uri, digest): (pk, gone_at) for uri, digest, pk, gone_at in rows if (uri, digest) in wanted}


def _repositories(uris: set[str]) -> dict[str, Repository]:
    return {row.uri: row for row in Repository.objects.filter(uri__in=uris)}


def _is_lost(scope: ScopeRead, version: Version, uri: str, repository: Repository | None) -> bool:
    """Whether a repository without the digest of a version was listed after the version was there: Lambda takes no
    image that ECR does not have.
    """
    seen_first = scope.images_since is not None and version.function.synced_at <= scope.images_since
    if repository is None:
        return seen_first and _own(scope, uri)
    listed_at = repository.gone_at or repository.images_synced_at
    if listed_at is not None and listed_at - CLOCKS >= version.last_modified:
        return True
    if repository.gone_at is not None:
        return seen_first and _own(scope, uri)
    return seen_first and listed_at is not None and scope.images_since is not None and listed_at >= scope.images_since


def _own(scope: ScopeRead, uri: str) -> bool:
    host = ecr_host(uri.partition("/")[0])
    return host is not None and (host.account, host.region) == (scope.account.account_id, scope.region)


def _store_lost(scope: ScopeRead, lost: Sequence[Place], repositories: Mapping[str, Repository]) -> dict[Place, int]:
    if not lost:
        return {}
    owners = {uri: repositories.get(uri) or _gone_repository(scope, uri) for uri, _ in lost}
    rows = [
        Image(repository=owners[uri], digest=digest, media_type="", gone_at=scope.now, synced_at=scope.now)
        for uri, digest in lost
    ]
    Image.objects.bulk_create(rows, ignore_conflicts=True)  # a refresh may have stored one meanwhile
    found = {place: pk for place, (pk, _) in _held(lost).items()}
    scope.images.update(found.values())
    return found


def _gone_repository(scope: ScopeRead, uri: str) -> Repository:
    """A row for a repository that ECR did not list."""
    name = uri.partition("/")[2]
    partition = partition_of(scope.region).name
    arn = f"arn:{partition}:ecr:{scope.region}:{scope.account.account_id}:repository/{name}"
    repository, _ = Repository.objects.get_or_create(
        account=scope.account, region=scope.region, name=name,
        defaults={"arn": arn, "uri": uri, "synced_at": scope.now, "gone_at": scope.now},
    )  # fmt: skip
    return repository
