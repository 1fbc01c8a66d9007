"""UpdateFunctionCode and UpdateFunctionConfiguration: guards, the wait, and what must not change."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.functions import Functions, python_image

OTHER = "def handler(event, context):\n    return 'other'\n"
SETTINGS = (
    "import os\ndef handler(event, context):\n    return [os.environ.get('STAGE'), os.path.basename(os.getcwd())]\n"
)


def test_an_update_is_in_progress_while_the_function_stays_active(functions: Functions) -> None:
    functions.deploy()
    functions.push(OTHER, "app:2")
    updated = functions.api.update_function_code(FunctionName="app", ImageUri=functions.uri("app:2"))
    assert (updated["State"], updated["LastUpdateStatus"]) == ("Active", "InProgress")
    assert functions.settled()["LastUpdateStatus"] == "Successful"


def test_a_second_update_meets_the_first_one(functions: Functions, clock: Callable[..., Any]) -> None:
    functions.deploy()
    with clock(update=30):
        functions.api.update_function_code(FunctionName="app", ImageUri=functions.uri())
        refused = functions.api.exceptions.ResourceConflictException
        with pytest.raises(refused, match="An update is in progress for resource: arn:aws"):
            functions.api.update_function_code(FunctionName="app", ImageUri=functions.uri())
        with pytest.raises(refused, match="An update is in progress"):
            functions.api.update_function_configuration(FunctionName="app", Timeout=9)
        with pytest.raises(refused, match="An update is in progress"):
            functions.publish()


def test_moving_the_tag_in_ecr_changes_no_function(functions: Functions) -> None:
    digest = functions.deploy()
    functions.push(OTHER, "app:1")
    configuration = functions.settled()
    assert f"sha256:{configuration['CodeSha256']}" == digest
    functions.configure(Timeout=9)
    assert functions.invoke(event="same").payload == "same"


def test_a_dry_run_changes_nothing(functions: Functions) -> None:
    functions.deploy()
    other = functions.push(OTHER, "app:2")
    before = functions.read()
    planned = functions.api.update_function_code(FunctionName="app", ImageUri=functions.uri("app:2"), DryRun=True)
    assert f"sha256:{planned['CodeSha256']}" == other
    after = functions.read()
    del before["ResponseMetadata"], after["ResponseMetadata"]
    assert after == before


def test_a_dry_run_refuses_what_the_update_would_refuse(functions: Functions) -> None:
    functions.deploy()
    with pytest.raises(functions.api.exceptions.InvalidParameterValueException, match="does not exist"):
        functions.api.update_function_code(FunctionName="app", ImageUri=functions.uri("app:missing"), DryRun=True)


def test_the_revision_id_changes_with_every_change_and_when_it_has_settled(functions: Functions) -> None:
    functions.deploy()
    seen = [functions.read()["RevisionId"]]
    seen.append(functions.api.update_function_code(FunctionName="app", ImageUri=functions.uri())["RevisionId"])
    seen.append(functions.settled()["RevisionId"])
    seen.append(functions.api.update_function_configuration(FunctionName="app", Timeout=8)["RevisionId"])
    seen.append(functions.settled()["RevisionId"])
    assert len(set(seen)) == len(seen)
    assert functions.read()["RevisionId"] == seen[-1]


@pytest.mark.parametrize(
    ("operation", "change"),
    [("update_function_code", {"ImageUri": "IMAGE"}), ("update_function_configuration", {"Timeout": 3})],
)
def test_a_change_planned_on_an_old_revision_is_refused(
    functions: Functions, operation: str, change: dict[str, object]
) -> None:
    functions.deploy()
    old = functions.read()["RevisionId"]
    functions.configure(Timeout=9)
    change = {name: functions.uri() if value == "IMAGE" else value for name, value in change.items()}
    update = getattr(functions.api, operation)
    with pytest.raises(functions.api.exceptions.PreconditionFailedException, match="Revision Id") as refused:
        update(FunctionName="app", RevisionId=old, **change)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412


def test_a_change_planned_on_this_revision_goes_through(functions: Functions) -> None:
    functions.deploy()
    current = functions.read()["RevisionId"]
    functions.configure(Timeout=9, RevisionId=current)
    assert functions.read()["Timeout"] == 9


def test_an_update_to_a_missing_image_leaves_the_function_alone(functions: Functions) -> None:
    functions.deploy()
    before = functions.read()["RevisionId"]
    with pytest.raises(functions.api.exceptions.InvalidParameterValueException):
        functions.api.update_function_code(FunctionName="app", ImageUri=functions.uri("app:missing"))
    assert functions.read()["RevisionId"] == before


def test_new_code_is_what_runs_next(functions: Functions) -> None:
    functions.deploy()
    assert functions.invoke(event=1).payload == 1
    functions.redeploy(OTHER, tag="2")
    assert functions.invoke(event=1).payload == "other"


def test_environment_and_image_config_updates_apply(functions: Functions) -> None:
    image = python_image(SETTINGS, name="settings")
    functions.deploy(image)
    assert functions.invoke().payload == [None, "task"]
    functions.configure(Environment={"Variables": {"STAGE": "blue"}}, ImageConfig={"WorkingDirectory": "/var"})
    assert functions.read()["ImageConfigResponse"] == {"ImageConfig": {"WorkingDirectory": "/var"}}
    assert functions.invoke().error == "Unhandled", "the handler is not in /var"
    functions.configure(ImageConfig={})
    assert "ImageConfigResponse" not in functions.read()
    assert functions.invoke().payload == ["blue", "task"]


def test_the_image_config_names_another_handler(functions: Functions) -> None:
    functions.deploy("def handler(e, c):\n    return 'first'\ndef second(e, c):\n    return 'second'\n")
    functions.configure(ImageConfig={"Command": ["app.second"]})
    assert functions.invoke().payload == "second"


@pytest.mark.parametrize(
    "settings",
    [{"Timeout": 901}, {"MemorySize": 10_241}, {"EphemeralStorage": {"Size": 10_241}}, {"Layers": ["arn:x"]}],
)
def test_settings_beyond_lambdas_limits_are_refused(functions: Functions, settings: dict[str, object]) -> None:
    functions.deploy()
    with pytest.raises(ClientError, match="InvalidParameterValueException"):
        functions.api.update_function_configuration(FunctionName="app", **settings)


def test_more_than_4_kb_of_environment_is_refused(functions: Functions) -> None:
    functions.deploy()
    with pytest.raises(functions.api.exceptions.InvalidParameterValueException, match="4KB limit"):
        functions.api.update_function_configuration(FunctionName="app", Environment={"Variables": {"A": "x" * 4096}})


def test_tags_are_set_and_taken_by_arn(functions: Functions) -> None:
    functions.deploy(Tags={"team": "orders", "stage": "test"})
    arn = functions.read()["FunctionArn"]
    functions.api.tag_resource(Resource=arn, Tags={"owner": "ann"})
    functions.api.untag_resource(Resource=arn, TagKeys=["stage"])
    assert functions.api.list_tags(Resource=arn)["Tags"] == {"team": "orders", "owner": "ann"}


SETTINGS_THAT_CLEAR: dict[str, tuple[Any, Any, Any]] = {
    "VpcConfig": (
        {"SubnetIds": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
        {"SubnetIds": [], "SecurityGroupIds": []},
        {"SubnetIds": [], "SecurityGroupIds": [], "VpcId": "", "Ipv6AllowedForDualStack": False},
    ),
    "DeadLetterConfig": ({"TargetArn": "arn:aws:sqs:eu-west-1:1:dead"}, {"TargetArn": ""}, None),
    "Environment": ({"Variables": {"A": "1"}}, {"Variables": {}}, None),
    "KMSKeyArn": ("arn:aws:kms:eu-west-1:1:key/1", "", None),
}


@pytest.mark.parametrize("name", sorted(SETTINGS_THAT_CLEAR))
def test_an_empty_value_clears_what_leaving_it_out_keeps(functions: Functions, name: str) -> None:
    given, empty, cleared = SETTINGS_THAT_CLEAR[name]
    functions.deploy(**{name: given})
    kept = functions.read()[name]
    functions.configure(Timeout=9)
    assert functions.read()[name] == kept
    functions.configure(**{name: empty})
    assert functions.read().get(name) == cleared


def test_the_image_config_is_taken_as_a_whole(functions: Functions) -> None:
    functions.deploy(ImageConfig={"Command": ["a.b"], "WorkingDirectory": "/srv"})
    functions.configure(ImageConfig={"Command": ["c.d"], "EntryPoint": []})
    assert functions.read()["ImageConfigResponse"] == {"ImageConfig": {"Command": ["c.d"]}}
    functions.configure(ImageConfig={})
    assert "ImageConfigResponse" not in functions.read()


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"VpcConfig": {"SubnetIds": ["subnet-1"]}}, "must coexist"),
        ({"LoggingConfig": {"LogFormat": "Text", "SystemLogLevel": "WARN"}}, "JSON alone"),
        ({"FileSystemConfigs": [{"Arn": "arn:aws:elasticfilesystem:1", "LocalMountPath": "/mnt/a"}]}, "in a VPC"),
        ({"SnapStart": {"ApplyOn": "PublishedVersions"}}, "not supported"),
    ],
)
def test_what_does_not_go_together_is_refused_and_changes_nothing(
    functions: Functions, settings: dict[str, Any], why: str
) -> None:
    functions.deploy()
    before = functions.read()["RevisionId"]
    with pytest.raises(functions.api.exceptions.InvalidParameterValueException, match=why):
        functions.api.update_function_configuration(FunctionName="app", **settings)
    assert functions.read()["RevisionId"] == before
