"""What may be sent, and what an answer means."""

import json

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions_app.aws.error_table import CODE_OF
from functions_app.domain.changes.invocations import (
    ASYNC_LIMIT,
    SHOWN_BYTES,
    SYNC_LIMIT,
    FunctionFailure,
    Mode,
    check_payload,
    check_tenant,
    parse_failure,
    parse_mode,
    refuse_call,
    shown,
)
from functions_app.domain.changes.refused_calls import (
    MAY_HAVE_RUN,
    NOT_STARTED,
    UNLOADABLE,
    explain_refusal,
    was_not_executed,
)
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.fleet.functions import Features
from functions_app.domain.text import storable


def test_a_mistake_is_told_with_line_and_column() -> None:
    check = check_payload('{\n  "a": 1,\n  b: 2\n}', Mode.SYNC)
    assert not check.ok
    assert (check.line, check.column) == (3, 3)
    assert "line 3, column 3" in check.text


def test_the_line_counts_from_what_was_typed_not_from_the_first_brace() -> None:
    assert check_payload("\n\n{", Mode.SYNC).line == 3


def test_nothing_typed_is_sent_as_an_empty_object() -> None:
    check = check_payload("  \n", Mode.SYNC)
    assert check.ok
    assert "{} is sent" in check.text
    assert check.size_bytes == 2


@pytest.mark.parametrize("text", ["NaN", '{"a": Infinity}', "[" * 100_000, "{'a': 1}", "{", '"\t"'])
def test_what_is_not_json_is_refused(text: str) -> None:
    assert not check_payload(text, Mode.SYNC).ok


@pytest.mark.parametrize("text", ["1", '"text"', "null", "[]", "9" * 5_000, '{"a": "\\u0000"}'])
def test_any_json_value_is_taken(text: str) -> None:
    assert check_payload(text, Mode.SYNC).ok


@pytest.mark.parametrize(("mode", "limit"), [(Mode.SYNC, SYNC_LIMIT), (Mode.ASYNC, ASYNC_LIMIT)])
def test_the_limit_depends_on_the_mode(mode: Mode, limit: int) -> None:
    assert check_payload(f'"{"x" * (limit - 2)}"', mode).ok
    over = check_payload(f'"{"x" * (limit - 1)}"', mode)
    assert not over.ok
    assert f"at most {limit // 1024 // 1024} MB" in over.text


@given(st.text())
def test_no_text_makes_the_check_fail(text: str) -> None:
    check = check_payload(text, Mode.SYNC)
    assert check.ok or check.text


def test_an_unknown_mode_is_invalid() -> None:
    with pytest.raises(DrydockError) as caught:
        parse_mode("twice")
    assert caught.value.problem.code is Code.INVALID


def test_the_functions_error_has_type_message_and_trace() -> None:
    payload = {"errorType": "ValueError", "errorMessage": "no", "stackTrace": ['  File "a.py"\n', ["b.py", 3, "f"]]}
    failure = parse_failure(json.dumps(payload).encode(), "Unhandled")
    assert failure == FunctionFailure("ValueError", "no", ('  File "a.py"', "b.py, 3, f"))
    assert str(failure) == "ValueError: no"


@given(st.binary())
def test_any_payload_of_a_failed_function_is_told(payload: bytes) -> None:
    assert str(parse_failure(payload, "Unhandled"))


@pytest.mark.parametrize("message", ["", " ", "\n", "\x00", "\x9b", "\u202e\x1b"])
def test_a_failure_whose_message_shows_nothing_is_told_by_its_kind(message: str) -> None:
    failure = parse_failure(json.dumps({"errorType": None, "errorMessage": message}).encode(), "Unhandled")
    assert str(failure).strip()


def test_a_long_payload_is_cut_for_display_and_its_size_told() -> None:
    payload = shown(b'"' + b"x" * SHOWN_BYTES + b'"')
    assert payload.cut
    assert len(payload.text) == SHOWN_BYTES
    assert payload.size_bytes == SHOWN_BYTES + 2


@given(st.binary())
def test_what_is_shown_can_be_stored(payload: bytes) -> None:
    text = shown(payload).text
    assert "\x00" not in text
    text.encode()  # raises where a lone surrogate is left


def test_waking_up_is_explained_and_nothing_else_is_touched() -> None:
    waking = DrydockError(Code.BUSY, "409", aws_code="CodeArtifactUserPendingException", request_id="r")
    told = explain_refusal(waking, "reports").problem
    assert "did not run" in told.message
    assert "in a minute" in told.next_step
    assert told.request_id == "r"
    other = DrydockError(Code.UNKNOWN_OUTCOME, "500", aws_code="ServiceException")
    assert explain_refusal(other, "reports") is other


@pytest.mark.parametrize(
    ("code", "aws_code"),
    [
        (Code.THROTTLED, "TooManyRequestsException"),
        (Code.THROTTLED, "EC2ThrottledException"),
        (Code.BUSY, "ResourceNotReadyException"),
        (Code.BUSY, "ResourceConflictException"),
        (Code.FAILED, "KMSDisabledException"),
        (Code.FAILED, "ENINotReadyException"),
        (Code.FAILED, "SnapStartNotReadyException"),
        (Code.DENIED, "AccessDeniedException"),
        (Code.UNREACHABLE, ""),
    ],
)
def test_what_was_refused_is_said_not_to_have_run_and_may_be_invoked_again(code: Code, aws_code: str) -> None:
    error = DrydockError(code, "Rate exceeded", next_step="Wait.", aws_code=aws_code, request_id="r", retryable=True)
    told = explain_refusal(error, "reports").problem
    assert (told.code, told.aws_code, told.request_id, told.retryable) == (code, aws_code, "r", True)
    assert told.message == "reports was not executed. Rate exceeded"
    assert told.next_step.startswith("Wait. Nothing ran")
    assert was_not_executed(told)


@pytest.mark.parametrize(
    ("code", "aws_code"),
    [
        (Code.UNKNOWN_OUTCOME, ""),
        (Code.UNKNOWN_OUTCOME, "ServiceException"),
        (Code.FAILED, "EFSIOException"),
        (Code.FAILED, "SnapStartException"),
        (Code.FAILED, "ANewException"),
    ],
)
def test_of_what_may_have_run_nothing_is_claimed(code: Code, aws_code: str) -> None:
    error = DrydockError(code, "It broke.", aws_code=aws_code)
    assert explain_refusal(error, "reports") is error
    assert not was_not_executed(error.problem)


def test_every_error_that_invoke_may_answer_is_decided() -> None:
    shapes = botocore.session.get_session().get_service_model("lambda").operation_model("Invoke").error_shapes
    names = {shape.name for shape in shapes}
    undecided = {name for name in names - NOT_STARTED - MAY_HAVE_RUN - {UNLOADABLE} if name not in CODE_OF}
    assert undecided == set()
    assert names >= NOT_STARTED


@pytest.mark.parametrize(
    ("aws_code", "message"),
    [
        ("CodeArtifactUserFailedException", "The image was deleted from ECR."),
        ("ResourceConflictException", "The function is currently in the following state: Failed"),
    ],
)
def test_a_function_that_can_not_start_is_not_said_to_be_busy(aws_code: str, message: str) -> None:
    told = explain_refusal(DrydockError(Code.BUSY, message, aws_code=aws_code, request_id="r"), "reports").problem
    assert told.code is Code.FAILED
    assert told.message == f"reports did not run: Lambda can't start it. {message}"
    assert "Deploy an image" in told.next_step
    assert not told.retryable
    assert (told.aws_code, told.request_id) == (aws_code, "r")


def test_a_failure_of_megabytes_is_read_in_parts() -> None:
    huge = json.dumps({"errorType": "E" * 9_000, "errorMessage": "x\n" * 3_000_000, "stackTrace": ["at x"] * 400_000})

    failure = parse_failure(huge.encode(), "Unhandled")

    assert len(failure.type) == 300
    assert len(failure.message) == 8_000
    assert (len(failure.trace), failure.trace[-1]) == (201, "… and 399,800 more lines")


@pytest.mark.parametrize("space", ["\u00a0", "\u2003", "\x0b", "\x1f", "\ufeff"])
def test_white_space_that_json_does_not_know_is_refused_as_it_would_be_sent(space: str) -> None:
    for typed in (space, f"{{}}{space}", f"{space}{{}}"):
        check = check_payload(typed, Mode.SYNC)
        assert not check.ok
        assert check.size_bytes == len(typed.encode())


@pytest.mark.parametrize("payload", [b"a\0b", b"\x1b[31mno", "a\u202eb".encode(), b"[1, \x00"])
def test_an_answer_that_is_no_json_is_told_fit_to_be_stored(payload: bytes) -> None:
    message = parse_failure(payload, "Unhandled").message
    assert message == storable(message)
    assert message.startswith("Unhandled: ")


@pytest.mark.parametrize(
    "number", ["1e999", "-1e999", "0.1000000000000000055511", "12345678901234567890.5", "1e-99999999999999999999"]
)
def test_a_number_that_a_float_does_not_hold_is_shown_as_it_was_sent(number: str) -> None:
    assert shown(f'{{"a":{number}}}'.encode()).text == f'{{"a":{number}}}'


def test_members_of_one_name_are_all_shown() -> None:
    assert shown(b'{"a":1,"a":2}').text == '{"a":1,"a":2}'


def test_characters_that_no_page_shows_are_written_as_json_writes_them() -> None:
    assert shown(b'["\\u202ea", "\\ud800", "\\u009b", "\\u00e9"]').text == (
        '[\n  "\\u202ea",\n  "\\ud800",\n  "\\u009b",\n  "é"\n]'
    )


@pytest.mark.parametrize("text", ["shop-1", " shop 1 ", "a.b_c:d/e=f+g@h", "x" * 256, ""])
def test_ids_of_tenants_are_taken_as_lambda_takes_them(text: str) -> None:
    assert check_tenant(text) == text.strip()


@pytest.mark.parametrize("text", ["ä", "a\nb", "x" * 257, "a;b", "١"])
def test_other_ids_of_tenants_are_refused_before_they_are_sent(text: str) -> None:
    with pytest.raises(DrydockError) as caught:
        check_tenant(text)
    assert caught.value.problem.code is Code.INVALID


@pytest.mark.parametrize(
    ("features", "qualifier", "tenant", "words"),
    [
        (Features(tenant_isolation="PER_TENANT"), "live", "", "has to name its tenant"),
        (Features(), "live", "shop-1", "takes no tenant's id"),
        (Features(capacity_provider="arn"), "$LATEST", "", "takes no calls"),
    ],
)
def test_a_call_that_such_a_function_never_takes_is_not_sent(
    features: Features, qualifier: str, tenant: str, words: str
) -> None:
    with pytest.raises(DrydockError, match=words) as caught:
        refuse_call(features, "app", qualifier, tenant)
    assert caught.value.problem.code is Code.PREFLIGHT


def test_a_call_that_fits_its_function_is_sent() -> None:
    refuse_call(Features(), "app", "$LATEST", "")
    refuse_call(Features(tenant_isolation="PER_TENANT"), "app", "$LATEST", "shop-1")
    refuse_call(Features(capacity_provider="arn"), "app", "$LATEST.PUBLISHED", "")
