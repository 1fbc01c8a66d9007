"""Over https: the certificate is checked for the registry's name, and nothing leaves https again."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.images.registry_login import Login
from functions_app.registry.client import Registry
from tests.certificates import self_signed
from tests.registry.conftest import Scripted, serve_scripted
from tests.registry.test_rules import BODY, DIGEST, FINE

LOGIN = Login("dockhand", "harbour")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for `localhost` with its key, signed by itself."""
    return self_signed(tmp_path_factory.mktemp("tls") / "both.pem")


@pytest.fixture
def secure(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scripted]:
    """A scripted server that speaks TLS as `localhost`; its certificate is trusted."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    yield from serve_scripted(Scripted(), context)


def open_secure(secure: Scripted, name: str = "localhost", login: Login | None = None) -> Registry:
    url = secure.url.replace("http://127.0.0.1", f"https://{name}")
    return Registry(url.removeprefix("https://"), url, login, pause=lambda _: None)


def test_a_registry_is_read_over_https(secure: Scripted) -> None:
    secure.replies(FINE)

    with open_secure(secure) as registry:
        assert registry.manifest("team/app", "v1")[0].digest == DIGEST
        with registry.stream("team/app", DIGEST) as pieces:
            assert b"".join(pieces) == BODY


def test_certificates_that_are_exchanged_count_at_once(secure: Scripted, certificate: Path, tmp_path: Path) -> None:
    secure.replies(FINE)
    trusted, others = certificate.read_bytes(), self_signed(tmp_path / "others.pem").read_bytes()

    with open_secure(secure) as registry:
        registry.manifest("team/app", "v1")
    try:
        certificate.write_bytes(others)
        with open_secure(secure) as registry, pytest.raises(DrydockError, match="certificate"):
            registry.manifest("team/app", "v1")
    finally:
        certificate.write_bytes(trusted)


def test_the_authorities_are_read_once_for_all_registries(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    scripted.open().close()
    monkeypatch.setattr(ssl, "create_default_context", lambda **_: pytest.fail("they were read again"))
    scripted.open().close()


def test_a_certificate_for_another_name_is_refused(secure: Scripted) -> None:
    secure.replies(FINE)

    with open_secure(secure, "127.0.0.1") as registry, pytest.raises(DrydockError) as caught:
        registry.manifest("team/app", "v1")

    assert caught.value.problem.code is Code.UNREACHABLE
    assert "certificate" in caught.value.problem.message
    assert secure.requests == []


def test_no_redirect_leaves_https_not_even_to_the_same_host(secure: Scripted, elsewhere: Scripted) -> None:
    secure.replies((307, {"Location": f"{elsewhere.url}/v2/"}, b""))

    with open_secure(secure, login=LOGIN) as registry, pytest.raises(DrydockError, match="not https"):
        registry.manifest("team/app", "v1")

    assert elsewhere.requests == []


def test_an_http_mirror_that_moves_to_https_is_followed_without_the_login(secure: Scripted, scripted: Scripted) -> None:
    secure.replies(FINE)
    target = secure.url.replace("http://127.0.0.1", "https://localhost")
    scripted.replies((308, {"Location": f"{target}/v2/"}, b""))

    with scripted.open(LOGIN) as registry:
        assert registry.manifest("team/app", "v1")[0].digest == DIGEST

    assert scripted.requests[0].authorization == LOGIN.header
    assert [request.authorization for request in secure.requests] == [""]
