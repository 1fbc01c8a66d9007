"""Why a host gave no answer: a word for each error of the operating system and of TLS, however deep it lies."""

import errno
import socket
import ssl

import pytest

from functions_app.domain.network_errors import cause_of

NO_NAME = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
ROWS = [
    (NO_NAME, "The name r.example can't be resolved"),
    (socket.gaierror(socket.EAI_AGAIN, "again"), "The name r.example can't be resolved at the moment"),
    (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), "r.example refuses the connection"),
    (OSError(errno.ENETUNREACH, "unreachable"), "There is no route to r.example"),
    (OSError(errno.EHOSTUNREACH, "no route"), "There is no route to r.example"),
    (ssl.SSLError(1, "wrong version"), "No TLS connection to r.example comes about (no reason given)"),
]


@pytest.mark.parametrize(("error", "words"), ROWS)
def test_each_error_has_its_words(error: OSError, words: str) -> None:
    cause = cause_of("r.example", error)
    assert cause is not None
    assert cause.words == words
    assert cause.next_step


def test_a_certificate_that_is_not_trusted_says_why() -> None:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "self-signed certificate"
    cause = cause_of("r.example", error)
    assert cause is not None
    assert cause.words == "The certificate of r.example is not trusted: self-signed certificate"


def test_the_error_is_found_beneath_what_libraries_wrap_it_in() -> None:
    wrapped = RuntimeError("[Errno -2] Name or service not known")
    wrapped.__cause__ = ValueError("wrapped")
    wrapped.__cause__.__context__ = NO_NAME
    cause = cause_of("r.example", wrapped)
    assert cause is not None
    assert "can't be resolved" in cause.words


def test_an_error_that_was_raised_from_itself_ends() -> None:
    error = RuntimeError("odd")
    error.__context__ = ValueError("odd")
    error.__context__.__context__ = error
    assert cause_of("r.example", error) is None


def test_what_is_not_known_claims_nothing() -> None:
    assert cause_of("r.example", OSError(errno.EIO, "input/output error")) is None
