"""What calls a function, each with its qualifier: an operation a test, answered as botocore's model has it."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.functions import Functions

QUEUE = "arn:aws:sqs:eu-west-1:111111111111:orders"


@pytest.fixture
def api(functions: Functions) -> Any:
    """Lambda, with the function app and its alias live on version 1."""
    functions.deploy()
    functions.publish()
    functions.api.create_alias(FunctionName="app", Name="live", FunctionVersion="1")
    return functions.api


def permit(api: Any, sid: str, **more: Any) -> None:
    """Let SNS call it."""
    wanted = {"Action": "lambda:InvokeFunction", "Principal": "sns.amazonaws.com", **more}
    api.add_permission(FunctionName="app", StatementId=sid, **wanted)


def statements(api: Any, **more: str) -> list[dict[str, Any]]:
    """The policy of a qualifier."""
    found: list[dict[str, Any]] = json.loads(api.get_policy(FunctionName="app", **more)["Policy"])["Statement"]
    return found


def refused(call: Any, **given: Any) -> str:
    """The code of the error."""
    with pytest.raises(ClientError) as error:
        call(**given)
    return str(error.value.response["Error"]["Code"])


def test_each_qualifier_has_a_policy_of_its_own(api: Any) -> None:
    permit(api, "unqualified")
    permit(api, "of-live", Qualifier="live", SourceArn=QUEUE)
    assert [each["Sid"] for each in statements(api)] == ["unqualified"]
    (of_live,) = statements(api, Qualifier="live")
    assert of_live["Resource"].endswith(":function:app:live")
    assert of_live["Principal"] == {"Service": "sns.amazonaws.com"}
    assert of_live["Condition"] == {"ArnLike": {"AWS:SourceArn": QUEUE}}


def test_where_nothing_is_permitted_there_is_no_policy(api: Any) -> None:
    assert refused(api.get_policy, FunctionName="app") == "ResourceNotFoundException"
    permit(api, "once")
    api.remove_permission(FunctionName="app", StatementId="once")
    assert refused(api.get_policy, FunctionName="app") == "ResourceNotFoundException"
    assert refused(api.get_policy, FunctionName="app", Qualifier="nowhere") == "ResourceNotFoundException"


def test_a_statement_is_added_once(api: Any) -> None:
    permit(api, "once")
    assert refused(permit, api=api, sid="once") == "ResourceConflictException"


def test_addresses_of_a_function_and_of_its_aliases_are_listed_together(api: Any) -> None:
    api.create_function_url_config(FunctionName="app", AuthType="NONE")
    api.create_function_url_config(FunctionName="app", Qualifier="live", AuthType="AWS_IAM")
    found = api.list_function_url_configs(FunctionName="app")["FunctionUrlConfigs"]
    assert [(each["FunctionArn"].rpartition(":")[2], each["AuthType"]) for each in found] == [
        ("app", "NONE"),
        ("live", "AWS_IAM"),
    ]
    wanted = {"FunctionName": "app", "Qualifier": "1", "AuthType": "NONE"}
    assert refused(api.create_function_url_config, **wanted) == "InvalidParameterValueException"


def test_what_becomes_of_asynchronous_calls_is_listed_by_qualifier(api: Any) -> None:
    failed = {"OnFailure": {"Destination": QUEUE}}
    api.put_function_event_invoke_config(FunctionName="app", Qualifier="live", DestinationConfig=failed)
    api.put_function_event_invoke_config(FunctionName="app", MaximumRetryAttempts=0)
    of_latest, of_live = api.list_function_event_invoke_configs(FunctionName="app")["FunctionEventInvokeConfigs"]
    assert (of_latest["FunctionArn"].endswith(":app:$LATEST"), of_latest["MaximumRetryAttempts"]) == (True, 0)
    assert of_live["DestinationConfig"] == failed


def test_mappings_are_listed_by_exactly_the_qualifier_that_is_asked_for(api: Any) -> None:
    for name in ("app", "app:live"):
        api.create_event_source_mapping(FunctionName=name, EventSourceArn=QUEUE)
    (plain,) = api.list_event_source_mappings(FunctionName="app")["EventSourceMappings"]
    (live,) = api.list_event_source_mappings(FunctionName="app:live")["EventSourceMappings"]
    assert (plain["FunctionArn"][-4:], live["FunctionArn"][-9:]) == (":app", ":app:live")
    assert len(api.list_event_source_mappings()["EventSourceMappings"]) == 2
    assert len(api.list_event_source_mappings(MaxItems=1)["EventSourceMappings"]) == 1
