"""What tests of the API share."""

import pytest

from functions_app.domain import limits


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A token may ask as often as it likes: who asks every endpoint in turn would be told to wait, and see nothing."""
    monkeypatch.setattr(limits, "TOKEN_BURST", 10**6)
