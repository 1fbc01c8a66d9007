"""Events of ECR: what they say, and that nothing else is believed."""

import json
from typing import Any

import pytest

from functions_app.domain import limits
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.images.ecr_events import Happened, parse_event, read_event

DIGEST = "sha256:" + "a" * 64


def event(detail: Any = None, **values: Any) -> dict[str, Any]:
    """A push as ECR sends it, with other values."""
    pushed = {
        "action-type": "PUSH",
        "result": "SUCCESS",
        "repository-name": "bases/golden",
        "image-digest": DIGEST,
        "image-tag": "stable",
    }
    return {
        "version": "0",
        "id": "13cde686-328b-6117-af20-0e5566167482",
        "detail-type": "ECR Image Action",
        "source": "aws.ecr",
        "account": "123456789012",
        "time": "2026-11-20T01:54:34Z",
        "region": "eu-west-1",
        "resources": [],
        "detail": pushed if detail is None else pushed | detail if isinstance(detail, dict) else detail,
        **values,
    }


def test_a_push_names_the_image_as_a_stream_does() -> None:
    told = parse_event(event())
    assert told is not None
    assert (told.happened, told.digest) == (Happened.PUSHED, DIGEST)
    assert told.name == "123456789012.dkr.ecr.eu-west-1.amazonaws.com/bases/golden:stable"


def test_registries_in_china_have_hosts_of_their_own() -> None:
    told = parse_event(event(region="cn-north-1"))
    assert told is not None
    assert told.host == "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn"


def test_a_replicated_image_counts_as_pushed_in_its_new_region() -> None:
    told = parse_event(event({"action-type": "REPLICATE"}, **{"detail-type": "ECR Replication Action"}))
    assert told is not None
    assert told.happened is Happened.PUSHED


@pytest.mark.parametrize(
    ("detail", "happened"),
    [
        ({"action-type": "DELETE"}, Happened.DELETED),
        ({"result": "FAILURE"}, Happened.NOTHING),
        ({"action-type": "SET_FIRE"}, Happened.NOTHING),
        ({"image-tag": ""}, Happened.PUSHED),
    ],
)
def test_what_happened_is_told(detail: dict[str, Any], happened: Happened) -> None:
    told = parse_event(event(detail))
    assert told is not None
    assert told.happened is happened


def test_a_scan_is_recognised() -> None:
    detail = {
        "scan-status": "COMPLETE",
        "repository-name": "team/app",
        "image-tags": ["a", "b"],
        "image-digest": DIGEST,
    }
    told = parse_event({**event(), "detail-type": "ECR Image Scan", "detail": detail})
    assert told is not None
    assert (told.happened, told.repository, told.tag) == (Happened.SCANNED, "team/app", "")


@pytest.mark.parametrize(
    "values", [{"source": "aws.s3", "detail-type": "Object Created"}, {"detail-type": "ECR Referrer Action"}]
)
def test_other_events_are_none_of_ours(values: dict[str, Any]) -> None:
    assert parse_event(event(**values)) is None


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"source": "aws.ecr"},
        {"source": 1, "detail-type": ["ECR Image Action"]},
        event("text"),
        event([]),
        event(account="12"),
        event(account=123456789012),
        event(account=json.loads("[" * 500 + "]" * 500)),
        event(account="１２３４５６７８９０１２"),
        event(region="eu-west-1.evil.example/"),
        event(region=None),
        event({"repository-name": "../../etc"}),
        event({"repository-name": "a" * 300}),
        event({"repository-name": {"a": 1}}),
        event({"image-tag": "a b"}),
        event({"image-tag": ["stable"]}),
        event({"image-digest": "sha256:short"}),
    ],
)
def test_what_only_looks_like_an_event_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(DrydockError) as caught:
        parse_event(broken)
    assert caught.value.problem.code is Code.INVALID


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 100_000, b'{"a":"' + b"b" * limits.EVENT + b'"}']
)
def test_a_body_that_is_no_object_or_too_large_is_refused(body: bytes) -> None:
    with pytest.raises(DrydockError) as caught:
        read_event(body)
    assert caught.value.problem.code is Code.INVALID


def test_a_body_is_an_event() -> None:
    assert read_event(json.dumps(event()).encode()) == event()


def test_an_event_may_come_in_the_envelope_of_sns() -> None:
    envelope = {"Type": "Notification", "TopicArn": "arn:aws:sns:eu-west-1:123456789012:images"}
    assert read_event(json.dumps({**envelope, "Message": json.dumps(event())}).encode()) == event()


@pytest.mark.parametrize("message", [None, "", "text", "[]", {"source": "aws.ecr"}, "\ud800"])
def test_an_envelope_without_an_event_is_refused(message: Any) -> None:
    with pytest.raises(DrydockError):
        read_event(json.dumps({"Type": "Notification", "Message": message}).encode())
