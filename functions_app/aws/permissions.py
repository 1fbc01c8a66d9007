"""One harmless call for each permission: the smallest reading, or a change that AWS only tries (DryRun).

Each is made once and answered within seconds. What AWS says is thrown away: that it answers is what counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from functions_app import clock
from functions_app.aws import quota
from functions_app.aws.errors import translate
from functions_app.aws.lambda_triggers import POLICIES
from functions_app.aws.lambdas import CONTROL
from functions_app.aws.members import Entry, named, needed, text
from functions_app.aws.session import Target, client
from functions_app.domain.errors import Code, DrydockError

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient
    from mypy_boto3_ecr.type_defs import ImageIdentifierTypeDef
    from mypy_boto3_lambda import LambdaClient

TIMEOUT = 10.0  # seconds for an answer


@dataclass(frozen=True)
class Sample:
    """What there is in an account and region to ask about; "" where nothing is known."""

    function: str = ""
    image_uri: str = ""
    log_group: str = ""
    alias: str = ""
    repository: str = ""
    digest: str = ""


@dataclass(frozen=True)
class Caller:
    """Whose credentials they are."""

    account_id: str
    arn: str


def caller(target: Target) -> Caller:
    """Who calls: needs no permission, and is refused where the region is not enabled. Raises DrydockError."""
    with translate():
        answer = client(target, "sts", read_timeout=TIMEOUT, attempts=1).get_caller_identity()
    return named(_caller, answer, "GetCallerIdentity")


def _caller(answer: Entry) -> Caller:
    return Caller(needed(answer, "Account", 20), text(answer, "Arn", 400))


def ask(target: Target, action: str, sample: Sample) -> str:
    """Make the call behind a permission; gives what it was asked of. Raises LookupError where there is nothing to ask.

    Raises DrydockError, which says whether it is the permission that is missing.
    """
    probe = PROBES[action]
    on = {"": "", "function": sample.function, "alias": sample.alias, "image": sample.digest}.get(probe.needs, "")
    if probe.needs and not (on or (probe.needs == "repository" and sample.repository)):
        raise LookupError(f"no {probe.needs} is known there")
    quota.read(target, probe.family, lambda: probe.call(target, sample))
    return sample.repository if probe.needs in ("repository", "image") else sample.function if probe.needs else ""


@dataclass(frozen=True)
class Probe:
    """A call, its quota, and what it needs: a function, an alias, a repository, an image, or nothing."""

    family: str
    needs: str
    call: Callable[[Target, Sample], Any]


def _lambda(target: Target) -> LambdaClient:
    return client(target, "lambda", read_timeout=TIMEOUT, attempts=1)


def _ecr(target: Target) -> ECRClient:
    return client(target, "ecr", read_timeout=TIMEOUT, attempts=1)


def _image(sample: Sample) -> ImageIdentifierTypeDef:
    return {"imageDigest": sample.digest}


def _tags(target: Target, sample: Sample) -> None:
    """GetFunction has the tags, or an error in their place."""
    error = _lambda(target).get_function(FunctionName=sample.function).get("TagsError")
    if error:
        raise DrydockError(
            Code.DENIED,
            text(error, "Message"),
            next_step="Allow lambda:ListTags in the policy of Drydock's identity.",
            aws_code=text(error, "ErrorCode", 60),
        )


PROBES: Mapping[str, Probe] = {
    "lambda:ListFunctions": Probe(CONTROL, "", lambda to, _: _lambda(to).list_functions(MaxItems=1)),
    "lambda:GetFunction": Probe(
        "lambda-get-function", "function", lambda to, of: _lambda(to).get_function(FunctionName=of.function)
    ),
    "lambda:ListTags": Probe("lambda-get-function", "function", _tags),
    "lambda:ListEventSourceMappings": Probe(
        CONTROL, "function", lambda to, of: _lambda(to).list_event_source_mappings(FunctionName=of.function, MaxItems=1)
    ),
    "lambda:ListFunctionUrlConfigs": Probe(
        CONTROL, "function", lambda to, of: _lambda(to).list_function_url_configs(FunctionName=of.function, MaxItems=1)
    ),
    "lambda:GetPolicy": Probe(POLICIES, "function", lambda to, of: _lambda(to).get_policy(FunctionName=of.function)),
    "lambda:ListFunctionEventInvokeConfigs": Probe(
        CONTROL,
        "function",
        lambda to, of: _lambda(to).list_function_event_invoke_configs(FunctionName=of.function, MaxItems=1),
    ),
    "lambda:ListProvisionedConcurrencyConfigs": Probe(
        CONTROL,
        "function",
        lambda to, of: _lambda(to).list_provisioned_concurrency_configs(FunctionName=of.function, MaxItems=1),
    ),
    "lambda:ListVersionsByFunction": Probe(
        CONTROL,
        "function",
        lambda to, of: _lambda(to).list_versions_by_function(FunctionName=of.function, MaxItems=1),
    ),
    "lambda:ListAliases": Probe(
        CONTROL, "function", lambda to, of: _lambda(to).list_aliases(FunctionName=of.function, MaxItems=1)
    ),
    "lambda:GetAlias": Probe(
        CONTROL, "alias", lambda to, of: _lambda(to).get_alias(FunctionName=of.function, Name=of.alias)
    ),
    "lambda:GetProvisionedConcurrencyConfig": Probe(
        CONTROL,
        "alias",
        lambda to, of: _lambda(to).get_provisioned_concurrency_config(FunctionName=of.function, Qualifier=of.alias),
    ),
    "lambda:ListDurableExecutionsByFunction": Probe(
        CONTROL,
        "function",
        lambda to, of: _lambda(to).list_durable_executions_by_function(FunctionName=of.function, MaxItems=1),
    ),
    "lambda:InvokeFunction": Probe(
        CONTROL, "function", lambda to, of: _lambda(to).invoke(FunctionName=of.function, InvocationType="DryRun")
    ),
    "lambda:UpdateFunctionCode": Probe(
        CONTROL,
        "function",
        lambda to, of: _lambda(to).update_function_code(FunctionName=of.function, ImageUri=of.image_uri, DryRun=True),
    ),
    "ecr:DescribeRepositories": Probe("ecr-read", "", lambda to, _: _ecr(to).describe_repositories(maxResults=1)),
    "ecr:GetAuthorizationToken": Probe("ecr-token", "", lambda to, _: _ecr(to).get_authorization_token()),
    "ecr:DescribeImages": Probe(
        "ecr-read", "repository", lambda to, of: _ecr(to).describe_images(repositoryName=of.repository, maxResults=1)
    ),
    "ecr:GetRepositoryPolicy": Probe(
        "ecr-read", "repository", lambda to, of: _ecr(to).get_repository_policy(repositoryName=of.repository)
    ),
    "ecr:GetLifecyclePolicy": Probe(
        "ecr-lifecycle", "repository", lambda to, of: _ecr(to).get_lifecycle_policy(repositoryName=of.repository)
    ),
    "ecr:GetLifecyclePolicyPreview": Probe(
        "ecr-lifecycle",
        "repository",
        lambda to, of: _ecr(to).get_lifecycle_policy_preview(repositoryName=of.repository, maxResults=1),
    ),
    "ecr:BatchGetImage": Probe(
        "ecr-batch-get-image",
        "image",
        lambda to, of: _ecr(to).batch_get_image(repositoryName=of.repository, imageIds=[_image(of)]),
    ),
    "ecr:DescribeImageScanFindings": Probe(
        "ecr-scan-findings",
        "image",
        lambda to, of: _ecr(to).describe_image_scan_findings(
            repositoryName=of.repository, imageId=_image(of), maxResults=1
        ),
    ),
    "logs:FilterLogEvents": Probe(
        "logs-filter",
        "function",
        lambda to, of: client(to, "logs", read_timeout=TIMEOUT, attempts=1).filter_log_events(
            logGroupName=of.log_group, startTime=int(clock.now().timestamp() * 1000), limit=1
        ),
    ),
}
