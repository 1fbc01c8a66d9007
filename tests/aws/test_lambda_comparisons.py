"""How two versions' configurations differ, by what AWS answers; values of variables go nowhere."""

from dataclasses import asdict
from typing import Any

import botocore.session
import pytest
from botocore.model import StructureShape

from functions_app.aws import lambda_comparisons
from functions_app.aws.lambda_comparisons import COMPARED, NOT_CONFIGURATION, compare

SECRET = "hunter2-7f3a"
BEFORE: dict[str, Any] = {
    "FunctionName": "app",
    "Version": "3",
    "MemorySize": 640,
    "Timeout": 5,
    "Role": "arn:aws:iam::1:role/app",
    "Environment": {"Variables": {"K": SECRET, "GONE": "1", "SAME": "x"}},
    "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/app"},
    "VpcConfig": {"SubnetIds": ["subnet-b", "subnet-a"], "SecurityGroupIds": ["sg-1"], "VpcId": "vpc-1"},
    "ImageConfigResponse": {"ImageConfig": {"Command": ["app.handler"]}},
}


def members() -> set[str]:
    """What GetFunction's Configuration can hold, by botocore."""
    shape = botocore.session.get_session().get_service_model("lambda").shape_for("FunctionConfiguration")
    assert isinstance(shape, StructureShape)
    return set(shape.members)


def rows(**changed: Any) -> list[tuple[str, str, str]]:
    """The differences where these members are others."""
    found = compare("3", BEFORE, {**BEFORE, "Version": "$LATEST", **changed}).differences
    return [(row.name, row.before, row.after) for row in found]


@pytest.mark.parametrize(
    ("changed", "row"),
    [
        ({"MemorySize": 3008}, ("Memory", "640 MB", "3,008 MB")),
        ({"Timeout": 30}, ("Timeout", "5 s", "30 s")),
        ({"EphemeralStorage": {"Size": 1024}}, ("/tmp", "512 MB", "1,024 MB")),
        ({"Role": "arn:aws:iam::1:role/b"}, ("Role", "arn:aws:iam::1:role/app", "arn:aws:iam::1:role/b")),
        (
            {"ImageConfigResponse": {"ImageConfig": {"Command": ["other.handler"]}}},
            ("Command", '["app.handler"]', '["other.handler"]'),
        ),
        ({"ImageConfigResponse": None}, ("Command", '["app.handler"]', "the image's own")),
        (
            {"ImageConfigResponse": {"ImageConfig": {"Command": ["app.handler"], "EntryPoint": ["/run"]}}},
            ("EntryPoint", "the image's own", '["/run"]'),
        ),
        (
            {"ImageConfigResponse": {"ImageConfig": {"Command": ["app.handler"], "WorkingDirectory": "/srv"}}},
            ("WorkingDirectory", "the image's own", "/srv"),
        ),
        ({"Architectures": ["arm64"]}, ("Architecture", "x86_64", "arm64")),
        ({"VpcConfig": {"SubnetIds": []}}, ("VPC", "subnet-a, subnet-b, sg-1", "none")),
        ({"DeadLetterConfig": {"TargetArn": "arn:aws:sqs:q"}}, ("Dead-letter queue", "none", "arn:aws:sqs:q")),
        ({"TracingConfig": {"Mode": "Active"}}, ("Tracing", "PassThrough", "Active")),
        (
            {"LoggingConfig": {"LogFormat": "Text", "LogGroup": "/shared"}},
            ("Log group", "/aws/lambda/app", "/shared"),
        ),
        ({"LoggingConfig": {"LogFormat": "JSON"}}, ("Log format", "Text", "JSON")),
        (
            {"LoggingConfig": {"LogFormat": "Text", "SystemLogLevel": "WARN"}},
            ("Log levels", "not set", "system WARN"),
        ),
        ({"KMSKeyArn": "arn:aws:kms:k"}, ("KMS key", "AWS's own", "arn:aws:kms:k")),
        (
            {"FileSystemConfigs": [{"Arn": "a", "LocalMountPath": "/mnt/a"}]},
            ("File systems", "none", '[{"Arn": "a", "LocalMountPath": "/mnt/a"}]'),
        ),
        ({"TenancyConfig": {"TenantIsolationMode": "PER_TENANT"}}, ("Tenant isolation", "off", "PER_TENANT")),
        ({"DurableConfig": {"ExecutionTimeout": 9}}, ("Durable execution", "off", '{"ExecutionTimeout": 9}')),
        ({"AcceleratorConfig": {"AcceleratorMemorySize": 9}}, ("Accelerator", "none", '{"AcceleratorMemorySize": 9}')),
    ],
)
def test_each_part_of_the_configuration_is_compared(changed: dict[str, Any], row: tuple[str, str, str]) -> None:
    assert rows(**changed) == [row]


def test_variables_are_told_by_name_and_their_values_by_nothing() -> None:
    environment = {"Variables": {"K": "new-" + SECRET, "NEW": SECRET, "SAME": "x"}}
    found = compare("3", BEFORE, {**BEFORE, "Environment": environment})
    assert [(row.name, row.before, row.after) for row in found.differences] == [
        ("Variable NEW", "not set", "set"),
        ("Variable GONE", "set", "not set"),
        ("Variable K", "set", "changed"),
    ]
    assert SECRET not in str(asdict(found))


def test_what_is_not_configuration_makes_no_difference() -> None:
    others = {"Description": "x", "RevisionId": "r", "State": "Failed", "LastModified": "now", "CodeSha256": "c"}
    assert rows(**others, VpcConfig={**BEFORE["VpcConfig"], "SubnetIds": ["subnet-a", "subnet-b"]}) == []


def test_a_part_that_aws_has_added_since_is_compared_by_its_name() -> None:
    assert rows(QuantumConfig={"Qubits": 3}) == [("QuantumConfig", "not set", '{"Qubits": 3}')]


@pytest.mark.parametrize(
    ("member", "what"),
    [
        ({"Environment": {"Error": {"ErrorCode": "AccessDenied", "Message": "KMS says no"}}}, "environment"),
        ({"ImageConfigResponse": {"Error": {"ErrorCode": "X", "Message": "KMS says no"}}}, "image settings"),
    ],
)
def test_an_answer_with_an_error_inside_is_not_known_and_not_empty(member: dict[str, Any], what: str) -> None:
    found = compare("3", BEFORE, {**BEFORE, "Version": "$LATEST", **member})
    assert found.differences == ()
    assert not found.known
    assert f"could not tell the {what} of $LATEST" in found.unread[0]
    assert "KMS says no" in found.unread[0]


def test_a_secret_in_the_command_is_redacted_and_that_it_changed_is_told_all_the_same() -> None:
    def command(word: str) -> dict[str, Any]:
        return {"ImageConfig": {"Command": ["run", f"AWS_SECRET_ACCESS_KEY={word}"]}}

    one, other = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY12", "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY34"
    found = compare("3", {"ImageConfigResponse": command(one)}, {"ImageConfigResponse": command(other)})
    (row,) = found.differences
    assert one not in row.before
    assert other not in row.after
    assert row.after.endswith("(changed in what is not shown)")


@pytest.mark.parametrize(("one", "other", "same"), [("h", "h", True), ("h", "i", False), ("", "h", None)])
def test_the_hash_of_the_configuration_is_a_hint_where_both_have_one(one: str, other: str, *, same: bool) -> None:
    assert compare("3", {"ConfigSha256": one}, {"ConfigSha256": other}).same_hash is same


def test_every_member_that_botocore_knows_is_compared_or_known_not_to_be_configuration() -> None:
    assert members() - COMPARED - NOT_CONFIGURATION == {"RuntimeConfig"}, "say in lambda_comparisons what they are"


def test_nothing_missing_null_or_of_another_kind_ends_a_comparison() -> None:
    for member in members():
        assert compare("1", {}, {member: None}).differences == ()
        lambda_comparisons.compare("1", BEFORE, {**BEFORE, member: None})
