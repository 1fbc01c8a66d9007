"""The note on every page while a process's clock is off: who, how far, what it breaks and what to do."""

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client

from functions_app.services.engine import clocks
from functions_app.services.engine.clocks import Clocks, Skew
from tests.conftest import Valkey

NOTE = "Clocks that are off"
SAFE = "agree with each other"


@pytest.fixture
def known() -> Iterator[Callable[..., object]]:
    """Hand in what the look in the background found last."""
    yield lambda *skews: clocks.remember(Clocks(skews))
    clocks.remember(Clocks())


@pytest.fixture
def page(client: Client, viewer: User) -> Callable[[str], str]:
    """What somebody who is signed in sees."""
    client.force_login(viewer)
    return lambda path: client.get(path).content.decode()


@pytest.mark.parametrize("path", ["/", "/runs/"])
def test_it_names_process_host_distance_harm_and_mend(
    page: Callable[[str], str], known: Callable[..., object], path: str
) -> None:
    known(Skew("worker changes", "db7", 3.1), Skew("worker reading", "db7", 3.0), Skew("web", "one", 0.1))

    text = page(path)

    assert "<b>The clock of db7 is 3.1 s ahead of Redis&#x27;s</b> (worker changes, worker reading)." in text
    assert "The clock of one" not in text
    assert "Runs may start late." in text
    assert "NTP" in text
    assert SAFE not in text


@pytest.mark.parametrize("skews", [(61.0,), (-61.0,), (31.0, -31.0)])
def test_messages_expire_where_clocks_are_as_far_apart_as_messages_live(
    page: Callable[[str], str], known: Callable[..., object], skews: tuple[float, ...]
) -> None:
    known(Skew("web", "one", 0.0), *(Skew("worker changes", f"db{seconds}", seconds) for seconds in skews))

    assert "Runs may start late, and messages expire unread." in page("/runs/")


def test_it_says_where_nothing_breaks(page: Callable[[str], str], known: Callable[..., object]) -> None:
    known(Skew("worker changes", "db7", -9.1), Skew("web", "one", -9.0))

    assert SAFE in page("/runs/")


def test_right_clocks_are_not_talked_of(page: Callable[[str], str], known: Callable[..., object]) -> None:
    known(Skew("worker changes", "db7", 1.9))
    assert NOTE not in page("/runs/")

    known()
    assert NOTE not in page("/runs/")


def test_it_waits_for_nobody(page: Callable[[str], str], known: Callable[..., object], valkey: Valkey) -> None:
    known(Skew("worker changes", "db7", 9.0))
    valkey.stop()
    try:
        assert NOTE in page("/runs/")
    finally:
        valkey.start()


def test_who_is_not_signed_in_learns_no_host(client: Client, known: Callable[..., object], db: None) -> None:
    known(Skew("worker changes", "database-host", 9.0))

    assert "database-host" not in client.get("/login/").content.decode()


def test_many_hosts_make_no_long_note(page: Callable[[str], str], known: Callable[..., object]) -> None:
    known(*(Skew("beat", f"host-{number}", number + 3.0) for number in range(9)))

    text = page("/runs/")

    assert text.count("The clock of host-") == 5
    assert "Clocks of more hosts are off: 4." in text


def test_a_hostile_name_is_text(page: Callable[[str], str], known: Callable[..., object]) -> None:
    known(Skew("<img src=x>", "<script>", 9.0))

    text = page("/runs/")

    assert "<script> is" not in text
    assert "<img src=x>" not in text
    assert "&lt;script&gt;" in text
