"""Which registries may be named, and whose login each is opened with."""

import base64
import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from dashboard import env
from functions_app.aws.session import Target
from functions_app.domain.errors import Code, DrydockError
from functions_app.models import Account
from functions_app.registry.addresses import Reach
from functions_app.services.images.registries import allowed_host, open_registry
from tests import distribution_server
from tests.fixtures import REGION, Push, Sandbox
from tests.publishing import base, publish, unique_repository
from tests.services.sync.sync_stage import calls

SECRET = "harbour-secret"


@pytest.fixture
def variables(settings: Settings) -> Any:
    """Set the environment's registry variables: `variables(registry_hosts=...)`."""

    def replace(**values: Any) -> None:
        settings.ENV = dataclasses.replace(settings.ENV, **values)

    return replace


def auth_file(folder: Path, **logins: str) -> str:
    path = folder / "config.json"
    entries = {host: {"auth": base64.b64encode(login.encode()).decode()} for host, login in logins.items()}
    path.write_text(json.dumps({"auths": entries}))
    return str(path)


@pytest.mark.parametrize(
    "host",
    [
        "public.ecr.aws",
        "docker.io",
        "index.docker.io",
        "ghcr.io",
        "GHCR.io",
        "quay.io",
        "mcr.microsoft.com",
        "registry.gitlab.com",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
        "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
        "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com",
        "123456789012.dkr-ecr.eu-west-1.on.aws",
        "123456789012.dkr.ecr.eusc-de-east-1.amazonaws.eu",
        "123456789012.dkr.ecr.us-iso-east-1.c2s.ic.gov",
    ],
)
def test_well_known_registries_may_be_named(host: str) -> None:
    allowed_host(host)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "127.0.0.1",
        "127.0.0.1:5000",
        "169.254.169.254",
        "10.0.0.7",
        "2130706433",
        "registry.corp",
        "ghcr.io:5000",
        "ghcr.io.evil.example",
        "evil-ghcr.io",
        "x.dkr.ecr.s3.eu-west-1.amazonaws.com",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com.evil.example",
    ],
)
def test_other_hosts_are_denied_with_what_to_set(host: str) -> None:
    with pytest.raises(DrydockError) as caught:
        allowed_host(host)

    assert caught.value.problem.code is Code.DENIED
    assert "DRYDOCK_REGISTRY_HOSTS" in caught.value.problem.next_step
    with pytest.raises(DrydockError):
        open_registry(host)


def test_a_host_that_is_almost_ecrs_is_told_which_one_is_meant() -> None:
    with pytest.raises(DrydockError) as caught:
        allowed_host("123456789012.dkr.ecr.cn-north-1.amazonaws.com")
    assert caught.value.problem.code is Code.INVALID
    assert "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn" in caught.value.problem.next_step


@pytest.mark.parametrize("host", ["", "a b", "ghcr.io/x", "user@ghcr.io", "ghcr.io#", "[::1]", "gh\ncr.io", "." * 300])
def test_what_is_no_host_is_invalid(host: str) -> None:
    with pytest.raises(DrydockError) as caught:
        allowed_host(host)

    assert caught.value.problem.code is Code.INVALID


def test_the_operator_names_further_hosts_by_pattern(variables: Any) -> None:
    variables(registry_hosts=("registry.corp:5000", "*.images.corp"))

    allowed_host("registry.corp:5000")
    allowed_host("team.images.corp")
    for host in ("registry.corp", "images.corp.evil.example"):
        with pytest.raises(DrydockError):
            allowed_host(host)


def test_mirrored_hosts_and_hosts_with_a_login_may_be_named(variables: Any, tmp_path: Path) -> None:
    file = auth_file(tmp_path, **{"registry.corp": "dockhand:x"})
    variables(registry_mirrors={"mirrored.corp": "http://127.0.0.1:1"}, registry_auth_file=file)

    allowed_host("mirrored.corp")
    allowed_host("registry.corp")


def test_the_variables_are_read_from_the_environment(tmp_path: Path) -> None:
    read = env.read(
        {
            "DRYDOCK_DATA_DIR": str(tmp_path),
            "DRYDOCK_REGISTRY_HOSTS": "Registry.corp:5000, *.images.corp",
            "DRYDOCK_REGISTRY_AUTH_FILE": "/run/secrets/docker.json",
        }
    )

    assert read.registry_hosts == ("registry.corp:5000", "*.images.corp")
    assert read.registry_auth_file == "/run/secrets/docker.json"


@pytest.mark.django_db
def test_the_registry_of_a_known_account_is_opened_with_its_own_login(aws: Sandbox, account: str, push: Push) -> None:
    role = f"arn:aws:iam::{account}:role/Tests"
    Account.objects.create(name="own", account_id=account, regions=[REGION], role_arn=role)
    push("team/app", base(1), ["v1"])

    with open_registry(f"{account}.dkr.ecr.{REGION}.amazonaws.com") as registry:
        assert registry.manifest("team/app", "v1")[0].digest == base(1).digest


@pytest.mark.django_db
def test_a_registry_of_an_unknown_account_is_opened_with_the_login_given(
    aws: Sandbox, account: str, push: Push
) -> None:
    push("team/app", base(1), ["v1"])
    host = f"{account}.dkr.ecr.{REGION}.amazonaws.com"

    with open_registry(host, target=Target(account, REGION, f"arn:aws:iam::{account}:role/Tests")) as registry:
        assert registry.manifest("team/app", "v1")[0].digest == base(1).digest


@pytest.mark.django_db
def test_a_registry_of_an_account_that_is_not_looked_after_is_opened_as_one_that_is(aws: Sandbox, account: str) -> None:
    role = f"arn:aws:iam::{account}:role/Tests"
    Account.objects.create(name="off", account_id=str(int(account) ^ 2), regions=[REGION], role_arn="", enabled=False)
    Account.objects.create(name="own", account_id=account, regions=[REGION], role_arn=role)

    with open_registry(f"{int(account) ^ 1}.dkr.ecr.{REGION}.amazonaws.com"):
        pass

    # The sandbox tells accounts by their logins alone and cannot show another's repository: the login is what counts.
    assert calls(aws, account)["ecr.GetAuthorizationToken"] == 1


@pytest.mark.django_db
def test_a_registry_without_a_login_is_read_namelessly(aws: Sandbox) -> None:
    repository = unique_repository()
    publish(aws, repository, base(1), ["v1"])

    with open_registry("public.ecr.aws") as registry:
        assert registry.manifest(repository, "v1")[0].digest == base(1).digest


@pytest.mark.django_db
def test_a_login_does_not_let_a_public_registry_lead_into_the_network(variables: Any, tmp_path: Path) -> None:
    logins = auth_file(tmp_path, **{"ghcr.io": "dockhand:x", "registry.corp": "dockhand:x"})
    variables(registry_auth_file=logins, registry_hosts=("*.images.corp",))

    hosts = (
        "ghcr.io",
        "docker.io",
        "registry.corp",
        "team.images.corp",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com",
    )
    reaches = []
    for host in hosts:
        with open_registry(host) as registry:
            reaches.append(registry.reach)
    assert reaches == [Reach.PUBLIC, Reach.PUBLIC, Reach.PRIVATE, Reach.PRIVATE, Reach.AWS]


@pytest.mark.django_db
@pytest.mark.needs("docker-registry")
def test_a_mirror_is_given_the_login_of_the_mirror(variables: Any, tmp_path: Path) -> None:
    with distribution_server.serving(tmp_path) as url:
        own = url.removeprefix("http://")
        login = f"{distribution_server.USER}:{distribution_server.PASSWORD}"
        variables(registry_mirrors={"docker.io": url}, registry_auth_file=auth_file(tmp_path, **{own: login}))
        with open_registry("docker.io") as registry:
            assert registry.head("python", "3.12") is None  # let in, and nothing there

        variables(registry_auth_file=auth_file(tmp_path, **{"docker.io": login}))
        with open_registry("docker.io") as registry, pytest.raises(DrydockError) as caught:
            registry.head("python", "3.12")
    assert caught.value.problem.code is Code.DENIED


@pytest.mark.django_db
@pytest.mark.parametrize("text", ["{", json.dumps({"auths": {"ghcr.io": {"auth": SECRET}}})])
def test_a_file_of_logins_that_cannot_be_used_is_told_by_its_variable(
    variables: Any, tmp_path: Path, text: str
) -> None:
    path = tmp_path / "config.json"
    path.write_text(text)
    variables(registry_auth_file=str(path))

    with pytest.raises(DrydockError, match="DRYDOCK_REGISTRY_AUTH_FILE") as caught:
        open_registry("ghcr.io")
    assert SECRET not in str(caught.value.problem.as_json())


@pytest.mark.django_db
def test_a_broken_file_of_logins_does_not_keep_drydock_from_ecr(
    aws: Sandbox, account: str, push: Push, variables: Any, tmp_path: Path
) -> None:
    push("team/app", base(1), ["v1"])
    variables(registry_auth_file=str(tmp_path / "there-is-none"))
    role = Target(account, REGION, f"arn:aws:iam::{account}:role/Tests")

    with open_registry(f"{account}.dkr.ecr.{REGION}.amazonaws.com", target=role) as registry:
        assert registry.manifest("team/app", "v1")[0].digest == base(1).digest
