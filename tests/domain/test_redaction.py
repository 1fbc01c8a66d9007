"""Secrets never reach a log, a note or the audit table; what is harmless stays readable."""

import pytest

from functions_app.domain.redaction import LINE_LIMIT, MOST_LINES, clean_lines, redact, redact_value
from functions_app.domain.secret_shapes import MASK

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("key AKIAIOSFODNN7EXAMPLE used", "AKIAIOSFODNN7EXAMPLE"),
        ("ASIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE"),
        ("secret wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY.", "wJalrXUtnFEMI"),
        ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "wJalrXUtnFEMI"),
        ('"SecretAccessKey": "abc def ghi"', "abc def"),
        ("AWS_SESSION_TOKEN=IQoJb3JpZ2luX2VjE", "IQoJb3"),
        ("IQoJ" + "b3JpZ2luX2VjEJr" * 10, "b3JpZ2luX2VjEJr"),
        ("Authorization: Bearer abc.def-ghi", "abc.def"),
        ("authorization: Basic dXNlcjpwYXNz", "dXNlcjpwYXNz"),
        ('{"Authorization": "AWS4-HMAC-SHA256 Credential=AKIA1/x, Signature=fe5f80"}', "fe5f80"),
        ("sent with bearer 0123456789abcdef", "0123456789abcdef"),
        (f"token is {JWT}", "eyJ"),
        ("https://b.s3.amazonaws.com/k?X-Amz-Signature=fe5f80f77d5f&X-Amz-Date=2026", "fe5f80f77d5f"),
        ("https://b.s3.amazonaws.com/k?a=1&X-Amz-Security-Token=IQoJxyz%2F", "IQoJxyz"),
        ("https://b.s3.amazonaws.com/k?AWSAccessKeyId=x&Signature=vjbyPxybdZaNmGa%2ByT272YEAiv4%3D", "vjbyPxyb"),
        ("postgres://app:hunter2@db:5432/app", "hunter2"),
        ("password=hunter2", "hunter2"),
        ("DB_PASSWORD: 'hunter2 and more'", "hunter2 and more"),
        ("api_key=k-123;", "k-123"),
        ("Cookie: sessionid=abcdef", "abcdef"),
        ("ghp_abcdefghijklmnopqrstuvwxyz0123456789", "abcdefghij"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----", "MIIE"),
    ],
)
def test_a_secret_is_masked(text: str, secret: str) -> None:
    assert secret not in redact(text)
    assert MASK in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "START RequestId: 8f507cfc-f3a0-4b6e-9c1d-1f0a2b3c4d5e Version: $LATEST",
        "REPORT RequestId: 8f507cfc Duration: 3.5 ms Billed Duration: 4 ms Memory Size: 128 MB",
        "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "commit da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "arn:aws:lambda:eu-west-1:111111111111:function:orders-api:live",
        "111111111111.dkr.ecr.eu-west-1.amazonaws.com/team/app:v1",
        "https://example.com/path?page=2&sort=name",
        "took 3 tokens from the bucket",
        "\tindented",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


def test_escape_sequences_are_taken_out_and_other_control_characters_are_shown() -> None:
    assert redact("a\0b \x1b[31mred\x1b[0m\x07") == "a‹U+0000›b red‹U+0007›"


def test_marks_that_turn_the_direction_of_text_are_shown() -> None:
    assert redact("paid \u202e00.01\u2066 \x9b31mred") == "paid ‹U+202E›00.01‹U+2066› red"


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", ["a", "a://", "token=", "authorization: ", "-----BEGIN PRIVATE KEY-----", "\x1b[1;"])
def test_a_megabyte_of_anything_costs_time_in_proportion(piece: str) -> None:
    # A pattern that tries every beginning against every end would need hours, and hold up every other log.
    assert clean_lines(piece * (1_000_000 // len(piece)) + "\nnext")[-1] in ("next", MASK)


def test_a_text_of_several_lines_becomes_several_lines() -> None:
    assert clean_lines("one\r\ntwo\n\nfour\n") == ["one", "two", "", "four"]


def test_a_very_long_line_is_cut_and_says_so() -> None:
    (line,) = clean_lines("é" * 20_000)
    assert len(line.encode()) < LINE_LIMIT + 100
    assert line.endswith("… [cut: the line had 20,000 characters]")


def test_a_line_of_megabytes_is_cut_before_it_costs_anything() -> None:
    (line,) = clean_lines("password=hunter2 " * 500_000)
    assert len(line.encode()) < LINE_LIMIT + 100
    assert "hunter2" not in line


def test_a_text_that_cannot_be_encoded_is_stored_all_the_same() -> None:
    assert clean_lines("a\ud800b") == ["a‹U+D800›b"]


def test_values_are_redacted_inside_and_by_their_name() -> None:
    plan = {"token": "x", "nested": [{"db_password": "y", "url": "https://u:p@h"}], "count": 3, "empty_secret": ""}
    assert redact_value(plan) == {
        "token": MASK,
        "nested": [{"db_password": MASK, "url": f"https://u:{MASK}@h"}],
        "count": 3,
        "empty_secret": "",
    }


@pytest.mark.parametrize("name", ["pass\x00word", "pass\x1bword", "api\x07_key", "pass\u200bword"])
def test_a_name_that_hides_what_it_is_hides_nothing(name: str) -> None:
    assert list(redact_value({name: "hunter2"}).values()) == [MASK]


def test_a_text_of_endless_lines_is_cut_and_says_so() -> None:
    lines = clean_lines("x\n" * 3_000_000)

    assert len(lines) == MOST_LINES + 1
    assert lines[-1] == "… [cut: the text had 6,000,000 characters]"


def test_what_is_nested_without_end_is_left_out_somewhere() -> None:
    value: list[object] = []
    for _ in range(10_000):
        value = [value]

    assert "…" in str(redact_value(value))


def test_lines_that_end_with_carriage_returns_are_lines_of_any_text() -> None:
    assert clean_lines("[ERROR] no\rTraceback:\r  File") == ["[ERROR] no", "Traceback:", "  File"]
    bar = "".join(f"{number} of 9,000\r" for number in range(9_000))
    assert clean_lines(bar)[:2] == ["0 of 9,000", "1 of 9,000"]


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (["app", "--password", "hunter two"], ["app", "--password", "[redacted]"]),
        (["--db-password", "a'b\"c d"], ["--db-password", "[redacted]"]),
        (["-token", "12345", "serve"], ["-token", "[redacted]", "serve"]),
        (["curl", "-u", "olga:hunter2", "https://a.example"], ["curl", "-u", "olga:[redacted]", "https://a.example"]),
        (["-u", "olga:hunter2"], ["-u", "olga:[redacted]"]),
        (["docker", "login", "-u", "olga", "-p", "hunter2"], ["docker", "login", "-u", "olga", "-p", "[redacted]"]),
        (["mysql", "-h", "db", "-phunter2"], ["mysql", "-h", "db", "-p[redacted]"]),
        (["app", "--pass\u200bword", "hunter2"], ["app", "--pass‹U+200B›word", "[redacted]"]),
        # Where no option says that a secret follows, nothing is lost.
        (["app.handler", "--port", "8080"], ["app.handler", "--port", "8080"]),
        (["app", "--password", "--verbose"], ["app", "--password", "--verbose"]),
        (["password", "rotation"], ["password", "rotation"]),
        (["app", "--password"], ["app", "--password"]),
        (["app", "--password", 5], ["app", "--password", 5]),
    ],
)
def test_a_secret_in_a_command_is_known_by_the_words_before_it(command: list[object], shown: list[object]) -> None:
    assert redact_value(command) == shown
    assert redact_value(redact_value(command)) == shown


def test_a_secret_of_several_words_is_masked_whole_in_a_command_that_is_written_as_json() -> None:
    assert redact('CMD ["app", "--password", "hunter two", "-v"]') == 'CMD ["app", "--password", "[redacted]", "-v"]'
