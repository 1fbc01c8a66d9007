"""The policies in docs/ allow the calls that the product makes, and no others."""

import json
import re
from pathlib import Path

import botocore.session
from botocore import xform_name

ROOT = Path(__file__).parents[1]
OF_OTHERS = {
    "lambda:ListTags",  # GetFunction leaves the tags out without it
    "ecr:GetDownloadUrlForLayer",  # the registry's API asks for it where a config is read
    "ecr:SetRepositoryPolicy",  # Lambda adds its own access to the repository in the deployer's name
}

ACTIONS = {"Invoke": "InvokeFunction", "DeleteMessageBatch": "DeleteMessage"}  # operations that are allowed by others
POLICIES = ("read-only", "operator", "assume-roles", "events")


WITHOUT_EFFECT = {"ecr:StartLifecyclePolicyPreview"}  # ECR works out what a policy would delete, and deletes nothing


def allowed(name: str) -> set[str]:
    """The actions of a policy."""
    statements = json.loads((ROOT / "docs" / "policies" / f"{name}.json").read_text())["Statement"]
    actions = [statement["Action"] for statement in statements]
    return {action for given in actions for action in ([given] if isinstance(given, str) else given)}


def called() -> set[str]:
    """The actions behind every AWS operation that functions_app/aws calls."""
    source = "".join(path.read_text() for path in (ROOT / "functions_app" / "aws").glob("*.py"))
    methods = set(re.findall(r"[.\"]([a-z_]+)[\"(]", source))
    found = set()
    for service in ("lambda", "ecr", "logs", "sqs", "sts"):
        for operation in botocore.session.get_session().get_service_model(service).operation_names:
            if xform_name(operation) in methods:
                found.add(f"{service}:{ACTIONS.get(operation, operation)}")
    return found


def test_the_policies_together_are_the_calls_and_what_those_need() -> None:
    assert set().union(*(allowed(name) for name in POLICIES)) == called() | OF_OTHERS


def test_the_read_only_policy_changes_nothing() -> None:
    reading = allowed("read-only") - WITHOUT_EFFECT
    verbs = {re.match(r"\w+:(Get|List|Describe|BatchGet)", action) is not None for action in reading}
    assert verbs == {True}
