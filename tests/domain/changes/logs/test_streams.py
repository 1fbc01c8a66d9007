"""Streams are ours by what Lambda writes into their names."""

import pytest

from functions_app.domain.changes.logs.streams import may_be_written_by

OWN, SHARED, ID = "/aws/lambda/orders", "/shared", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"


@pytest.mark.parametrize(
    ("stream", "group", "ours"),
    [
        (f"2026/05/04/[3]{ID}", OWN, True),
        (f"2026/05/04/[2]{ID}", OWN, False),
        (f"2026/05/04/[$LATEST]{ID}", OWN, False),
        (f"2026/05/04/refunds[3]{ID}", OWN, False),  # another function that was given our group
        (f"2026/05/04/orders[3]{ID}", SHARED, True),
        (f"2026/05/04/orders[2]{ID}", SHARED, False),
        (f"2026/05/04/refunds[3]{ID}", SHARED, False),
        (f"2026/05/04/orders-eu[3]{ID}", SHARED, False),
        (f"2026/05/04/my-orders[3]{ID}", SHARED, False),
        (f"2026/05/04/[3]{ID}", "/aws/lambda/refunds", False),  # the group's own function, where ours writes too
        (f"2026/05/04/orders[3]{ID}", "/aws/lambda/refunds", True),
        ("i-0123456789abcdef0", SHARED, True),  # what no rule of Lambda's names
        ("orders", SHARED, True),
    ],
)
def test_a_stream_is_ours_by_its_function_and_its_version(stream: str, group: str, ours: bool) -> None:
    assert may_be_written_by(stream, group, "orders", {"3"}) is ours


def test_where_no_version_is_known_any_may_be_ours() -> None:
    assert may_be_written_by(f"2026/05/04/[$LATEST]{ID}", OWN, "orders", ())
