"""Which image row each version runs, and the images that versions still name though ECR no longer has them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from functions_app.models import Image, Repository, Version
from functions_app.services.snapshot.bulk_updates import update_rows
from functions_app.services.snapshot.scope_reading import CHUNK, ScopeRead


@dataclass(frozen=True)
class _Held:
    pk: int
    uri: str
    region: str
    gone_at: datetime | None


def link_versions(scope: ScopeRead, *, function_id: int | None = None, complete: bool = False) -> None:
    """Link versions that have no image yet to the row of their digest; few queries per 500 versions.

    Lambda tells a version's digest, but the repository only of $LATEST: a version's own URI where it is known, then
    the repository of its function, then any of the region that holds the digest. `complete`: all repositories of the
    scope were listed after its functions, so a digest that none of them holds is gone from ECR, and gets a row that
    says so.
    """
    waiting = Version.objects.filter(
        image=None, function__account=scope.account, function__region=scope.region, function__gone_at=None
    ).exclude(digest="")
    if function_id is not None:
        waiting = waiting.filter(function_id=function_id)
    waiting = waiting.select_related("function").only(
        "digest", "image_uri", "function__image_uri", "function__synced_at"
    )
    last = 0
    while True:
        with transaction.atomic():
            # Held: a refresh may give $LATEST another digest meanwhile, which this image would then belie.
            held = waiting.select_for_update(of=("self",))
            part = list(held.filter(pk__gt=last).order_by("pk")[:CHUNK])
            _link(scope, part, complete)
        if len(part) < CHUNK:
            return
        last = part[-1].pk


def _repository(image_uri: str) -> str:
    """HOST/NAME of an image's URI."""
    name = image_uri.partition("@")[0]
    head, separator, last = name.rpartition("/")
    return f"{head}{separator}{last.partition(':')[0]}"


def _link(scope: ScopeRead, versions: Sequence[Version], complete: bool) -> None:
    held: dict[str, list[_Held]] = defaultdict(list)
    found = Image.objects.filter(digest__in={version.digest for version in versions})
    for digest, pk, uri, region, gone_at in found.values_list(
        "digest", "pk", "repository__uri", "repository__region", "gone_at"
    ):
        held[digest].append(_Held(pk, uri, region, gone_at))
    uris = {version.pk: _repository(version.image_uri or version.function.image_uri) for version in versions}
    if complete:
        lost = {
            (uris[version.pk], version.digest)
            for version in versions
            if not held[version.digest] and _own(scope, uris[version.pk]) and _listed_since(scope, version)
        }
        for (_, digest), pk in _store_lost(scope, sorted(lost)).items():
            held[digest].append(_Held(pk, "", scope.region, scope.now))
    links = [
        (best.pk, version.pk)
        for version in versions
        if (best := _best(held[version.digest], uris[version.pk], scope.region))
    ]
    update_rows(Version, ["image_id"], links)


def _listed_since(scope: ScopeRead, version: Version) -> bool:
    """Whether images were listed after the version was seen; one that was deployed since may run a newer image."""
    return scope.images_since is not None and version.function.synced_at <= scope.images_since


def _best(held: Sequence[_Held], uri: str, region: str) -> _Held | None:
    return max(
        held,
        key=lambda image: (image.uri == uri, image.gone_at is None, image.region == region, -image.pk),
        default=None,
    )


def _own(scope: ScopeRead, uri: str) -> bool:
    return uri.startswith(f"{scope.account.account_id}.dkr.ecr.{scope.region}.")


def _store_lost(scope: ScopeRead, lost: Sequence[tuple[str, str]]) -> Mapping[tuple[str, str], int]:
    if not lost:
        return {}
    repositories = {
        row.uri: row for row in Repository.objects.filter(account=scope.account, uri__in={uri for uri, _ in lost})
    }
    for uri in sorted({uri for uri, _ in lost} - set(repositories)):
        name = uri.partition("/")[2]
        arn = f"arn:aws:ecr:{scope.region}:{scope.account.account_id}:repository/{name}"
        repositories[uri], _ = Repository.objects.get_or_create(
            account=scope.account, region=scope.region, name=name,
            defaults={"arn": arn, "uri": uri, "synced_at": scope.now, "gone_at": scope.now},
        )  # fmt: skip
    rows = [
        Image(repository=repositories[uri], digest=digest, media_type="", gone_at=scope.now, synced_at=scope.now)
        for uri, digest in lost
    ]
    Image.objects.bulk_create(rows, ignore_conflicts=True)  # a refresh may have stored one meanwhile
    of_repository = {row.pk: uri for uri, row in repositories.items()}
    stored = Image.objects.filter(repository__in=of_repository, digest__in={digest for _, digest in lost})
    found = {
        (of_repository[owner], digest): pk for owner, digest, pk in stored.values_list("repository_id", "digest", "pk")
    }
    scope.images.update(found.values())
    return found
