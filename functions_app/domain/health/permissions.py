"""The permissions that Drydock asks for (docs/policies), what each is for, and what an answer of AWS says of one."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from functions_app.domain.errors import Code, Problem
from functions_app.domain.health.findings import Finding, State


class Need(StrEnum):
    """How badly Drydock needs one."""

    CORE = "core"  # without it the snapshot is wrong or empty
    MORE = "more"  # a part of a page stays unknown
    CHANGES = "changes"  # whoever only looks does without


@dataclass(frozen=True)
class Permission:
    """What it is needed for, in words that follow "without it"; `untried`: why asking would not be harmless."""

    need: Need
    without: str
    untried: str = ""


_CHANGES = "AWS has no dry run of it"
_TRIGGERS = "the page of a function can't tell "
PERMISSIONS: Mapping[str, Permission] = {
    "lambda:ListFunctions": Permission(Need.CORE, "no function is found"),
    "lambda:GetFunction": Permission(Need.CORE, "images, states and tags of functions stay unknown"),
    "lambda:ListVersionsByFunction": Permission(Need.CORE, "plans can't read what a function has"),
    "lambda:ListAliases": Permission(Need.CORE, "nobody knows what is live"),
    "lambda:GetAlias": Permission(Need.CORE, "plans can't read the alias they change"),
    "lambda:GetProvisionedConcurrencyConfig": Permission(Need.MORE, "a deployment can't wait for warm instances"),
    "lambda:ListDurableExecutionsByFunction": Permission(Need.MORE, "plans don't know which executions are under way"),
    "lambda:ListEventSourceMappings": Permission(Need.MORE, f"{_TRIGGERS}which queues and streams call a function"),
    "lambda:ListFunctionUrlConfigs": Permission(Need.MORE, f"{_TRIGGERS}which addresses a function has"),
    "lambda:GetPolicy": Permission(Need.MORE, f"{_TRIGGERS}who may call a function"),
    "lambda:ListFunctionEventInvokeConfigs": Permission(Need.MORE, f"{_TRIGGERS}where asynchronous results go"),
    "lambda:ListProvisionedConcurrencyConfigs": Permission(Need.MORE, f"{_TRIGGERS}which concurrency is provisioned"),
    "lambda:ListTags": Permission(Need.MORE, "owners and managing tools stay unknown"),
    "ecr:DescribeRepositories": Permission(Need.CORE, "no repository is found"),
    "ecr:DescribeImages": Permission(Need.CORE, "images and tags stay unknown"),
    "ecr:BatchGetImage": Permission(Need.CORE, "manifests can't be read, so bases stay unknown"),
    "ecr:GetAuthorizationToken": Permission(Need.CORE, "the registry can't be read, so bases stay unknown"),
    "ecr:GetRepositoryPolicy": Permission(Need.MORE, "plans can't tell whether Lambda may pull"),
    "ecr:DescribeImageScanFindings": Permission(Need.MORE, "findings of scans are not shown"),
    "ecr:GetLifecyclePolicy": Permission(Need.MORE, "nobody is warned of images that will be deleted"),
    "ecr:GetLifecyclePolicyPreview": Permission(Need.MORE, "nobody is warned of images that will be deleted"),
    "ecr:StartLifecyclePolicyPreview": Permission(Need.MORE, "no forecast is made", "it would start a preview"),
    "ecr:SetRepositoryPolicy": Permission(
        Need.CHANGES,
        "Lambda can't let itself pull from a repository that does not allow it yet",
        "Lambda itself uses it while code is updated, and it is optional; asking would write a policy",
    ),
    "logs:FilterLogEvents": Permission(Need.CHANGES, "invocations show no log"),
    "lambda:InvokeFunction": Permission(Need.CHANGES, "nothing can be invoked"),
    "lambda:UpdateFunctionCode": Permission(Need.CHANGES, "nothing can be deployed"),
    "lambda:PublishVersion": Permission(Need.CHANGES, "nothing can be deployed", _CHANGES),
    "lambda:UpdateAlias": Permission(Need.CHANGES, "nothing can be deployed or rolled back", _CHANGES),
    "lambda:CreateAlias": Permission(Need.CHANGES, "no alias can be made by a deployment", _CHANGES),
    "lambda:DeleteAlias": Permission(Need.CHANGES, "an alias that a deployment made can't be taken back", _CHANGES),
}
"""All that is asked of an account in a region, where nothing else of the examination asks it in passing."""
OF_QUEUES: Mapping[str, str] = {
    "sqs:ReceiveMessage": "taking messages hides them for a while",
    "sqs:DeleteMessage": "it would need a message to delete",
}
"""What is asked of no event queue, and why; that one is found asks for FINDING_QUEUES."""
_WRITES = "AWS has no dry run of it, and only patches need it"
OF_PATCHES: Mapping[str, str] = {
    "ecr:BatchCheckLayerAvailability": "only patches need it",
    "ecr:InitiateLayerUpload": _WRITES,
    "ecr:UploadLayerPart": _WRITES,
    "ecr:CompleteLayerUpload": _WRITES,
    "ecr:PutImage": _WRITES,
    "ecr:DescribeImageSigningStatus": "only patches need it",
    "lambda:UpdateFunctionConfiguration": f"{_WRITES}, where $LATEST isn't what is live",
    "iam:PassRole": "it is asked for by Lambda alone, where a patch changes the role of $LATEST for a while",
}
"""What only patches need (docs/policies/patch.json), and why nobody asks for it."""
FINDING_QUEUES, ENTERING, CONFIGS = "sqs:GetQueueUrl", "sts:AssumeRole", "ecr:GetDownloadUrlForLayer"


def allowed(part: str, action: str, on: str) -> Finding:
    """AWS did it, or would have."""
    return Finding(part, State.OK, f"{action} is allowed{f' (asked of {on})' if on else ''}.")


def untried(part: str, action: str, why: str) -> Finding:
    """Nobody asked."""
    return Finding(part, State.NOT_TRIED, f"{action}: {why}.")


def refused(part: str, action: str, on: str, problem: Problem) -> Finding:
    """What an error says of the permission: AWS looks at it first, so whoever hears of anything else has it."""
    wanted = PERMISSIONS[action]
    if problem.code is Code.DENIED:
        state = State.BAD if wanted.need is Need.CORE else State.WARN
        looks = " That is right for an installation that only looks." if wanted.need is Need.CHANGES else ""
        return Finding.of(part, state, f"{action} is refused: without it {wanted.without}.{looks}", problem)
    if problem.aws_code and problem.code not in (Code.THROTTLED, Code.UNREACHABLE):
        return allowed(part, action, on)
    return Finding.of(part, State.WARN, f"{action}: not known, since AWS did not answer.", problem)
