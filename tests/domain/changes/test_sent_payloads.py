"""What is kept of a payload that was sent: it is sent again as it is only where it is the very same."""

import json

import pytest

from functions_app.domain.changes.invocations import SHOWN_BYTES
from functions_app.domain.changes.sent_payloads import SentPayload
from functions_app.domain.errors import DrydockError


@pytest.mark.parametrize(
    "payload", ["", "{}", '{"order": 7}', " [1, 2.50] ", '"text"', '{"n": 12345678901234567890.10}']
)
def test_a_payload_without_secrets_is_kept_as_it_was_sent(payload: str) -> None:
    sent = SentPayload.of(payload)
    assert (sent.exact, sent.redacted, sent.why_anew) == (True, False, "")
    sent.refuse_as_sent(sent.payload)
    assert SentPayload.from_json(json.loads(json.dumps(sent.as_json()))) == sent


@pytest.mark.parametrize(
    "payload",
    [
        '{"password": "hunter2-hunter2"}',
        '{"pin": 4711}',
        '{"body": "{\\"api_key\\": \\"hunter2-hunter2\\"}"}',
        '{"key": "AKIAIOSFODNN7EXAMPLE", "secret": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}',
    ],
)
def test_a_secret_is_not_kept_and_the_payload_is_not_sent_again_without_it(payload: str) -> None:
    sent = SentPayload.of(payload)
    assert not any(word in json.dumps(sent.as_json()) for word in ("hunter2", "4711", "wJalrXUtnFEMI"))
    assert sent.why_anew == "Secrets in the payload were not kept"
    for typed in ("", "  ", sent.payload, f"\n{sent.payload} "):
        with pytest.raises(DrydockError, match="can't be sent again as it is shown"):
            sent.refuse_as_sent(typed)
    sent.refuse_as_sent(payload)
    sent.refuse_as_sent("{}")


def test_a_long_payload_is_cut_and_not_sent_again_as_its_beginning() -> None:
    sent = SentPayload.of(json.dumps({"text": "a" * SHOWN_BYTES}))
    assert len(sent.payload) <= SHOWN_BYTES
    assert sent.payload_bytes > SHOWN_BYTES
    assert sent.why_anew == "The payload was kept only in part"
    with pytest.raises(DrydockError, match="Nothing was sent"):
        sent.refuse_as_sent("")


def test_a_payload_with_two_members_of_one_name_is_not_taken_for_the_same() -> None:
    assert SentPayload.of('{"a": 1, "a": 2}').why_anew == "The payload was not kept as it was sent"
