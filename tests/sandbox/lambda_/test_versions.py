"""Published versions: unchanging, numbered once and for all, guarded."""

import pytest

from tests.sandbox.functions import REGION, Functions

OTHER = "def handler(event, context):\n    return 'other'\n"


def test_publishing_gives_numbered_versions_with_qualified_arns(functions: Functions) -> None:
    functions.deploy()
    published = functions.api.publish_version(FunctionName="app", Description="first")
    assert published["Version"] == "1"
    assert published["FunctionArn"] == f"arn:aws:lambda:{REGION}:{functions.account}:function:app:1"
    assert published["Description"] == "first"
    assert functions.next_version() == "2"


def test_publishing_unchanged_code_gives_the_same_version(functions: Functions) -> None:
    functions.deploy()
    assert [functions.publish(), functions.publish()] == ["1", "1"]


def test_a_wrong_code_sha256_is_refused(functions: Functions) -> None:
    functions.deploy()
    with pytest.raises(functions.api.exceptions.InvalidParameterValueException, match="is different from current"):
        functions.publish(CodeSha256="0" * 64)
    assert functions.publish(CodeSha256=functions.read()["CodeSha256"]) == "1"


def test_a_wrong_revision_id_is_refused(functions: Functions) -> None:
    functions.deploy()
    with pytest.raises(functions.api.exceptions.PreconditionFailedException):
        functions.publish(RevisionId="11111111-2222-3333-4444-555555555555")
    assert functions.publish(RevisionId=functions.read()["RevisionId"]) == "1"


def test_a_version_keeps_its_digest_uri_and_settings_for_ever(functions: Functions) -> None:
    digest = functions.deploy(Timeout=5)
    functions.publish()
    before = functions.api.get_function(FunctionName="app", Qualifier="1")
    functions.redeploy(OTHER)
    functions.configure(Timeout=9)
    functions.publish()
    after = functions.api.get_function(FunctionName="app", Qualifier="1")
    assert after["Code"] == before["Code"]
    assert after["Configuration"] == before["Configuration"]
    assert f"sha256:{after['Configuration']['CodeSha256']}" == digest
    assert after["Configuration"]["Timeout"] == 5


def test_numbers_are_never_used_again(functions: Functions) -> None:
    functions.deploy()
    functions.publish()
    functions.next_version()
    functions.api.delete_function(FunctionName="app", Qualifier="2")
    assert functions.next_version() == "3"
    functions.api.delete_function(FunctionName="app")
    functions.create()
    functions.settled()
    assert functions.publish() == "4"


def test_publish_with_an_update_gives_the_version_and_a_qualified_arn(functions: Functions) -> None:
    functions.deploy()
    digest = functions.push(OTHER, "app:2")
    updated = functions.api.update_function_code(FunctionName="app", ImageUri=functions.uri("app:2"), Publish=True)
    assert updated["Version"] == "1"
    assert updated["FunctionArn"].endswith(":function:app:1")
    assert f"sha256:{updated['CodeSha256']}" == digest
    functions.settled(qualifier="1")
    assert functions.invoke(Qualifier="1").payload == "other"


def test_publish_with_create_gives_the_first_version(functions: Functions) -> None:
    functions.push()
    assert functions.create(Publish=True)["Version"] == "1"
    assert functions.settled(qualifier="1")["Version"] == "1"
    assert functions.settled()["Version"] == "$LATEST"


def test_a_version_under_an_alias_cannot_be_deleted(functions: Functions) -> None:
    functions.deploy()
    functions.publish()
    functions.next_version()
    functions.api.create_alias(
        FunctionName="app", Name="live", FunctionVersion="1", RoutingConfig={"AdditionalVersionWeights": {"2": 0.1}}
    )
    for number in ("1", "2"):
        with pytest.raises(functions.api.exceptions.ResourceConflictException, match=r"reference it: \[live\]"):
            functions.api.delete_function(FunctionName="app", Qualifier=number)
    functions.api.delete_alias(FunctionName="app", Name="live")
    functions.api.delete_function(FunctionName="app", Qualifier="1")
    with pytest.raises(functions.api.exceptions.ResourceNotFoundException, match="function:app:1"):
        functions.read(qualifier="1")


def test_a_missing_version_is_not_found(functions: Functions) -> None:
    functions.deploy()
    with pytest.raises(
        functions.api.exceptions.ResourceNotFoundException, match=r"Function not found: .*:function:app:7"
    ):
        functions.read(qualifier="7")
