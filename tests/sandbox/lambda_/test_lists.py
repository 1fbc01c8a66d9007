"""ListFunctions and ListVersionsByFunction: pages of 50, every version with its digest, states left out."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.sandbox.functions import Functions

Clock = Callable[..., Any]


def test_functions_come_in_pages_of_50(functions: Functions) -> None:
    functions.push()
    names = [f"fn-{number:03d}" for number in range(53)]
    for name in reversed(names):
        functions.create(name)
    first = functions.api.list_functions(MaxItems=100)
    assert [entry["FunctionName"] for entry in first["Functions"]] == names[:50]
    rest = functions.api.list_functions(Marker=first["NextMarker"])
    assert [entry["FunctionName"] for entry in rest["Functions"]] == names[50:]
    assert "NextMarker" not in rest


def test_a_smaller_page_can_be_asked_for(functions: Functions) -> None:
    functions.push()
    for name in ("a", "b", "c"):
        functions.create(name)
    pages = functions.api.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 2})
    assert [[entry["FunctionName"] for entry in page["Functions"]] for page in pages] == [["a", "b"], ["c"]]


def test_all_versions_of_all_functions_are_listed_once_over_pages(functions: Functions, clock: Clock) -> None:
    with clock(create=0, update=0):
        for name in ("first", "second"):
            functions.deploy(name=name)
            for number in range(30):
                functions.next_version(name, str(number))
    found = [
        (entry["FunctionName"], entry["Version"], entry["FunctionArn"].rsplit(":", 1)[1])
        for page in functions.api.get_paginator("list_functions").paginate(FunctionVersion="ALL")
        for entry in page["Functions"]
    ]
    numbers = ["$LATEST", *map(str, range(1, 31))]
    assert found == [(name, number, number) for name in ("first", "second") for number in numbers]


def test_the_list_of_versions_tells_each_ones_digest(functions: Functions) -> None:
    digests = [functions.deploy()]
    functions.publish()
    digests.append(functions.redeploy("def handler(e, c):\n    return 2\n", tag="2"))
    functions.publish()
    listed = functions.api.list_functions(FunctionVersion="ALL")["Functions"]
    assert {entry["Version"]: f"sha256:{entry['CodeSha256']}" for entry in listed} == {
        "$LATEST": digests[1],
        "1": digests[0],
        "2": digests[1],
    }


def test_lists_leave_states_out_and_hold_revision_ids(functions: Functions) -> None:
    functions.deploy()
    (entry,) = functions.api.list_functions()["Functions"]
    assert not {"State", "LastUpdateStatus"} & entry.keys()
    assert entry["RevisionId"] == functions.read()["RevisionId"]


def test_versions_of_a_function_come_in_pages_of_50(functions: Functions, clock: Clock) -> None:
    with clock(create=0, update=0):
        functions.deploy()
        for number in range(52):
            functions.next_version(description=str(number))
    first = functions.api.list_versions_by_function(FunctionName="app")
    rest = functions.api.list_versions_by_function(FunctionName="app", Marker=first["NextMarker"])
    assert len(first["Versions"]) == 50
    assert [entry["Version"] for entry in [*first["Versions"], *rest["Versions"]]] == [
        "$LATEST",
        *map(str, range(1, 53)),
    ]


def test_a_marker_that_was_never_given_is_refused(functions: Functions) -> None:
    with pytest.raises(functions.api.exceptions.InvalidParameterValueException, match="Marker"):
        functions.api.list_functions(Marker="nonsense")
