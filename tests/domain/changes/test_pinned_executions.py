"""What Managed Instances and durable functions mean for moving an alias."""

from functions_app.domain.changes.pinned_executions import Executions, remarks
from functions_app.domain.fleet.functions import Features


def texts(features: Features, executions: dict[str, Executions]) -> list[str]:
    """What is said."""
    return [remark.text for remark in remarks(features, executions)]


def test_a_function_like_any_other_has_nothing_to_mind() -> None:
    assert remarks(Features(), {}) == ()
    assert remarks(Features(durable=True), {"7": Executions()}) == ()


def test_executions_under_way_stay_on_their_version_and_are_counted() -> None:
    (one,) = texts(Features(durable=True), {"7": Executions(1)})
    assert one.startswith("1 execution is under way on version 7. It stays there until it ends")
    (many,) = texts(Features(durable=True), {"7": Executions(100, more=True)})
    assert many.startswith("100 or more executions are under way on version 7. They stay there until they end")


def test_where_lambda_does_not_tell_them_nobody_knows() -> None:
    (text,) = texts(Features(durable=True), {"7": Executions(unread="Not allowed.")})
    assert text == "Whether executions are under way on version 7 is not known. Not allowed."


def test_the_capacity_provider_is_named_and_what_calls_without_alias_reach() -> None:
    (text,) = texts(Features(capacity_provider="arn:aws:lambda:eu-west-1:1:capacity-provider:fast"), {})
    assert "capacity-provider:fast" in text
    assert "$LATEST.PUBLISHED" in text
