"""The message to a team's pipeline: signed, sent once, to the configured host and nowhere else."""

import hashlib
import hmac
import json
from collections.abc import Iterator

import pytest

from functions_app.domain.errors import Code, DrydockError
from functions_app.registry import webhook
from functions_app.registry.webhook import send
from tests.receiving import Pipeline, receiving

SECRET = "a secret of some length"


@pytest.fixture
def pipeline() -> Iterator[Pipeline]:
    with receiving() as made:
        yield made


def test_it_is_signed_over_timestamp_and_raw_body(pipeline: Pipeline) -> None:
    assert send(pipeline.url, SECRET, "an id", {"function": "arn", "name": "ä"}) == 202
    (message,) = pipeline.messages
    signed = message.headers["X-Drydock-Timestamp"].encode() + b"." + message.body
    expected = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert message.headers["X-Drydock-Signature"] == f"sha256={expected}"
    assert message.headers["X-Drydock-Id"] == "an id"
    assert json.loads(message.body) == {"function": "arn", "name": "ä"}
    assert message.path == "/hooks/drydock"
    assert SECRET.encode() not in message.body


def test_a_redirect_is_an_answer_and_is_not_followed(pipeline: Pipeline) -> None:
    with receiving() as other:
        pipeline.status, pipeline.headers = 307, {"Location": other.url}
        assert send(pipeline.url, SECRET, "an id", {}) == 307
        assert other.messages == []


def test_a_refusal_is_an_answer_too_and_nothing_is_sent_again(pipeline: Pipeline) -> None:
    pipeline.status = 503
    assert send(pipeline.url, SECRET, "an id", {}) == 503
    assert len(pipeline.messages) == 1


def test_who_does_not_answer_in_time_is_waited_for_no_longer(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "SECONDS", 0.2)
    pipeline.waits = 1.0
    with pytest.raises(DrydockError, match=r"The pipeline at 127\.0\.0\.1 did not answer") as raised:
        send(pipeline.url, SECRET, "an id", {})
    assert raised.value.problem.code is Code.UNREACHABLE
    assert len(pipeline.messages) == 1


def test_where_nobody_listens_it_is_unreachable() -> None:
    with receiving() as gone:
        address = gone.url
    with pytest.raises(DrydockError) as raised:
        send(address, SECRET, "an id", {})
    assert raised.value.problem.code is Code.UNREACHABLE
