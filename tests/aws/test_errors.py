"""What to do about each of AWS's errors: a test per row of the table, and a default that claims nothing."""

import re
import socket

import pytest
from botocore import exceptions as boto
from botocore.exceptions import ClientError
from botocore.loaders import Loader
from botocore.model import ServiceModel

from functions_app.aws.error_table import CODE_OF, NEXT_STEPS, advise
from functions_app.aws.errors import translate
from functions_app.domain.errors import Code, DrydockError, Problem

WHO = "User: arn:aws:sts::111111111111:assumed-role/Drydock/drydock is not authorized to perform: lambda:ListFunctions"
ON = f"{WHO} on resource: *"
POLICY = "Allow lambda:ListFunctions in the policy of the identity"


def problem_of(error: Exception, *, change: bool = False) -> Problem:
    with pytest.raises(DrydockError) as caught, translate(change=change):
        raise error
    return caught.value.problem


def refused(name: str, message: str = "No.", status: int = 400, reason: str = "") -> ClientError:
    metadata = {"RequestId": "request-1", "HTTPStatusCode": status, "HTTPHeaders": {}, "RetryAttempts": 0}
    answer = {"Error": {"Code": name, "Message": message}, "ResponseMetadata": metadata, "Reason": reason}
    return ClientError(answer, "ListFunctions")  # type: ignore[arg-type]


EXPIRED = "Signature expired: 20261128T090000Z is now earlier than 20261128T110000Z (20261128T111500Z - 15 min.)"
EARLY = "Signature not yet current: 20261128T130000Z is still later than 20261128T121500Z"
ROWS = [
    ("InvalidSignatureException", EXPIRED, Code.DENIED, "clock"),
    ("SignatureDoesNotMatch", EARLY, Code.DENIED, "clock"),
    ("RequestExpired", "Request has expired.", Code.DENIED, "clock"),
    ("RequestTimeTooSkewed", "The difference is too large.", Code.DENIED, "clock"),
    ("SignatureDoesNotMatch", "The request signature we calculated does not match", Code.DENIED, "secret key"),
    ("IncompleteSignature", "Authorization header requires 'Signature'", Code.DENIED, "secret key"),
    ("ExpiredTokenException", "The security token included in the request is expired", Code.DENIED, "Renew"),
    ("ExpiredToken", "The provided token has expired.", Code.DENIED, "Renew"),
    ("UnrecognizedClientException", "The security token included in the request is invalid.", Code.DENIED, "enabled"),
    ("InvalidClientTokenId", "The security token included in the request is invalid.", Code.DENIED, "enabled"),
    ("AuthFailure", "AWS was not able to validate the provided access credentials", Code.DENIED, "enabled"),
    ("RegionDisabledException", "STS is not activated in this region", Code.DENIED, "Activate STS"),
    ("OptInRequired", "You are not subscribed to this service", Code.DENIED, "sign-up"),
    ("SubscriptionRequiredException", "The AWS Access Key Id needs a subscription", Code.DENIED, "sign-up"),
    ("MissingAuthenticationTokenException", "Missing Authentication Token", Code.DENIED, "AWS_ENDPOINT_URL"),
    ("AccessDeniedException", f"{ON} with an explicit deny in a service control policy", Code.DENIED, "organization"),
    (
        "AccessDeniedException",
        f"{ON} because no service control policy allows the lambda:ListFunctions action",
        Code.DENIED,
        "service control policy of the organization forbids lambda:ListFunctions",
    ),
    (
        "AccessDenied",
        f"{ON} with an explicit deny in a service control policy: arn:aws:organizations::1:policy/o-1/p-1",
        Code.DENIED,
        "organization",
    ),
    ("AccessDenied", f"{ON} with an explicit deny in a resource control policy", Code.DENIED, "resource control"),
    ("AccessDenied", f"{ON} because no permissions boundary allows the action", Code.DENIED, "boundary"),
    ("AccessDenied", f"{ON} with an explicit deny in a permissions boundary", Code.DENIED, "boundary"),
    ("AccessDenied", f"{ON} because no session policy allows the action", Code.DENIED, "session policy"),
    ("AccessDenied", f"{ON} with an explicit deny in a session policy", Code.DENIED, "session policy"),
    ("AccessDenied", f"{ON} because no VPC endpoint policy allows the action", Code.DENIED, "VPC endpoint"),
    ("AccessDenied", f"{ON} because no resource-based policy allows the action", Code.DENIED, "of the resource"),
    ("AccessDenied", f"{ON} with an explicit deny in a resource-based policy", Code.DENIED, "of the resource"),
    (
        "AccessDenied",
        f"{ON} because no role trust policy allows the sts:AssumeRole action",
        Code.DENIED,
        "trust policy",
    ),
    ("AccessDenied", f"{ON} with an explicit deny in the role trust policy", Code.DENIED, "trust policy"),
    (
        "AccessDenied",
        f"{ON} with an explicit deny in an identity-based policy",
        Code.DENIED,
        "take that statement away",
    ),
    ("AccessDenied", f"{ON} because no identity-based policy allows the action", Code.DENIED, POLICY),
    ("AccessDenied", f"{ON} with an explicit deny", Code.DENIED, "Find the policy"),
    ("AccessDeniedException", ON, Code.DENIED, POLICY),
    (
        "AccessDenied",
        "User: arn:aws:iam::1:user/u is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::2:role/D",
        Code.DENIED,
        "trust policy must both allow",
    ),
    (
        "AccessDeniedException",
        "Lambda does not have permission to access the ECR image. Check the ECR permissions.",
        Code.DENIED,
        "repository's policy",
    ),
    ("KMSAccessDeniedException", "Lambda was unable to decrypt", Code.FAILED, "kms:Decrypt"),
    ("KMSDisabledException", "The key is disabled", Code.FAILED, "Enable"),
    ("KMSInvalidStateException", "pending deletion", Code.FAILED, "present state"),
    ("KMSNotFoundException", "no key", Code.FAILED, "is not there"),
    ("KmsException", "no", Code.FAILED, "KMS key of the repository"),
    (
        "InvalidParameterValueException",
        "Source image 1.dkr.ecr.eu-west-1.amazonaws.com/app@sha256:ab does not exist. Provide a valid source image.",
        Code.INVALID,
        "push the image again",
    ),
    ("SubnetIPAddressLimitReachedException", "no address", Code.FAILED, "no free address"),
    ("InvalidSubnetIDException", "no subnet", Code.FAILED, "VPC settings"),
    ("EFSMountTimeoutException", "too slow", Code.FAILED, "mounts"),
    ("TooManyRequestsException", "Rate exceeded", Code.THROTTLED, "share the quota"),
    ("ThrottlingException", "Rate exceeded", Code.THROTTLED, "share the quota"),
    ("RequestLimitExceeded", "Request limit exceeded.", Code.THROTTLED, "share the quota"),
    ("SlowDown", "Please reduce your request rate", Code.THROTTLED, "share the quota"),
    ("429", "Too Many Requests", Code.THROTTLED, "share the quota"),
    ("LimitExceededException", "Rate of 5 per second is exceeded", Code.THROTTLED, "share the quota"),
    ("LimitExceededException", "would have exceeded a service limit for your account", Code.FAILED, "Service Quotas"),
    ("ServiceQuotaExceededException", "too many", Code.FAILED, "Service Quotas"),
    ("AliasLimitExceededException", "too many aliases", Code.FAILED, "Service Quotas"),
    ("403", "Forbidden", Code.DENIED, "a proxy"),
    ("404", "Not Found", Code.FAILED, "a proxy"),
    ("PreconditionFailedException", "The RevisionId provided does not match", Code.CHANGED, "plan again"),
    ("ResourceConflictException", "An update is in progress", Code.BUSY, "Wait"),
    ("ResourceNotFoundException", "Function not found", Code.NOT_FOUND, "may have been deleted"),
]


@pytest.mark.parametrize(("name", "message", "code", "step"), ROWS)
def test_each_error_says_what_to_do_next(name: str, message: str, code: Code, step: str) -> None:
    problem = problem_of(refused(name, message))
    assert (problem.code, step in problem.next_step) == (code, True), problem.next_step
    assert (problem.aws_code, problem.request_id) == (name, "request-1")


def test_each_row_of_the_table_is_tried_by_one_of_these() -> None:
    met = {advise(name, message) for name, message, *_ in ROWS}
    met.add(advise("TooManyRequestsException", "", "ReservedFunctionConcurrentInvocationLimitExceeded"))
    assert [advice.next_step for advice in NEXT_STEPS if advice not in met] == []


def test_only_a_denial_that_names_no_policy_is_answered_with_the_identitys_own() -> None:
    for kind in ("a service control policy", "a permissions boundary", "a session policy", "a resource control policy"):
        step = problem_of(refused("AccessDeniedException", f"{ON} with an explicit deny in {kind}", 403)).next_step
        assert POLICY not in step, kind


def test_what_denies_explicitly_is_no_permission_that_is_missing() -> None:
    denied = problem_of(refused("AccessDeniedException", f"{ON} with an explicit deny in a session policy", 403))
    assert denied.message.startswith("A policy denies lambda:ListFunctions.")


@pytest.mark.parametrize(("name", "text"), [("SomethingNewException", "No."), ("AccessDeniedException", "")])
def test_an_error_that_the_table_does_not_know_claims_nothing(name: str, text: str) -> None:
    step = problem_of(refused(name, text)).next_step
    assert not re.search(r"\b(?:Allow|Renew|policy of)\b", step)


def test_every_error_that_the_models_of_what_drydock_calls_name_is_told() -> None:
    loader = Loader()
    for service in ("lambda", "ecr", "logs", "sts", "sqs"):
        model = ServiceModel(loader.load_service_model(service, "service-2"), service)
        for shape in model.error_shapes:
            name = str(shape.metadata.get("error", {}).get("code") or shape.name)
            problem = problem_of(refused(name, "What AWS says.", 400))
            assert "What AWS says." in problem.message or name == "CodeArtifactUserPendingException"
            assert problem.aws_code == name
    assert CODE_OF["ResourceNotFoundException"] is Code.NOT_FOUND


def test_reserved_concurrency_that_is_used_up_is_told_apart_from_a_throttle() -> None:
    error = refused("TooManyRequestsException", reason="ReservedFunctionConcurrentInvocationLimitExceeded")
    assert "reserved concurrency" in problem_of(error).next_step


URL = "https://lambda.eu-west-9.amazonaws.com/"
NO_NAME = socket.gaierror(-2, "Name or service not known")
LOCAL: list[tuple[Exception, Code, str]] = [
    (boto.NoCredentialsError(), Code.DENIED, "AWS_ACCESS_KEY_ID"),
    (boto.ProfileNotFound(profile="nobody"), Code.DENIED, "AWS_PROFILE"),
    (boto.UnauthorizedSSOTokenError(), Code.DENIED, "AWS_PROFILE"),
    (boto.TokenRetrievalError(provider="sso", error_msg="expired"), Code.DENIED, "AWS_PROFILE"),
    (boto.EndpointConnectionError(endpoint_url=URL, error=NO_NAME), Code.UNREACHABLE, "DNS"),
    (boto.EndpointConnectionError(endpoint_url=URL, error="refused"), Code.UNREACHABLE, "network"),
    (boto.ConnectTimeoutError(endpoint_url=URL), Code.UNREACHABLE, "firewall"),
    (boto.ProxyConnectionError(proxy_url="http://proxy"), Code.UNREACHABLE, "HTTPS_PROXY"),
    (boto.SSLError(endpoint_url=URL, error=OSError("self-signed certificate")), Code.UNREACHABLE, "AWS_CA_BUNDLE"),
    (boto.ReadTimeoutError(endpoint_url=URL), Code.UNREACHABLE, "network"),
    (boto.NoRegionError(), Code.INVALID, "regions in Settings"),
    (boto.InvalidRegionError(region_name="eu west"), Code.INVALID, "regions in Settings"),
]


@pytest.mark.parametrize(("error", "code", "step"), LOCAL, ids=lambda value: type(value).__name__)
def test_what_kept_the_call_from_aws_says_what_to_check(error: Exception, code: Code, step: str) -> None:
    problem = problem_of(error)
    assert problem.code is code
    assert step in problem.next_step


def test_a_change_that_may_have_left_is_open_and_one_that_never_left_is_not() -> None:
    assert problem_of(boto.SSLError(endpoint_url=URL, error=OSError("eof")), change=True).code is Code.UNKNOWN_OUTCOME
    assert problem_of(boto.ProxyConnectionError(proxy_url="p"), change=True).code is Code.UNREACHABLE
    assert problem_of(boto.ConnectTimeoutError(endpoint_url=URL), change=True).code is Code.UNREACHABLE
