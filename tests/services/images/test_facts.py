"""What is kept of an image: facts from its manifest and config, read once per digest; or why there are none."""

import json
from collections.abc import Iterator, Sequence

import pytest

from functions_app.domain.images.registry_login import Login
from functions_app.models import Image, Repository
from functions_app.registry.client import Registry
from functions_app.services.images.facts import inspect, stored_config
from sandbox.images import making as built
from tests.factories import make_account, make_repository
from tests.fixtures import REGION, ClientFactory, Push, Sandbox, login
from tests.publishing import NOW, app, base, base_index

pytestmark = pytest.mark.django_db
CONFIG = "application/vnd.oci.image.config.v1+json"


@pytest.fixture
def repository(account: str) -> Repository:
    """The row of team/app in the test's own account."""
    return make_repository(make_account(account_id=account), "team/app")


@pytest.fixture
def registry(aws: Sandbox, client: ClientFactory, account: str) -> Iterator[Registry]:
    """The account's ECR, as sync opens it."""
    with Registry.open(f"{account}.dkr.ecr.{REGION}.amazonaws.com", Login(*login(client("ecr")))) as opened:
        yield opened


def row(repository: Repository, image: built.Image | built.Index) -> Image:
    """The row of an image that was not inspected yet."""
    media_type = image.manifest.media_type
    return Image.objects.create(repository=repository, digest=image.digest, media_type=media_type, synced_at=NOW)


def read(rows: Sequence[Image], registry: Registry, *images: built.Image | built.Index) -> None:
    """Inspect, and read the rows back."""
    inspect(rows, {image.digest: image.manifest.data for image in images}, registry, now=NOW)
    for each in rows:
        each.refresh_from_db()


def raw(config: bytes, layers: Sequence[dict[str, object]] = (), config_type: str = CONFIG) -> built.Image:
    """An image with any config at all."""
    blob = built.Blob(config_type, config)
    manifest = {"schemaVersion": 2, "mediaType": built.OCI_MANIFEST, "config": blob.descriptor, "layers": list(layers)}
    return built.Image(built.Blob(built.OCI_MANIFEST, json.dumps(manifest).encode()), blob, ())


def problem(image: Image) -> tuple[str, bool]:
    """The code of its problem, and whether it will be tried again."""
    assert image.inspect_problem is not None
    return image.inspect_problem["code"], image.inspected_at is None


def test_an_images_facts_are_kept_without_the_values_of_its_variables(
    registry: Registry, repository: Repository, push: Push
) -> None:
    image = built.make_image(
        [built.make_layer({"a": b"a"})],
        base=base(1, architecture="arm64"),
        created=NOW,
        config={"Cmd": ["app.handler"], "Env": ["TOKEN=secret"], "Labels": {"team": "harbour"}},
    )
    push("team/app", image, ["v1"])
    found = row(repository, image)

    read([found], registry, image)

    assert (found.inspected_at, found.inspect_problem, found.is_index) == (NOW, None, False)
    assert (found.os, found.architecture, found.created_at) == ("linux", "arm64", NOW)
    assert found.diff_ids == list(image.diff_ids)
    assert [layer["digest"] for layer in found.layers] == [
        layer["digest"] for layer in json.loads(image.manifest.data)["layers"]
    ]
    assert found.settings["command"] == ["app.handler"]
    assert "TOKEN" in found.settings["env_keys"]
    assert found.labels == {"team": "harbour"}
    assert len([step for step in found.history if not step["empty_layer"]]) == len(found.layers)
    assert "secret" not in json.dumps([found.settings, found.history, found.labels])


def test_the_size_of_its_settings_is_kept_although_their_values_are_not(
    registry: Registry, repository: Repository, push: Push
) -> None:
    config = {"Cmd": ["app.handler"], "Env": ["A=" + "x" * 20_000]}
    image = built.make_image([built.make_layer({"a": b"a"})], created=NOW, config=config)
    push("team/app", image, ["v1"])
    found = row(repository, image)

    read([found], registry, image)

    assert (stored_config(found).settings_bytes or 0) > 20_000
    Image.objects.update(settings={"command": ["app.handler"]})
    found.refresh_from_db()
    assert stored_config(found).settings_bytes is None


def test_an_index_is_kept_as_one_with_its_platforms(registry: Registry, repository: Repository) -> None:
    index = base_index(1)
    found = row(repository, index)

    read([found], registry, index)

    assert (found.is_index, found.platforms, found.inspected_at) == (True, ["linux/amd64", "linux/arm64"], NOW)


def test_a_config_is_read_once_per_digest_ever(
    aws: Sandbox, registry: Registry, repository: Repository, push: Push
) -> None:
    image, account = app(base(1)), repository.account.account_id
    push("team/app", image, ["v1"])
    first = row(repository, image)
    read([first], registry, image)
    twin = row(make_repository(repository.account, "team/copy"), image)
    aws.admin("DELETE", "calls")

    read([twin], registry, image)

    assert twin.diff_ids == first.diff_ids
    assert twin.inspected_at == NOW
    assert aws.admin("GET", f"calls?account={account}") == {}


@pytest.mark.parametrize(
    ("image", "code"),
    [
        (raw(b"not JSON"), "invalid"),
        (raw(b'{"rootfs": {"diff_ids": ["sha256:1"]}}'), "invalid"),
        (raw(json.dumps({"rootfs": {"diff_ids": ["sha256:" + "a" * 64]}}).encode()), "invalid"),
        (raw(b"{}", config_type="application/vnd.cncf.helm.config.v1+json"), "invalid"),
    ],
)
def test_an_image_that_cannot_be_understood_says_why_and_is_not_read_again(
    registry: Registry, repository: Repository, push: Push, image: built.Image, code: str
) -> None:
    push("team/app", image, ["v1"])
    found = row(repository, image)

    read([found], registry, image)

    assert problem(found) == (code, False)


def test_an_image_whose_config_is_gone_says_so(registry: Registry, repository: Repository, push: Push) -> None:
    push("team/app", app(base(1)), ["v1"])
    missing = app(base(2), "never pushed")
    found = row(repository, missing)

    read([found], registry, missing)

    assert problem(found)[0] == "not_found"


def test_an_image_that_ecr_gave_no_manifest_of_is_tried_again(registry: Registry, repository: Repository) -> None:
    found = row(repository, app(base(1)))

    read([found], registry)

    assert problem(found) == ("not_found", True)


def test_a_manifest_that_is_not_the_images_is_refused(registry: Registry, repository: Repository) -> None:
    found = row(repository, app(base(1)))

    inspect([found], {found.digest: app(base(2)).manifest.data}, registry, now=NOW)

    assert problem(found) == ("failed", False)


def test_a_refusal_spares_the_registry_further_questions_and_is_tried_again_later(
    aws: Sandbox, registry: Registry, repository: Repository, push: Push
) -> None:
    account = repository.account.account_id
    images = [app(base(1), f"app {number}") for number in range(12)]
    for image in images:
        push("team/app", image)
    rows = [row(repository, image) for image in images]
    aws.admin("POST", "denials", {"account": account, "actions": ["ecr:GetDownloadUrlForLayer"]})
    aws.admin("DELETE", "calls")

    read(rows, registry, *images)

    assert {problem(each) for each in rows} == {("denied", True)}
    assert sum(aws.admin("GET", f"calls?account={account}").values()) < len(images)
    aws.admin("DELETE", f"denials?account={account}")
    read(rows, registry, *images)
    assert {each.inspect_problem is None for each in rows} == {True}


def test_characters_that_a_database_refuses_are_told_by_their_names(
    registry: Registry, repository: Repository, push: Push
) -> None:
    labels = {"a\0": "b\0", "half": "\ud800"}
    config = json.dumps({"os": "li\0nux\udc00", "rootfs": {"diff_ids": []}, "config": {"Labels": labels}})
    image = raw(config.encode())
    push("team/app", image, ["v1"])
    found = row(repository, image)

    read([found], registry, image)

    assert found.os == "li‹U+0000›nux‹U+DC00›"
    assert found.labels == {"a‹U+0000›": "b‹U+0000›", "half": "‹U+D800›"}


def test_credentials_in_what_an_image_says_of_itself_are_not_kept(
    registry: Registry, repository: Repository, push: Push
) -> None:
    token = "ghp_" + "a1B2" * 9
    image = built.make_image(
        [built.make_layer({"a": b"a"})],
        created=NOW,
        annotations={"build": f"https://ci:{token}@git.example/repo"},
        config={"Cmd": ["app", f"--password={token}"], "Labels": {"npm_token": "plain", "note": f"by {token}"}},
    )
    push("team/app", image, ["v1"])
    found = row(repository, image)

    read([found], registry, image)

    assert found.labels == {"npm_token": "[redacted]", "note": "by [redacted]"}
    assert token not in json.dumps([found.settings, found.annotations, found.history])


def test_what_an_index_holds_is_kept_with_the_platform_of_each(
    registry: Registry, repository: Repository, push: Push
) -> None:
    index = base_index(1)
    push("team/app", index, ["multi"])
    image = row(repository, index)
    read([image], registry, index)
    assert image.entries == [{"digest": each.digest, "platform": f"linux/{each.architecture}"} for each in index.images]


def test_an_index_that_was_read_before_its_entries_were_kept_is_read_again_and_no_twin(
    registry: Registry, repository: Repository, push: Push
) -> None:
    index = base_index(1)
    push("team/app", index, ["multi"])
    image = row(repository, index)
    elsewhere = row(make_repository(repository.account, "mirror/app"), index)
    Image.objects.update(is_index=True, inspected_at=NOW)
    image.refresh_from_db()
    read([image], registry, index)
    assert image.entries is not None
    elsewhere.refresh_from_db()
    read([elsewhere], registry)
    assert elsewhere.entries == image.entries
