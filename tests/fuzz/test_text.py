"""Text and redaction: what has passed a door passes it again unchanged, and no secret passes."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from functions_app.domain.redaction import LINE_LIMIT, MOST_LINES, LogLines, clean_lines, redact, redact_value
from functions_app.domain.secret_shapes import MASK
from functions_app.domain.text import line_feeds, storable, storable_value, visible
from tests.fuzz.bounds import assert_shown, bounded
from tests.fuzz.inputs import ODD_TEXTS, edited, texts
from tests.fuzz.running import fuzzed
from tests.fuzz.samples import CONFIG, EVENT

GROWTH = 9  # times as long at most: a NUL becomes ‹U+0000›, and one beyond the first plane ‹U+E0041›
MARKS = (
    *("password=\"", "token='", "password", "Password", "api_key", "secret", "token", "session-token", "authorization"),
    *("cookie", "x-amz-signature"),
    *("Bearer ", "Basic ", "AWS4-HMAC-SHA256 ", "eyJhbGciOiJI.eyJzdWIi.", "ghp_", "AKIA", "IQoJ"),
    *("https://", "user:", "@"),
    *("-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----", "=", ": ", ":", '"', "'", "\\"),
    *("&", "?", ";", ","),
    *(" ", "\n", "\r", "\x1b[1m", "\x1b]8;;", "\x07", "\0", "\u200b", "A1" * 10, "a" * 16, "0" * 40, MASK),
    *("{", "}", "/"),
    *("passwords:", "tokens=[", "secret: |", "credentials: {", "\n- ", "\n  "),
)  # fmt: skip
messages = st.one_of(st.lists(st.one_of(st.sampled_from(MARKS), texts), max_size=12).map("".join), texts)
SECRET = "hunter2hunter2"  # no digits and letters that any rule knows by themselves
# How secrets are written, one for each rule; the text around must not help them through.
CARRIERS = (
    "password={}", "password: {}", '"password": "{}"', "'api_key' = '{}'", "SECRET_ACCESS_KEY={}", "Authorization: {}",
    "Authorization: Bearer {}", "authorization=Basic {}", "bearer {}", "Cookie: session={}", "https://user:{}@host/",
    "https://h/?X-Amz-Signature={}", "?sig={}", "&Signature={}", "ghp_{}abcdef", "-----BEGIN PRIVATE KEY-----\n{}\n",
    "client_secret='{}'", "token=\"{}\"", "token=\"a b\\\"{}\"", "private-key: {}", "{{\"token\":\"{}\"}}",
    "<db:Password>{}</db:Password>", "<secret><![CDATA[{}]]></secret>", "psql --password {} -h db",
    "mysql -uroot -p{} db", "curl -u me:{} https://h", "IDENTIFIED BY '{}'", "machine h login me password {}",
    "sk_live_{}ab",
    "glpat-{}ab",
    "https://hooks.slack.com/services/T0/B0/{}", "jdbc:oracle:thin:scott/{}@//db:1521/x", "https://{}ab@github.com/a",
    '{{"name": "DB_PASSWORD", "value": "{}"}}', '["--db-password", "{}"]', "SharedAccessKey={}=;EntityPath=x",
    '{{"SecretString": "{}"}}', 'passwords=["a", "{}"]', "%22password%22%3A%22{}%22",
    "&quot;password&quot;:&quot;{}&quot;",
    "пароль={}", "密码：{}", "salt={}", "-passin pass:{} -in k", "htpasswd -b f ann {}", "sshpass -p {} ssh",
    "db_password={}", 'said "{{\\"token\\": \\"{}\\", \\"a\\": 1}}"', 'password="a"{}', 'password="{}',
)  # fmt: skip
apart = st.sampled_from(("", " ", "\n", "\x1b[0m ", " \0", "\r\n", "\u202e ", ", ", "; ", " {", "} "))


@fuzzed(500)
@given(st.one_of(messages, st.text()), st.one_of(st.none(), st.integers(1, 30)))
def test_storable_text_stays_as_it_is(text: str, length: int | None) -> None:
    once = storable(text, length)
    assert storable(once, length) == once
    assert len(once) <= (9 * len(text) if length is None else length)
    once.encode()
    assert "\0" not in once
    assert line_feeds(line_feeds(text)) == line_feeds(text)


@fuzzed(300)
@given(st.one_of(messages, st.text()), st.one_of(st.none(), st.integers(1, 30)))
def test_a_visible_name_is_storable_and_tells_what_it_hides(text: str, length: int | None) -> None:
    name = visible(text, length)
    assert visible(name, length) == name == storable(name)
    assert "\n" not in name
    assert len(name) <= (10 * len(text) if length is None else length)
    assert bool(name) == bool(text)


@fuzzed(400)
@given(messages)
def test_redacted_text_stays_as_it_is_and_grows_within_bounds(text: str) -> None:
    with bounded():
        once = redact(text)
    assert redact(once) == once
    assert once == storable(once)
    assert len(once) <= GROWTH * len(text) + len(MASK)


@fuzzed(400)
@given(st.sampled_from(CARRIERS), messages, apart, messages)
def test_no_text_around_a_secret_lets_it_through(carrier: str, before: str, between: str, after: str) -> None:
    secret = carrier.format(SECRET)
    assert SECRET not in redact(secret + between + after) or '"' in after or "'" in after
    assert SECRET not in redact(f"{_harmless(before)}\n{secret}\n{_harmless(after)}")


def _harmless(text: str) -> str:
    """Without quotes and what begins a value: a secret within another's is the other's."""
    return "".join(letter for letter in text if letter not in "\"'\\")


@fuzzed(300)
@given(messages, st.integers(1, 3))
def test_lines_of_a_log_are_short_and_clean(text: str, times: int) -> None:
    with bounded():
        lines = clean_lines(text * times)
    assert lines
    assert len(lines) <= MOST_LINES + 1
    for line in lines:
        assert "\n" not in line
        assert line == storable(line)
        assert len(line.encode()) <= LINE_LIMIT + 100


@fuzzed(300)
@given(st.lists(messages.map(lambda text: " ".join(text.split())), max_size=6))
def test_lines_that_come_one_by_one_stay_as_many(texts: list[str]) -> None:
    log = LogLines()
    with bounded():
        assert all(len(log.clean(text)) == 1 for text in texts)


@fuzzed(200)
@given(edited([CONFIG, EVENT, {"password": "x", "a": [{"token": 1}]}]))
def test_a_value_that_has_passed_passes_again_unchanged(value: Any) -> None:
    kept = storable_value(value)
    json.dumps(kept, allow_nan=False)
    assert storable_value(kept) == kept
    clean = redact_value(kept)
    assert redact_value(clean) == clean


@fuzzed(40)
@given(st.sampled_from(MARKS + ODD_TEXTS), st.sampled_from(MARKS + ODD_TEXTS), st.sampled_from(("", "\n", " ", "\\")))
def test_a_text_that_repeats_itself_is_cleaned_within_bounds(one: str, two: str, end: str) -> None:
    unit = one + two + end or "x"
    text = unit * (150_000 // len(unit)) + "\n"
    with bounded():
        clean_lines(text)
        assert_shown(visible(text[:4096]), 40_960)
