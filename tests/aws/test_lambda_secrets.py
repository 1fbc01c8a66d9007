"""What people write into descriptions and tags is cleaned of secrets where it enters."""

from functions_app.aws.lambda_answers import alias_fact, function_fact, read_function, version_fact
from functions_app.domain.secret_shapes import MASK
from tests.aws.recorded import structure

SECRET = "hunter2"
SAID = f"calls postgres://app:{SECRET}@db/orders"
SHOWN = f"calls postgres://app:{MASK}@db/orders"


def test_a_description_of_a_function_or_a_version_is_redacted() -> None:
    entry = structure("lambda", "FunctionConfiguration", Description=SAID)
    assert (function_fact(entry).description, version_fact(entry).description) == (SHOWN, SHOWN)


def test_a_description_of_an_alias_is_redacted() -> None:
    assert alias_fact(structure("lambda", "AliasConfiguration", Description=SAID)).description == SHOWN


def test_tags_are_redacted_by_their_names_and_in_their_values() -> None:
    tags = {"db_password": SECRET, "dsn": SAID, "owner": "team-a"}
    detail = read_function(structure("lambda", "GetFunctionResponse", Tags=tags))
    assert detail.tags == {"db_password": MASK, "dsn": SHOWN, "owner": "team-a"}
