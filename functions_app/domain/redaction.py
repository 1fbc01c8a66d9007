"""Secrets are taken out of every text before it is stored or shown; what is left stays readable."""

import logging
import re
from typing import Any

from functions_app.domain.text import DEPTH, line_feeds, storable, storable_value

MASK = "[redacted]"
LINE_LIMIT = 8 * 1024  # bytes of UTF-8 that one log line may hold
TEXT_LIMIT = 2_000_000  # characters of a text that are looked at at all
MOST_LINES = 2_000  # of one text
SCAN_LIMIT = 64 * 1024  # characters looked at: beyond that a line is cut before the patterns run

_NAMES = (
    r"passwords?|passwd|passphrase|pwd|secret|secret[_-]?access[_-]?key|secret[_-]?key|client[_-]?secret|"
    r"session[_-]?token|security[_-]?token|access[_-]?token|refresh[_-]?token|id[_-]?token|auth[_-]?token|"
    r"api[_-]?key|private[_-]?key|token|credentials?"
)
_RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.S), MASK),
    # An Authorization header, whatever its scheme; Signature Version 4 goes on to the end of the line.
    (re.compile(r"(?i)(authorization[\"']?\s*[:=]\s*[\"']?)AWS4-HMAC-SHA256[^\"'\n]*"), rf"\1{MASK}"),
    (re.compile(r"(?i)(authorization[\"']?\s*[:=]\s*[\"']?(?:[a-z]+\s+)?)[^\s\"',;]+"), rf"\1{MASK}"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9+/_.~=-]{12,}"), rf"\1 {MASK}"),
    (re.compile(r"(?i)\b(cookie[\"']?\s*[:=]\s*[\"']?)[^\"'\n]+"), rf"\1{MASK}"),
    # Presigned URLs (Signature Version 4 query parameters, the older Signature=, Azure's and Google's alike).
    (re.compile(r"(?i)((?:\bx-amz-(?:signature|credential|security-token)|\bx-goog-signature|[?&;](?:signature|sig))=)[^&\s\"']+"),
     rf"\1{MASK}"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{6,4096}\.[A-Za-z0-9_-]{6,}(?:\.[A-Za-z0-9_-]*)?"), MASK),  # JSON Web Token
    (re.compile(r"\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|npm_|pypi-)[A-Za-z0-9_-]{16,}"), MASK),
    (re.compile(r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}\b"), MASK),  # AWS access key ids
    (re.compile(r"\b(?:FwoG|FQoG|IQoJ)[A-Za-z0-9/+=]{60,}"), MASK),  # AWS session tokens
    # Userinfo of a URL. The scheme is bounded: a function that prints 64 KB of one letter must not stop the log.
    (re.compile(r"([a-z][a-z0-9+.-]{0,20}://[^\s/:@]*:)[^\s/@]+@", re.I), rf"\1{MASK}@"),
    (re.compile(rf"(?i)((?:{_NAMES})[\"']?\s*[:=]\s*)(\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|[^\s,;&\"'}}]+)"),
     rf"\1{MASK}"),
    # A bare AWS secret key: 40 characters of base64 that are no hexadecimal digest.
    (re.compile(r"(?<![\w/+.-])(?=\S{0,39}[A-Z])(?=\S{0,39}[a-z])(?=\S{0,39}[0-9])[A-Za-z0-9/+]{40}(?![\w/+=:-]|\.\w)"),
     MASK),
)  # fmt: skip


def redact(text: str) -> str:
    """Mask credentials, tokens, signatures and passwords in the text, made storable: nothing hides them from us."""
    text = storable(text)
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


class RedactingFormatter(logging.Formatter):
    """Formats the server's own log: an exception's text may hold what its caller was given."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, with its traceback where there is one."""
        return redact(super().format(record))


def redact_value(value: Any, depth: int = DEPTH) -> Any:
    """The same for a JSON value: strings are redacted, and members whose name says that they are secret."""
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, list | tuple | dict) and not depth:
        return "…"
    if isinstance(value, list | tuple):
        return [redact_value(item, depth - 1) for item in value]
    if isinstance(value, dict):
        named = [(storable_value(key), item) for key, item in value.items()]  # as it is shown, so it is looked at
        return {
            name: MASK if _SECRET_NAME.fullmatch(str(name)) and item else redact_value(item, depth - 1)
            for name, item in named
        }
    return value


_SECRET_NAME = re.compile(rf"(?i)(?:\w*[_-])?(?:{_NAMES})")


def clean_lines(text: str) -> list[str]:
    """A text as log lines: redacted as a whole, split into lines of at most LINE_LIMIT bytes; so many of them."""
    whole, text = len(text), line_feeds(text[:TEXT_LIMIT])
    if whole > SCAN_LIMIT and "\n" not in text:
        return [_shortened(redact(text[:SCAN_LIMIT]), whole)]
    lines = redact(text).rstrip("\n").split("\n")
    kept = [_shortened(line, len(line)) for line in lines[:MOST_LINES]]
    if len(lines) > MOST_LINES or whole > TEXT_LIMIT:
        kept.append(f"… [cut: the text had {whole:,} characters]")
    return kept


def _shortened(line: str, whole: int) -> str:
    """At most LINE_LIMIT bytes of UTF-8 of a line, saying how long it was (`whole`, in characters)."""
    data = line.encode()
    if len(data) <= LINE_LIMIT and whole <= SCAN_LIMIT:
        return line
    return f"{data[:LINE_LIMIT].decode('utf-8', 'ignore')} … [cut: the line had {whole:,} characters]"
