"""A foreign registry cannot send Drydock into its own network: not by a redirect, not by a token's address."""

import socket
from collections.abc import Mapping

import httpcore
import httpx
import pytest

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.images.registry_login import Login
from functions_app.registry.addresses import GuardedBackend, Reach, may_reach, refuse_literal
from functions_app.registry.client import Registry
from tests.registry.conftest import Scripted
from tests.registry.test_rules import BODY, DIGEST, FINE

INSIDE = [
    "127.0.0.1",
    "127.8.9.1",
    "10.0.0.7",
    "172.16.3.4",
    "192.168.1.1",
    "100.64.0.1",
    "0.0.0.0",  # noqa: S104 - nothing binds to it
    "::1",
    "::",
    "fd12:3456::1",
    "::ffff:10.0.0.7",
    "::ffff:127.0.0.1",
    "::10.0.0.7",
    "2002:0a00:0007::1",
    "64:ff9b::10.0.0.7",
    "64:ff9b:1::10.0.0.7",
    "::ffff:0:10.0.0.7",
    "fec0::1",
    "5f00::1",
]
NEVER = [
    "169.254.169.254",
    "169.254.170.2",
    "::ffff:169.254.169.254",
    "64:ff9b::169.254.169.254",
    "fe80::1",
    "fd00:ec2::254",
    "fd00:ec2::23",
    "64:ff9b:1::169.254.169.254",
    "::ffff:0:169.254.169.254",
    "168.63.129.16",
    "::ffff:168.63.129.16",
    "192.0.0.192",
    "100.100.100.200",
    "fd20:ce::254",
    "224.0.0.1",
    "ff02::1",
]
PUBLIC = ["52.94.5.1", "2600:1f18::1", "::ffff:52.94.5.1", "64:ff9b::52.94.5.1"]


@pytest.mark.parametrize("address", INSIDE + NEVER)
def test_a_foreign_registry_leads_to_no_address_inside(address: str) -> None:
    assert not may_reach(address, "cdn.example", Reach.PUBLIC)
    assert not may_reach(address, "amazonaws.com.example", Reach.AWS)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_in_reach_of_every_registry(address: str) -> None:
    assert all(may_reach(address, "cdn.example", reach) for reach in Reach)


@pytest.mark.parametrize("address", NEVER)
def test_metadata_is_in_reach_of_no_registry(address: str) -> None:
    assert not any(may_reach(address, "bucket.s3.amazonaws.com", reach) for reach in Reach)


@pytest.mark.parametrize("name", ["bucket.s3.eusc-de-east-1.amazonaws.eu", "bucket.s3.us-iso-east-1.c2s.ic.gov"])
def test_names_of_every_partition_are_awss_own(name: str) -> None:
    assert may_reach("10.0.0.7", name, Reach.AWS)
    assert not may_reach("169.254.169.254", name, Reach.AWS)


def test_what_anybody_may_name_under_awss_dual_stack_suffix_leads_to_no_address_inside() -> None:
    assert not may_reach("10.0.0.7", "abc.lambda-url.eu-west-1.on.aws", Reach.AWS)


def test_awss_own_names_may_lead_to_endpoints_in_a_vpc() -> None:
    assert may_reach("10.0.0.7", "bucket.s3.eu-west-1.amazonaws.com", Reach.AWS)
    assert not may_reach("127.0.0.1", "bucket.s3.eu-west-1.amazonaws.com", Reach.AWS)


def test_what_the_operator_named_may_lead_anywhere_inside() -> None:
    assert all(may_reach(address, "minio.internal", Reach.PRIVATE) for address in INSIDE)


def backend(reach: Reach, addresses: Mapping[str, list[str]], own: tuple[str, int] = ("own", 443)) -> GuardedBackend:
    return GuardedBackend(reach, own, resolve=lambda host, _port: addresses[host])


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "10.1.2.3", "::1", "::ffff:10.1.2.3"])
def test_a_name_that_resolves_inside_is_not_connected_to(address: str) -> None:
    guarded = backend(Reach.PUBLIC, {"cdn.example": ["52.94.5.1", address]})

    with pytest.raises(DrydockError, match="inside a private network") as caught:
        guarded.connect_tcp("cdn.example", 443, 1)

    assert caught.value.problem.code is Code.DENIED
    assert "DRYDOCK_REGISTRY_HOSTS" in caught.value.problem.next_step


def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        # A second look-up would find nothing: the name exists nowhere but here.
        guarded = backend(Reach.PRIVATE, {"registry.invalid": ["127.0.0.1"]})
        stream = guarded.connect_tcp("registry.invalid", port, 5)
        assert stream.get_extra_info("server_addr") == ("127.0.0.1", port)
        stream.close()


def test_the_next_address_is_tried_where_one_does_not_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        guarded = backend(Reach.PRIVATE, {"registry.invalid": ["127.0.0.2", "127.0.0.1"]})
        guarded.connect_tcp("registry.invalid", server.getsockname()[1], 5).close()


@pytest.mark.parametrize("failure", [socket.gaierror(8, "unknown"), UnicodeError("label too long")])
def test_a_name_that_does_not_resolve_is_no_connection(failure: Exception) -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise failure

    with pytest.raises(httpcore.ConnectError):
        GuardedBackend(Reach.PUBLIC, ("own", 443), resolve=resolve).connect_tcp("a..b", 443, 1)


def test_the_registrys_own_address_is_for_whoever_named_the_registry_to_judge() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        own = ("registry.example", server.getsockname()[1])
        backend(Reach.PUBLIC, {"registry.example": ["127.0.0.1"]}, own).connect_tcp(*own, 5).close()
        with pytest.raises(DrydockError):
            backend(Reach.PUBLIC, {"registry.example": ["127.0.0.1"]}, own).connect_tcp("registry.example", 1, 5)


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest",
        "https://[::1]/",
        "https://[::ffff:10.0.0.7]:8443/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://localhost./",
        "https://a.localhost/",
    ],
)
def test_an_address_written_out_is_refused_before_a_proxy_sees_it(url: str) -> None:
    with pytest.raises(DrydockError, match="inside a private network"):
        refuse_literal(httpx.URL(url), Reach.PUBLIC)


@pytest.mark.parametrize("url", ["https://cdn.example/", "https://52.94.5.1/", "https://de.face.example/"])
def test_names_are_left_to_the_proxy(url: str) -> None:
    refuse_literal(httpx.URL(url), Reach.PUBLIC)


def test_a_redirect_into_the_network_is_not_followed(scripted: Scripted, elsewhere: Scripted) -> None:
    scripted.replies((307, {"Location": f"{elsewhere.url}/secret"}, b""))

    with (
        scripted.open(reach=Reach.PUBLIC) as registry,
        pytest.raises(DrydockError, match="inside a private network") as caught,
    ):
        registry.blob("team/app", DIGEST, 100)

    assert caught.value.problem.code is Code.DENIED
    assert elsewhere.requests == []


def test_a_redirect_into_the_network_by_name_is_not_followed_either(scripted: Scripted, elsewhere: Scripted) -> None:
    scripted.replies((307, {"Location": elsewhere.url.replace("127.0.0.1", "localhost") + "/secret"}, b""))

    with scripted.open(reach=Reach.PUBLIC) as registry, pytest.raises(DrydockError, match="localhost"):
        registry.blob("team/app", DIGEST, 100)

    assert elsewhere.requests == []


def test_a_token_is_not_fetched_inside_the_network(scripted: Scripted, elsewhere: Scripted) -> None:
    realm = f'Bearer realm="{elsewhere.url}/token",service="tests"'
    scripted.replies((401, {"WWW-Authenticate": realm}, b""))

    with (
        scripted.open(Login("dockhand", "harbour"), reach=Reach.PUBLIC) as registry,
        pytest.raises(DrydockError, match="inside a private network"),
    ):
        registry.manifest("team/app", "v1")

    assert elsewhere.requests == []


def test_a_mirror_may_redirect_to_its_neighbour(scripted: Scripted, elsewhere: Scripted) -> None:
    elsewhere.replies((200, {}, BODY))
    scripted.replies((307, {"Location": f"{elsewhere.url}/blob"}, b""))

    with scripted.open() as registry:
        assert registry.blob("team/app", DIGEST, 100) == BODY


def test_even_a_mirror_does_not_lead_to_metadata(scripted: Scripted) -> None:
    scripted.replies((307, {"Location": "http://169.254.169.254/latest/meta-data"}, b""))

    with scripted.open() as registry, pytest.raises(DrydockError, match=r"169\.254\.169\.254"):
        registry.blob("team/app", DIGEST, 100)


def test_a_proxy_is_asked_whatever_its_own_address_is(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    scripted.replies(FINE)
    monkeypatch.setenv("HTTP_PROXY", scripted.url)

    with Registry("registry.example", "http://registry.example", reach=Reach.PUBLIC) as registry:
        assert registry.manifest("team/app", "v1")[0].digest == DIGEST

    assert scripted.requests[0].path == "http://registry.example/v2/team/app/manifests/v1"
