"""A tag that did not move: a registry whose ETag is the digest says so, and needs to say nothing else."""

import pytest

from functions_app.domain.errors import DrydockError
from functions_app.registry.client import Registry
from sandbox.images.making import sha256_digest
from tests.registry.conftest import USER, Scripted
from tests.registry.test_reading import push_to

OLD = sha256_digest(b"old")


def test_docker_registry_says_in_its_own_way_that_nothing_moved(distribution: str) -> None:
    push_to(distribution, "team/unchanged", "v1")
    with Registry("127.0.0.1", distribution, USER) as registry:
        moved = registry.head("team/unchanged", "v1", unless=OLD)
        assert moved is not None
        assert moved.size > 0

        same = registry.head("team/unchanged", "v1", unless=moved.digest)

    assert same is not None
    assert (same.digest, same.size) == (moved.digest, 0)


def test_the_known_digest_is_sent_as_an_etag(scripted: Scripted) -> None:
    scripted.answer = lambda _request: (304, {}, b"")
    with scripted.open() as registry:
        found = registry.head("team/app", "v1", unless=OLD)

    assert found is not None
    assert found.digest == OLD


def test_an_answer_that_nothing_moved_is_refused_where_nobody_asked(scripted: Scripted) -> None:
    scripted.answer = lambda _request: (304, {}, b"")
    with scripted.open() as registry, pytest.raises(DrydockError):
        registry.head("team/app", "v1")
