"""Lambda's answers with every member missing, null, empty, and of every word: none costs more than its own entry."""

from contextlib import suppress
from typing import Any

import pytest

from functions_app.aws import lambda_answers
from functions_app.aws.members import OddAnswer
from functions_app.domain.changes.checks import state_checks, version_check
from functions_app.domain.fleet.functions import FunctionDetail
from functions_app.domain.fleet.parts import DETAILED, LISTED, Part
from functions_app.domain.text import storable_value
from tests.aws.recorded import INVENTED, Odd, answer, oddities, structure

OTHER = structure(
    "lambda", "FunctionConfiguration", FunctionName="other", FunctionArn="arn:aws:lambda:x:1:function:other"
)
FIRST = structure("lambda", "FunctionConfiguration")
DETAIL = answer("lambda", "GetFunction")
ALIAS = structure("lambda", "AliasConfiguration")


def listings() -> list[Odd]:
    return list(oddities("lambda", "ListFunctions", {"Functions": [FIRST, OTHER]}))


def of_first(odd: Odd) -> bool:
    return len(odd.path) > 1 and odd.path[1] == 0


def test_a_whole_answer_is_read_whole() -> None:
    page = lambda_answers.function_page({"Functions": [FIRST, OTHER]})
    assert ([fact.name for fact in page.functions], page.odd) == (["app", "other"], ())
    fact = page.functions[0]
    assert (fact.env_keys, fact.command, fact.unread) == (("KEY",), ("text",), {})
    assert fact.features.capacity_provider == "text"
    assert (fact.features.durable, fact.features.gpu, fact.features.tenant_isolation) == (True, True, "PER_TENANT")


def test_one_odd_function_costs_itself_alone_and_is_told() -> None:
    for odd in listings():
        if not of_first(odd):
            continue
        page = lambda_answers.function_page(odd.answer)
        names = {fact.name for fact in page.functions} | {name for name, _ in page.versions}
        assert "other" in names, odd
        told = len(page.functions) + len(page.versions) + len(page.odd)
        assert told == 2 or (told == 1 and odd.what.endswith("PackageType is Zip")), odd
        assert storable_value(repr(page)) == repr(page), odd


def test_an_answer_without_its_list_is_not_an_empty_one() -> None:
    broken = [odd for odd in listings() if odd.path == ("Functions",) and "[]" not in odd.what]
    assert len(broken) == 2
    for odd in broken:
        with pytest.raises(OddAnswer):
            lambda_answers.function_page(odd.answer)


def test_a_value_of_the_environment_is_in_no_fact() -> None:
    entry = structure("lambda", "FunctionConfiguration", Variables={"TOKEN": "s3cr3t"})
    page = lambda_answers.function_page({"Functions": [entry]})
    assert page.functions[0].env_keys == ("TOKEN",)
    assert "s3cr3t" not in repr(page)


def read_detail(document: dict[str, Any]) -> FunctionDetail | None:
    """The function as GetFunction tells it; None where the answer can't be understood, which is told."""
    with suppress(OddAnswer):
        return lambda_answers.read_function(document)
    return None


def test_no_odd_member_makes_a_function_ready_that_is_not_active() -> None:
    read = 0
    for odd in oddities("lambda", "GetFunction", DETAIL):
        detail = read_detail(odd.answer)
        if detail is None:
            continue
        read += 1
        ready = all(check.ok for check in (*state_checks(detail), version_check(detail, "1")))
        touched = odd.path[-1] in ("State", "LastUpdateStatus")
        fine = odd.what.endswith(("State is Active", "LastUpdateStatus is Successful"))
        assert ready is (not touched or fine), odd
    assert read > 300


def test_what_holds_an_error_is_unknown_with_its_reason_and_not_empty() -> None:
    found = {}
    for odd in oddities("lambda", "GetFunction", DETAIL):
        if "is an error" in odd.what and (detail := read_detail(odd.answer)):
            found[odd.what] = {part: (problem.message, problem.next_step) for part, problem in detail.unread.items()}
    why = "Lambda may not decrypt it."
    assert {part for parts in found.values() for part in parts} == {*LISTED, *DETAILED}
    assert all(reason == why and step for parts in found.values() for reason, step in parts.values())


def test_an_error_that_says_nothing_is_an_error_all_the_same() -> None:
    for what, part in [("TagsError", Part.TAGS), ("Code.Error", Part.IMAGE_URI)]:
        (odd,) = [odd for odd in oddities("lambda", "GetFunction", DETAIL) if odd.what == f"{what} is empty"]
        detail = read_detail(odd.answer)
        assert detail
        assert detail.unread[part].message == "AWS gives no reason."


def test_versions_are_read_beside_an_odd_one() -> None:
    entries = {"Versions": [FIRST, structure("lambda", "FunctionConfiguration", Version="7")]}
    for odd in oddities("lambda", "ListVersionsByFunction", entries):
        if not of_first(odd):
            continue
        page = lambda_answers.version_page(odd.answer)
        assert "7" in [fact.number for fact in page.facts], odd
        assert len(page.facts) + len(page.odd) == 2, odd


@pytest.mark.parametrize(
    ("word", "read"), [("$LATEST", True), ("$LATEST.PUBLISHED", True), ("12", True), ("$LIVE", False)]
)
def test_a_version_is_a_number_or_one_of_the_names_that_are_known(word: str, read: bool) -> None:
    page = lambda_answers.version_page({"Versions": [structure("lambda", "FunctionConfiguration", Version=word)]})
    assert bool(page.facts) is read
    assert [odd.version for odd in page.odd] == ([] if read else [word])


def test_aliases_are_judged_together_or_not_at_all() -> None:
    for odd in oddities("lambda", "ListAliases", {"Aliases": [ALIAS, ALIAS | {"Name": "other"}]}):
        with suppress(OddAnswer):
            facts = lambda_answers.alias_page(odd.answer)
            assert len(facts) == 2 or odd.what == "Aliases is []", odd
            assert all(fact.version and 0 <= fact.second_weight <= 1 for fact in facts), odd


def test_a_package_type_that_nobody_knows_is_told_and_one_of_a_zip_file_is_not() -> None:
    strange, zipped = FIRST | {"PackageType": INVENTED}, FIRST | {"PackageType": "Zip"}
    page = lambda_answers.function_page({"Functions": [strange, zipped]})
    assert page.functions == ()
    (odd,) = page.odd
    assert (odd.function, INVENTED in odd.why) == ("app", True)
