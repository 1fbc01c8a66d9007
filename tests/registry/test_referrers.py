"""Referrers at ECR, as the sandbox has it."""

import json

import pytest

from functions_app.domain.errors import Code, DrydockError
from functions_app.registry.pushing import push
from functions_app.registry.referrers import attach, referrers
from tests.registry.conftest import Scripted
from tests.registry.ecr import APP, NEW_BASE, RESULT, Ecr
from tests.registry.pushes import TAG, rebased, referrer

OCI_INDEX = "application/vnd.oci.image.index.v1+json"


def test_a_statement_about_an_image_is_listed_with_it(ecr: Ecr) -> None:
    push(ecr.registry, "team/app", rebased(RESULT, NEW_BASE, ecr.base), TAG)

    pushed = attach(ecr.registry, "team/app", *referrer(RESULT, "statement"))

    (found,) = referrers(ecr.registry, "team/app", RESULT.digest)
    assert (found.descriptor.digest, found.artifact_type) == (pushed.digest, "application/vnd.in-toto+json")
    assert referrers(ecr.registry, "team/app", RESULT.digest, "application/spdx+json") == ()
    assert referrers(ecr.registry, "team/app", APP.digest) == ()
    assert ecr.tags().keys() == {"v1", TAG}  # and no tag stands for the list


def test_attaching_again_changes_nothing(ecr: Ecr) -> None:
    statement = referrer(APP, "statement")
    attach(ecr.registry, "team/app", *statement)

    again = attach(ecr.registry, "team/app", *statement)

    assert (again.copied, again.requests) == (0, 2)
    assert len(referrers(ecr.registry, "team/app", APP.digest)) == 1


@pytest.mark.parametrize("operation", ["HeadManifest", "StartUpload", "FinishUpload", "PutManifest"])
@pytest.mark.parametrize("fault", [{"drop": "before"}, {"drop": "after"}, {"status": 500}])
def test_a_statement_arrives_whatever_fails_on_the_way(ecr: Ecr, operation: str, fault: dict[str, object]) -> None:
    ecr.fault(operation, count=1, **fault)

    attach(ecr.registry, "team/app", *referrer(APP, "statement"))

    assert len(referrers(ecr.registry, "team/app", APP.digest)) == 1


@pytest.mark.parametrize("manifest", [b"", b"[]", b"{}", b'{"subject": {}}', b'{"subject": {"digest": "latest"}}'])
def test_what_speaks_of_nothing_is_not_pushed(scripted: Scripted, manifest: bytes) -> None:
    with scripted.open() as registry, pytest.raises(DrydockError) as caught:
        attach(registry, "team/app", [b"{}"], manifest, "application/vnd.oci.image.manifest.v1+json")

    assert caught.value.problem.code is Code.INVALID
    assert scripted.requests == []


def entry(number: int) -> dict[str, object]:
    return {"mediaType": "m", "digest": f"sha256:{number:064x}", "size": number, "artifactType": "a"}


def page(*entries: object) -> bytes:
    return json.dumps({"mediaType": OCI_INDEX, "manifests": entries}).encode()


def test_a_list_of_many_pages_is_read_to_its_end(scripted: Scripted) -> None:
    link = {"Content-Type": OCI_INDEX, "Link": '</v2/team/app/referrers/next>; rel="next"'}
    scripted.replies((200, link, page(entry(1))), (200, {"Content-Type": OCI_INDEX}, page(entry(2))))

    with scripted.open() as registry:
        found = referrers(registry, "team/app", APP.digest)

    assert [each.descriptor.size for each in found] == [1, 2]


def test_a_list_without_end_is_refused(scripted: Scripted) -> None:
    link = {"Content-Type": OCI_INDEX, "Link": f'</v2/team/app/referrers/{APP.digest}>; rel="next"'}
    scripted.replies((200, link, page(entry(1))))

    with scripted.open() as registry, pytest.raises(DrydockError) as caught:
        referrers(registry, "team/app", APP.digest)

    assert caught.value.problem.code is Code.FAILED


def test_entries_that_cannot_be_read_are_left_out(scripted: Scripted) -> None:
    odd: list[object] = [
        None,
        1,
        {},
        {"digest": "x", "size": 1},
        {**entry(3), "size": "3"},
        {**entry(4), "annotations": []},
    ]
    scripted.replies((200, {"Content-Type": OCI_INDEX}, page(*odd, entry(5))))

    with scripted.open() as registry:
        assert [each.descriptor.size for each in referrers(registry, "team/app", APP.digest)] == [4, 5]


def test_who_may_not_list_them_is_told(scripted: Scripted) -> None:
    scripted.replies((403, {}, b""))

    with scripted.open() as registry, pytest.raises(DrydockError) as caught:
        referrers(registry, "team/app", APP.digest)

    assert caught.value.problem.code is Code.DENIED
