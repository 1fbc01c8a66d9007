"""How long a session may live, and how a browser is called."""

from datetime import UTC, datetime, timedelta

import pytest

from functions_app.domain.sessions import Limits, browser_words

LIMITS = Limits(idle=timedelta(hours=12), longest=timedelta(days=7))
SINCE = datetime(2026, 11, 1, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seen", "ends"),
    [
        (SINCE, SINCE + timedelta(hours=12)),
        (SINCE + timedelta(days=3), SINCE + timedelta(days=3, hours=12)),
        (SINCE + timedelta(days=6, hours=20), SINCE + timedelta(days=7)),
    ],
)
def test_a_session_ends_when_nobody_uses_it_and_after_some_days_in_any_case(seen: datetime, ends: datetime) -> None:
    assert LIMITS.end(SINCE, seen) == ends


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0", "Firefox on Windows"),
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
            "Chrome on Linux",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36 Edg/142.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.6 Safari/605.1.15",
            "Safari on macOS",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1 CriOS/142.0 Mobile Safari/604",
            "Chrome on an iPhone",
        ),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/142.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (X11; CrOS x86_64) AppleWebKit/537.36 Chrome/142.0 Safari/537.36", "Chrome on ChromeOS"),
        ("curl/8.5.0", "curl"),
        ("python-httpx/0.28", "a program"),
        ("<script>\u202e", "a program"),
        ("Mozilla/5.0 (Windows NT 10.0)", "a browser on Windows"),
        ("", "not told"),
    ],
)
def test_a_browser_is_told_in_words(agent: str, words: str) -> None:
    assert browser_words(agent) == words
