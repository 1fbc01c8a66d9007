"""What a list says of an address that it does not understand."""

from functions_app.domain.filters import Written, not_understood

KNOWN = {"alias": None, "needs": ("broken", "moved"), "sort": None}


def test_a_name_that_is_no_filter_is_said_with_the_one_it_looks_like() -> None:
    assert not_understood([("alais", ["live"])], KNOWN) == ("“alais” is not a filter of this list; alias is one.",)
    assert not_understood([("colour", ["red"])], KNOWN) == ("“colour” is not a filter of this list.",)


def test_a_value_that_a_filter_does_not_know_is_said_with_those_it_knows() -> None:
    said = not_understood([("needs", ["sense", "broken", "sense", ""])], KNOWN)
    assert said == ("“sense” is not a value of needs, which knows broken, moved.",)


def test_of_many_values_the_one_that_was_meant_is_named() -> None:
    known = {"account": [f"team-{number}" for number in range(20)]}
    assert not_understood([("account", ["taem-7"])], known) == ("“taem-7” is not a value of account; team-7 is one.",)


def test_what_is_understood_is_not_talked_about() -> None:
    assert not_understood([("alias", ["anything"]), ("needs", ["moved"])], KNOWN) == ()


def test_neither_many_wrong_words_nor_a_long_one_make_an_endless_page() -> None:
    said = not_understood([(f"{number}" * 500, []) for number in range(9)], KNOWN)
    assert said[-1] == "4 more of its address is not understood."
    assert len(said) == 6
    assert max(map(len, said)) < 200


def test_how_a_value_is_written_is_said_where_not_all_can_be_named() -> None:
    known = {"since": Written(str.isdigit, "a number")}
    assert not_understood([("since", ["tomorrow"])], known) == (
        "“tomorrow” is not a value of since, which is written as a number.",
    )
    assert not_understood([("since", ["7"])], known) == ()
