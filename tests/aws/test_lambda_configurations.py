"""A configuration that is given to $LATEST: all of it, nothing but it, and its values go nowhere."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import botocore.session
import pytest
from botocore.model import StructureShape
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from functions_app.aws import lambda_configurations, lambdas
from functions_app.aws.lambda_configurations import ANSWERED, SETTABLE
from functions_app.aws.session import Target
from functions_app.domain.errors import Code, DrydockError
from tests.aws.test_lambda_comparisons import SECRET
from tests.fixtures import REGION
from tests.sandbox.functions import Functions

# Members of UpdateFunctionConfiguration that no patch sends, and why.
NOT_SENT = {
    "FunctionName": "says which function",
    "RevisionId": "the guard",
    "Description": "stays, so that it needs no giving back",
    "Runtime": "of functions packaged as zip",
    "Handler": "of functions packaged as zip",
    "Layers": "of functions packaged as zip",
    "RuntimeConfig": "of functions packaged as zip",
    "SnapStart": "not for images",
    "CapacityProviderConfig": "refused",
    "DurableConfig": "refused where it differs",
    "AcceleratorConfig": "refused where it differs",
}


def shape(name: str) -> set[str]:
    """The members of a shape of Lambda's, by botocore."""
    found = botocore.session.get_session().get_service_model("lambda").shape_for(name)
    assert isinstance(found, StructureShape)
    return set(found.members)


def test_every_member_that_botocore_knows_is_sent_or_known_not_to_be() -> None:
    assert shape("UpdateFunctionConfigurationRequest") == set(SETTABLE) | set(NOT_SENT)
    assert shape("FunctionConfiguration") >= ANSWERED


TRIED = (Phase.explicit, Phase.generate)  # each try is a dozen calls: making a failing one smaller would take minutes
NAMES = st.from_regex(r"[A-Z][A-Z0-9_]{0,8}", fullmatch=True)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20)
WORDS = st.lists(st.from_regex(r"[a-z./]{1,9}", fullmatch=True), max_size=3)
VPC = {"SubnetIds": ["subnet-2", "subnet-1"], "SecurityGroupIds": ["sg-1"]}
NO_VPC: dict[str, Any] = {"SubnetIds": [], "SecurityGroupIds": []}
FILES = [{"Arn": "arn:aws:elasticfilesystem:eu-west-1:1:access-point/fsap-1", "LocalMountPath": "/mnt/data"}]
NETWORKS = st.sampled_from(
    [
        {"VpcConfig": NO_VPC, "FileSystemConfigs": []},
        {"VpcConfig": VPC, "FileSystemConfigs": []},
        {"VpcConfig": {**VPC, "Ipv6AllowedForDualStack": True}, "FileSystemConfigs": FILES},
    ]
)
LOGGING = st.one_of(
    st.fixed_dictionaries({"LogFormat": st.just("Text"), "LogGroup": st.sampled_from(["/own", "/aws/lambda/app"])}),
    st.fixed_dictionaries(
        {
            "LogFormat": st.just("JSON"),
            "LogGroup": st.just("/own"),
            "ApplicationLogLevel": st.sampled_from(["TRACE", "ERROR"]),
            "SystemLogLevel": st.sampled_from(["DEBUG", "WARN"]),
        }
    ),
)
CONFIGURATIONS = st.builds(
    lambda plain, network: {**plain, **network},
    st.fixed_dictionaries(
        {
            "Role": st.sampled_from(["arn:aws:iam::1:role/one", "arn:aws:iam::1:role/two"]),
            "Timeout": st.integers(1, 900),
            "MemorySize": st.integers(128, 10_240),
            "Environment": st.fixed_dictionaries({"Variables": st.dictionaries(NAMES, TEXTS, max_size=4)}),
            "DeadLetterConfig": st.sampled_from([{"TargetArn": ""}, {"TargetArn": "arn:aws:sqs:eu-west-1:1:dead"}]),
            "KMSKeyArn": st.sampled_from(["", "arn:aws:kms:eu-west-1:1:key/1"]),
            "TracingConfig": st.sampled_from([{"Mode": "Active"}, {"Mode": "PassThrough"}]),
            "ImageConfig": st.fixed_dictionaries(
                {"EntryPoint": WORDS, "Command": WORDS, "WorkingDirectory": st.sampled_from(["", "/srv"])}
            ),
            "EphemeralStorage": st.fixed_dictionaries({"Size": st.integers(512, 10_240)}),
            "LoggingConfig": LOGGING,
        }
    ),
    NETWORKS,
)


def told(functions: Functions, version: str = "$LATEST") -> dict[str, Any]:
    """What AWS tells of a version's configuration; of a network that was cleared it tells empty lists ever after."""
    ids = {"Version", "FunctionArn", "RevisionId", "LastModified", "ResponseMetadata", "ConfigSha256", "CodeSha256"}
    found = {name: value for name, value in functions.read("app", version).items() if name not in ids}
    if not found.get("VpcConfig", {}).get("SubnetIds"):
        found.pop("VpcConfig", None)
    return found


@pytest.fixture
def target(account: str) -> Target:
    return Target(account, REGION, f"arn:aws:iam::{account}:role/Drydock")


@pytest.fixture
def at_once(clock: Callable[..., Any]) -> Any:
    """Lambda takes an update within a moment."""
    with clock(update=0.0, create=0.0):
        yield


def configure(target: Target, like: str) -> None:
    revision = lambdas.get_function(target, "app").fact.latest.revision_id
    lambda_configurations.configure(target, "app", like, revision)


@pytest.mark.usefixtures("at_once", "aws")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15, deadline=None, phases=TRIED)
@given(live=CONFIGURATIONS, before=CONFIGURATIONS)
def test_what_is_lent_is_given_back_to_the_last_field(
    target: Target, functions: Functions, live: dict[str, Any], before: dict[str, Any]
) -> None:
    try:
        functions.api.delete_function(FunctionName="app")
    except functions.api.exceptions.ResourceNotFoundException:
        functions.push()
    functions.create("app", **live)
    one = functions.publish("app")
    functions.configure("app", Description="what is made of it", **before)
    kept = functions.publish("app")
    was = told(functions)

    configure(target, one)
    lent = told(functions)
    assert {**lent, "Description": ""} == {**told(functions, one), "Description": ""}
    assert lambda_configurations.look(target, "app", kept, one)[1].like_live
    configure(target, kept)

    assert told(functions) == was
    assert lambda_configurations.look(target, "app", kept, one)[1].like_kept


@pytest.mark.usefixtures("aws")
class Test_a_version:
    """And $LATEST beside it."""

    @pytest.fixture(autouse=True)
    def function(self, functions: Functions) -> None:
        functions.deploy(Environment={"Variables": {"TOKEN": SECRET}}, Timeout=5)
        functions.publish()

    def test_differs_by_the_value_of_a_variable_which_nothing_tells(
        self, target: Target, functions: Functions, caplog: pytest.LogCaptureFixture
    ) -> None:
        functions.configure(Environment={"Variables": {"TOKEN": f"{SECRET}-else"}})
        detail, seen = lambda_configurations.look(target, "app", "1", "1")
        assert not seen.like_live
        found = lambda_configurations.settable(target, "app", ["1"])
        assert SECRET not in f"{detail}{asdict(seen)}{found}{caplog.text}"

    def test_is_refused_at_another_revision(self, target: Target, functions: Functions) -> None:
        old = functions.read()["RevisionId"]
        functions.configure(Timeout=9)
        with pytest.raises(DrydockError) as caught:
            lambda_configurations.configure(target, "app", "1", old)
        assert caught.value.problem.code is Code.CHANGED
        assert functions.read()["Timeout"] == 9

    def test_is_rehearsed_without_changing_anything_but_the_revision(
        self, target: Target, functions: Functions
    ) -> None:
        functions.configure(Timeout=9, Environment={"Variables": {}})
        was, old = told(functions), functions.read()["RevisionId"]
        lambda_configurations.rehearse(target, "app", "1", old)
        functions.settled()
        assert told(functions) == was
        assert functions.read()["RevisionId"] != old

    def test_gives_only_what_differs(self, target: Target, functions: Functions) -> None:
        functions.configure(Timeout=9)
        entries = [functions.read("app", version) for version in ("$LATEST", "1")]
        assert lambda_configurations._changes(*entries) == {"Timeout": 5}

    @pytest.mark.parametrize(
        "member",
        [{"DurableConfig": {"ExecutionTimeout": 60}}, {"TenancyConfig": {"TenantIsolationMode": "PER_TENANT"}}],
    )
    def test_that_differs_in_what_no_update_sets_back_says_so(
        self, target: Target, functions: Functions, member: dict[str, Any]
    ) -> None:
        functions.create("odd", **member)
        entries = [functions.read("app", "1"), functions.settled("odd")]
        assert set(lambda_configurations._fixed(*entries)) - {"ResponseMetadata"} == set(member)
