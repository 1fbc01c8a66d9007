"""Which image row each version runs, and the images that versions still name though ECR no longer has them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from functions_app.models import Image, Repository, Version
from functions_app.services.row_updates import update_rows
from functions_app.services.sync_scope import ScopeRead, chunks


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
    rows = list(waiting.order_by("pk").values_list("pk", "digest", "image_uri", "function__image_uri"))
    for part in chunks(rows):
        _link(scope, [(pk, digest, _repository(own or of_function)) for pk, digest, own, of_function in part], complete)


def _repository(image_uri: str) -> str:
    """HOST/NAME of an image's URI."""
    name = image_uri.partition("@")[0]
    head, separator, last = name.rpartition("/")
    return f"{head}{separator}{last.partition(':')[0]}"


def _link(scope: ScopeRead, versions: Sequence[tuple[int, str, str]], complete: bool) -> None:
    held: dict[str, list[_Held]] = defaultdict(list)
    found = Image.objects.filter(digest__in={digest for _, digest, _ in versions})
    for digest, pk, uri, region, gone_at in found.values_list(
        "digest", "pk", "repository__uri", "repository__region", "gone_at"
    ):
        held[digest].append(_Held(pk, uri, region, gone_at))
    lost = (
        {(uri, digest) for _, digest, uri in versions if not held[digest] and _own(scope, uri)} if complete else set()
    )
    for (uri, digest), pk in _store_lost(scope, sorted(lost)).items():
        held[digest].append(_Held(pk, uri, scope.region, scope.now))
    links = [(best.pk, pk) for pk, digest, uri in versions if (best := _best(held[digest], uri, scope.region))]
    update_rows(Version, ["image_id"], links)


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
        repositories[uri] = Repository.objects.create(
            account=scope.account, region=scope.region, name=name, arn=arn, uri=uri,
            synced_at=scope.now, gone_at=scope.now,
        )  # fmt: skip
    rows = [
        Image(repository=repositories[uri], digest=digest, media_type="", gone_at=scope.now, synced_at=scope.now)
        for uri, digest in lost
    ]
    Image.objects.bulk_create(rows)
    scope.images.update(row.pk for row in rows)
    return {(row.repository.uri, row.digest): row.pk for row in rows}
