"""The policies in docs/ allow the calls that the product makes, each in the role that it is for, and no others."""

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from django.contrib.auth.models import User

from functions_app.aws import lambda_configurations, session
from functions_app.domain.changes.invocations import Mode
from functions_app.domain.errors import Code, DrydockError
from functions_app.domain.runs import Status
from functions_app.models import Image, Repository, Scope
from functions_app.registry.pushing import push
from functions_app.registry.referrers import attach, referrers
from functions_app.registry.uploads import Source
from functions_app.services.changes import invoke as invocations
from functions_app.services.changes import roll_back as rollbacks
from functions_app.services.changes.function_places import place_of, target_of
from functions_app.services.images import forecasts
from functions_app.services.images.registries import open_registry
from functions_app.services.people.actor import Actor
from sandbox.images.making import make_image
from tests.conftest import Valkey
from tests.fixtures import Push, Sandbox
from tests.publishing import publish
from tests.registry.pushes import app, as_new, base, referrer
from tests.sandbox.functions import Functions
from tests.services.changes.stage import Stage, carry_out, log_of, make_stage

PUSHED = app(base(2, "policies"), 1, "policies")
ROOT = Path(__file__).parents[1]
AWS_ROOM = ROOT / "functions_app" / "aws"
SERVICES = ("lambda", "ecr", "logs", "sqs", "sts")

# Operations that IAM knows by another name (Service Authorization Reference), and one that needs no permission at all.
ACTIONS = {
    "lambda:Invoke": {"lambda:InvokeFunction"},
    "sqs:DeleteMessageBatch": {"sqs:DeleteMessage"},
    "sts:GetCallerIdentity": set(),
}
# What is asked for in the caller's name beside the calls of the aws room, with who asks.
BESIDE: dict[str, set[str]] = {
    "read-only": {
        "lambda:ListTags",  # GetFunction leaves the tags out without it (API reference of GetFunction)
        "ecr:GetDownloadUrlForLayer",  # the registry's own API, where a config or a layer is read
    },
    "patch": {
        # The registry's own API, where an image is pushed; the test below tries it without each of them.
        "ecr:BatchCheckLayerAvailability",
        "ecr:CompleteLayerUpload",
        "ecr:InitiateLayerUpload",
        "ecr:PutImage",
        "ecr:UploadLayerPart",
        # Of what an operator may do: the new version, a try before it has traffic, and its way into it.
        "lambda:InvokeFunction",
        "lambda:PublishVersion",
        "lambda:UpdateAlias",
        "lambda:UpdateFunctionCode",
        # Where $LATEST isn't what is live: it is given the live configuration for a while, and given back its own.
        "lambda:UpdateFunctionConfiguration",
        "iam:PassRole",  # Lambda, where the role differs
    },
    "repository-policy": {"ecr:GetRepositoryPolicy", "ecr:SetRepositoryPolicy"},  # Lambda, as code is updated
}
READING = re.compile(r"\w+:(?:Get|List|Describe|BatchGet)")
PATCHES_ALONE = {"lambda:UpdateFunctionConfiguration"}
WITHOUT_EFFECT = {"ecr:StartLifecyclePolicyPreview"}  # ECR works out what a policy would delete, and deletes nothing


def documents() -> dict[str, Any]:
    """Every policy by the name of its file."""
    return {path.stem: json.loads(path.read_text()) for path in (ROOT / "docs" / "policies").glob("*.json")}


def granted(document: Any) -> list[str]:
    """The actions of a policy, one as often as it is named."""
    actions = [statement["Action"] for statement in document["Statement"]]
    return [action for given in actions for action in ([given] if isinstance(given, str) else given)]


@cache
def operations() -> dict[str, str]:
    """Every operation of the services that the product calls, by the name of its method in boto3."""
    known = botocore.session.get_session()
    return {
        xform_name(operation): f"{service}:{operation}"
        for service in reversed(SERVICES)
        for operation in known.get_service_model(service).operation_names
    }


def called() -> Iterator[str]:
    """The operations that the aws room calls: by its name as a method, or handed on as a text."""
    for path in AWS_ROOM.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            name = node.attr if isinstance(node, ast.Attribute) else getattr(node, "value", None)
            if isinstance(name, str) and name in operations():
                yield operations()[name]


def policy_for(action: str) -> str:
    """The policy that an action belongs to."""
    service = action.partition(":")[0]
    if service in ("sqs", "sts"):
        return {"sqs": "events", "sts": "assume-roles"}[service]
    reads = READING.match(action) or action in WITHOUT_EFFECT
    changes = "patch" if action in PATCHES_ALONE else "operator"
    return "read-only" if reads and service != "logs" else changes


def needed() -> dict[str, set[str]]:
    """The actions behind every call, by the policy that they belong to."""
    found = {name: set(actions) for name, actions in BESIDE.items()}
    for operation in set(called()):
        for action in ACTIONS.get(operation, {operation}):
            found.setdefault(policy_for(action), set()).add(action)
    return found


def less(document: Any, action: str) -> Any:
    """The policy without an action."""
    left = [
        {**each, "Action": [name for name in granted({"Statement": [each]}) if name != action]}
        for each in document["Statement"]
    ]
    return {**document, "Statement": [each for each in left if each["Action"]]}


def test_each_policy_grants_what_the_calls_of_its_role_need_and_no_more() -> None:
    assert {name: set(granted(document)) for name, document in documents().items()} == needed()


def test_no_policy_grants_an_action_twice() -> None:
    for name, document in documents().items():
        actions = granted(document)
        assert len(actions) == len(set(actions)), name


def test_the_read_only_policy_changes_nothing() -> None:
    changing = {action for action in granted(documents()["read-only"]) if not READING.match(action)}
    assert changing == WITHOUT_EFFECT


def test_the_readme_names_every_policy_and_says_which_is_optional() -> None:
    told = (ROOT / "README.md").read_text() + (ROOT / "docs" / "events.md").read_text()
    assert {name for name in documents() if f"policies/{name}.json" not in told} == set()
    assert "optional" in next(part for part in told.split("\n\n") if "repository-policy.json" in part)


@pytest.mark.django_db(transaction=True)
class Test_a_role_with_the_policies:
    """The sandbox's IAM judges by the files themselves."""

    @pytest.fixture
    def stage(self, functions: Functions, superuser: User, aws: Sandbox, valkey: Valkey) -> Stage:
        """A function, and a second image to deploy."""
        made = make_stage(functions, Actor(superuser))
        made.push("two", "2")
        return made

    def enter_by(self, stage: Stage, aws: Sandbox, *names: str, without: str = "") -> None:
        """From now on the account's role may do what these policies say; and that of the tests everything."""
        policies = [less(documents()[name], without) for name in names]
        for name, policy in (("Drydock", policies), ("Tests", [])):
            aws.admin("POST", "roles", {"account": stage.account.account_id, "name": name, "policy": policy})
        session.forget()

    def test_for_reading_reads_everything_and_deploys_nothing(self, stage: Stage, aws: Sandbox) -> None:
        keep_one = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1}
        rules = {"rules": [{"rulePriority": 1, "selection": keep_one, "action": {"type": "expire"}}]}
        stage.functions.ecr.put_lifecycle_policy(repositoryName=stage.name, lifecyclePolicyText=json.dumps(rules))
        self.enter_by(stage, aws, "read-only")

        stage.sync_all()
        forecast = carry_out(forecasts.submit(stage.actor, Repository.objects.get()))

        assert list(Scope.objects.exclude(problem=None)) == []
        assert (stage.function.missed, stage.function.state) == ({}, "Active")
        assert list(Image.objects.exclude(inspect_problem=None)) == []
        assert forecast.status == Status.SUCCEEDED, log_of(forecast)
        assert Repository.objects.get().forecast.problem is None
        refused = stage.deploy("2")
        assert refused.problem is not None
        assert "lambda:UpdateFunctionCode" in refused.problem["message"]

    def test_for_operators_deploys_rolls_back_and_invokes(self, stage: Stage, aws: Sandbox) -> None:
        self.enter_by(stage, aws, "read-only", "operator")

        deployed = stage.deploy("2")
        started = stage.deploy("2", "fresh")  # an alias that is made
        stage.sync()
        back = rollbacks.plan(stage.function, stage.alias, "1", stage.actor).stored
        assert back is not None
        returned = carry_out(stage.confirm(back))
        invoked = carry_out(invocations.submit(stage.function, "1", "{}", Mode.SYNC, stage.actor))

        for run in (deployed, started, returned, invoked):
            assert run.status == Status.SUCCEEDED, log_of(run)
        assert "may not" not in log_of(invoked)

    def push(self, stage: Stage) -> None:
        """Push an image whose layers come from three places: mounted, copied, and there already; and a statement."""
        host = f"{stage.account.account_id}.dkr.ecr.{stage.function.region}.amazonaws.com"
        with open_registry(host) as registry, open_registry("public.ecr.aws") as public:
            mounted, copied = Source(registry, "platform/base"), Source(public, "policies/base")
            push(registry, stage.name, as_new(PUSHED, mounted, copied, None), "pushed")
            attach(registry, stage.name, *referrer(PUSHED, "statement"))
            assert len(referrers(registry, stage.name, PUSHED.digest)) == 1

    @pytest.fixture
    def repositories(self, stage: Stage, aws: Sandbox, push: Push) -> None:
        """Where the layers of what is pushed are."""
        stage.functions.ecr.put_account_setting(name="BLOB_MOUNTING", value="ENABLED")
        push("platform/base", PUSHED)
        publish(aws, "policies/base", PUSHED, ["1"])
        own = make_image([PUSHED.layers[2]], created=PUSHED.created)
        push(stage.name, own)

    @pytest.mark.usefixtures("repositories")
    def test_for_patches_pushes_deploys_and_makes_no_alias(self, stage: Stage, aws: Sandbox) -> None:
        self.enter_by(stage, aws, "read-only", "patch")

        self.push(stage)
        deployed = stage.deploy("2")
        started = stage.deploy("2", "fresh")

        assert deployed.status == Status.SUCCEEDED, log_of(deployed)
        assert started.problem is not None
        assert "lambda:CreateAlias" in started.problem["message"]

    @pytest.mark.usefixtures("repositories")
    @pytest.mark.parametrize("action", [each for each in sorted(BESIDE["patch"]) if each.startswith("ecr:")])
    def test_for_patches_pushes_nothing_without_one_of_its_actions(
        self, stage: Stage, aws: Sandbox, action: str
    ) -> None:
        self.enter_by(stage, aws, "read-only", "patch", without=action)

        with pytest.raises(DrydockError) as caught:
            self.push(stage)

        assert caught.value.problem.code is Code.DENIED

    @pytest.mark.parametrize("without", ["", "iam:PassRole", "lambda:UpdateFunctionConfiguration"])
    def test_for_patches_gives_latest_a_configuration_with_its_role(
        self, stage: Stage, aws: Sandbox, without: str
    ) -> None:
        stage.functions.configure(stage.name, Role=f"arn:aws:iam::{stage.account.account_id}:role/other")
        self.enter_by(stage, aws, "read-only", "patch", without=without)
        own, revision = target_of(place_of(stage.function)), stage.functions.read(stage.name)["RevisionId"]

        if not without:
            lambda_configurations.configure(own, stage.name, "1", revision)
            return
        with pytest.raises(DrydockError, match=without) as caught:
            lambda_configurations.configure(own, stage.name, "1", revision)
        assert caught.value.problem.code is Code.DENIED

    @pytest.mark.usefixtures("repositories")
    def test_for_operators_pushes_nothing(self, stage: Stage, aws: Sandbox) -> None:
        self.enter_by(stage, aws, "read-only", "operator")

        with pytest.raises(DrydockError, match="HTTP 403"):
            self.push(stage)

    def test_for_reading_alone_invokes_nothing(self, stage: Stage, aws: Sandbox) -> None:
        self.enter_by(stage, aws, "read-only")

        run = carry_out(invocations.submit(stage.function, "1", "{}", Mode.SYNC, stage.actor))

        assert run.problem is not None
        assert "lambda:InvokeFunction" in run.problem["message"]
