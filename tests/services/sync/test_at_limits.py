"""Names, texts and numbers at AWS's limits are stored, also on PostgreSQL, which takes no character too many."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from functions_app.aws import ecr
from functions_app.domain.fleet.functions import LATEST, AliasFact, FunctionDetail, FunctionFact, VersionFact
from functions_app.domain.images.tag_mutability import TagMutability
from functions_app.models import Account, Alias, AliasMove, Function, Image, Repository, Tag, Version
from functions_app.services.people import accounts
from functions_app.services.snapshot.function_summaries import refresh_summaries
from functions_app.services.snapshot.scope_reading import ScopeRead
from functions_app.services.sync import functions as sync_functions
from functions_app.services.sync import images, version_images
from functions_app.services.sync.aliases import store_aliases
from functions_app.services.sync.function_details import store_details
from functions_app.services.sync.listed_versions import Listing
from functions_app.services.sync.version_details import store_versions
from tests.fixtures import REGION, Sandbox
from tests.sandbox.functions import Functions
from tests.services.sync.sync_stage import Counted, Lines, add_account, run_once

pytestmark = pytest.mark.django_db(transaction=True)
NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def scope(db: None, account: str) -> ScopeRead:
    """A scope whose reading has begun."""
    row = add_account(account)
    return ScopeRead(row, REGION, accounts.target(row, REGION), NOW, True, lambda: False)


def digest(number: int) -> str:
    return f"sha256:{number:064x}"


def fact(account: Account, versions: int) -> tuple[FunctionFact, list[VersionFact]]:
    name = "f" * 64
    listed = [VersionFact(str(number), digest(number), NOW, "r" * 36, "v" * 256) for number in range(1, versions + 1)]
    role = f"arn:aws:iam::{account.account_id}:role/{'p' * 512}{'r' * 64}"
    arn = f"arn:aws:lambda:{REGION}:{account.account_id}:function:{name}"
    latest = VersionFact(LATEST, digest(versions), NOW, "r" * 36)
    return FunctionFact(name, arn, latest, "x86_64", 10240, 900, 10240, role, "l" * 512, "d" * 256), listed


def test_a_function_with_400_versions_and_every_text_at_its_limit_is_stored(scope: ScopeRead) -> None:
    function, versions = fact(scope.account, 400)
    listing = Listing({function.name: function}, {function.name: versions})
    ids = sync_functions._store(scope, listing, {})
    uri = f"{scope.account.account_id}.dkr.ecr.{REGION}.amazonaws.com/{'n' * 256}:{'t' * 128}"
    why = "The image can't be pulled. " * 100
    code = "CapacityProviderScalingLimitExceeded"
    owner = {"owner": "o" * 256}
    detail = FunctionDetail(function, uri, "", "ActiveNonInvocable", why, code, "InProgress", why, code, owner)
    key = ids[function.name]
    store_details({key: (NOW, detail)})
    store_aliases({key: (NOW, [AliasFact("a" * 128, "400", "r" * 36, "399", 0.5, "d" * 256)])})
    version = Version.objects.get(number="400")
    fact_400 = replace(function, latest=versions[-1])
    store_versions({version.pk: (NOW, replace(detail, fact=fact_400))}, [key])
    refresh_summaries([key])
    row = Function.objects.get()
    assert (row.state, len(row.state_reason), row.state_reason[-1]) == ("ActiveNonInvocable", 500, "…")
    assert row.image_uri == uri
    assert row.role_arn == function.role_arn
    assert Version.objects.count() == 401
    assert Alias.objects.get().name == "a" * 128
    assert AliasMove.objects.count() == 1


def test_a_repository_of_3000_images_is_stored_and_linked_in_portions(scope: ScopeRead) -> None:
    name = "n" * 255
    uri = f"{scope.account.account_id}.dkr.ecr.{REGION}.amazonaws.com/{name}"
    arn = f"arn:aws:ecr:{REGION}:{scope.account.account_id}:repository/{name}"
    rows = images._store_repositories(scope, [ecr.RepositoryFact(name, arn, uri, TagMutability("MUTABLE"), NOW)])
    media = "application/vnd.docker.distribution.manifest.v2+json"
    facts = [ecr.ImageFact(digest(n), (f"{n:0300}",), 10 * 2**30, NOW, media) for n in range(3000)]
    images._store_images(scope, rows[name], facts, NOW)
    assert (Image.objects.count(), Tag.objects.count()) == (3000, 3000)
    function, versions = fact(scope.account, 1200)
    sync_functions._store(scope, Listing({function.name: function}, {function.name: versions}), {})
    Function.objects.update(image_uri=f"{uri}:{0:0128}")
    version_images.link_versions(scope)
    assert Version.objects.filter(image=None).count() == 0
    images._store_images(scope, rows[name], facts[:10], NOW + timedelta(seconds=1))
    assert Image.objects.filter(gone_at=None).count() == Tag.objects.count() == 10
    images._store_images(scope, rows[name], facts, NOW)
    assert Tag.objects.count() == 10


def test_the_same_reading_stored_twice_changes_nothing(scope: ScopeRead) -> None:
    function, versions = fact(scope.account, 3)
    listing = Listing({function.name: function}, {function.name: versions})
    ids = sync_functions._store(scope, listing, {})
    alias = AliasFact("prod", "3", "r")
    assert store_aliases({ids[function.name]: (NOW, [alias])}) == 1
    assert store_aliases({ids[function.name]: (NOW, [alias])}) == 0
    assert store_aliases({ids[function.name]: (NOW - timedelta(seconds=1), [replace(alias, version="2")])}) == 0
    assert Alias.objects.get().version == "3"


def test_versions_and_images_are_listed_in_pages(
    ours: Account, aws: Sandbox, functions: Functions, log: Lines, clock: Callable[..., AbstractContextManager[None]]
) -> None:
    functions.deploy()
    with clock(update=0.01):
        for number in range(60):
            functions.next_version(description=str(number))
    counted = Counted(aws, ours.account_id)
    run_once(log)
    made = counted.made()
    assert (made["lambda.ListFunctions"], made["lambda.GetFunction"]) == (2, 1)
    assert "lambda.ListVersionsByFunction" not in made
    assert Version.objects.count() == 61
    assert Repository.objects.get().images_synced_at is not None
