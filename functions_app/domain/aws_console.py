"""Addresses in AWS's console, where what Drydock does not do is done: each partition has a host of its own."""

from collections.abc import Mapping
from urllib.parse import quote

from functions_app.domain.ecr_hosts import ecr_host, partition_of
from functions_app.domain.errors import DrydockError
from functions_app.domain.refs import ImageRef

HOSTS: Mapping[str, str] = {
    "aws": "{region}.console.aws.amazon.com",
    "aws-cn": "{region}.console.amazonaws.cn",
    "aws-us-gov": "{region}.console.amazonaws-us-gov.com",
    "aws-eusc": "{region}.console.amazonaws-eusc.eu",
}
"""By partition; of the others (ISO) none is public, and no address is given."""
COLD_STARTS = """filter @type = "REPORT" or type = "platform.report"
| fields coalesce(@initDuration, record.metrics.initDurationMs) as init
| stats count(*) as calls, count(init) as coldStarts, pct(init, 50) as p50, pct(init, 95) as p95, max(init) as slowest
  by bin(1h)"""
"""Logs Insights; durations in ms."""


def function(region: str, name: str) -> str:
    """A function's own page; '' where the console's host is not known."""
    return _address(region, "lambda", f"/functions/{quote(name, safe='')}")


def log_group(region: str, name: str) -> str:
    """The page of a log group; '' where the console's host is not known."""
    written = quote(quote(name, safe=""), safe="").replace("%", "$")
    return _address(region, "cloudwatch", f"logsV2:log-groups/log-group/{written}")


def cold_starts(region: str, group: str) -> str:
    """CloudWatch Logs Insights with a query for the cold starts of the last week, in either log format."""
    asked = f"end~0~start~-{7 * 86_400}~timeType~'RELATIVE~unit~'seconds~editorString~'{_starred(COLD_STARTS)}"
    query = f"~({asked}~source~(~'{_starred(group)}))"
    return _address(region, "cloudwatch", f"logsV2:logs-insights$3FqueryDetail$3D{query}")


def _starred(text: str) -> str:
    """As CloudWatch writes texts within its addresses: "/" is *2f."""
    return "".join(char if char.isalnum() or char in "-_." else f"*{ord(char):02x}" for char in text)


def repository(uri: str) -> str:
    """The page of the repository that an image URI names, from which its permissions are reached; '' of another's."""
    place = _registry(uri)
    return _address(place[1], "ecr", f"/repositories/private/{place[0]}/{place[2]}") if place else ""


def image(uri: str, digest: str) -> str:
    """The page of an image in ECR; '' where its repository is not known."""
    place = _registry(uri)
    path = f"/repositories/private/{place[0]}/{place[2]}/_/image/{digest}/details" if place else ""
    return _address(place[1], "ecr", path) if place else ""


def _registry(uri: str) -> tuple[str, str, str] | None:
    """Account, region and name of the repository behind an image URI of ECR's."""
    try:
        reference = ImageRef.parse(uri)
    except DrydockError:
        return None
    host = ecr_host(reference.registry)
    return (host.account, host.region, reference.repository) if host else None


def _address(region: str, service: str, path: str) -> str:
    host = HOSTS.get(partition_of(region).name, "")
    if not host:
        return ""
    head = f"https://{host.format(region=region)}/{service}"
    # Lambda's and CloudWatch's pages stand behind the number sign, ECR's are paths.
    return f"{head}{path}?region={region}" if service == "ecr" else f"{head}/home?region={region}#{path}"
