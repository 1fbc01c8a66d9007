"""The demo fleet as an operator's tools see it: each case that it promises, through plain boto3 and /v2."""

import json
import re
import subprocess
import sys
import time
from base64 import b64decode
from collections.abc import Iterator
from functools import cache
from typing import Any

import httpx
import pytest

from sandbox.images.bases import STREAMS, BaseStream
from tests.fixtures import ENVIRONMENT, ROOT, Sandbox, login
from tests.sandbox.serving import serving

PRODUCTION, STAGING = "111111111111", "222222222222"
EUROPE, AMERICA = "eu-west-1", "us-east-1"
PLACES = [(PRODUCTION, EUROPE), (PRODUCTION, AMERICA), (STAGING, EUROPE), (STAGING, AMERICA)]
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
DATED = re.compile(r"\d{4}\.\d{2}\.\d{2}\.\d{2}$")


class Demo:
    """The running demo, and the questions that tools ask of it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.client = cache(self._client)  # making one takes longer than most calls
        self.public = httpx.Client(base_url=f"{sandbox.url}/v2", follow_redirects=True)

    def _client(self, service: str, account: str = PRODUCTION, region: str = EUROPE) -> Any:
        return self.sandbox.client(service, region, account)

    def functions(self, account: str, region: str) -> list[dict[str, Any]]:
        pages = self.client("lambda", account, region).get_paginator("list_functions").paginate()
        return [function for page in pages for function in page["Functions"]]

    def digest_of(self, function: str, qualifier: str, region: str = EUROPE) -> str:
        configuration = self.client("lambda", PRODUCTION, region).get_function_configuration(
            FunctionName=function, Qualifier=qualifier
        )
        return f"sha256:{configuration['CodeSha256']}"

    def chain(self, repository: str, digest: str, region: str = EUROPE) -> list[str]:
        """The diff_ids of a private image."""
        ecr = self.client("ecr", PRODUCTION, region)
        found = ecr.batch_get_image(repositoryName=repository, imageIds=[{"imageDigest": digest}])["images"][0]
        config = json.loads(found["imageManifest"])["config"]["digest"]
        url = f"{self.sandbox.url}/v2/{repository}/blobs/{config}"
        blob = httpx.get(url, auth=login(ecr), follow_redirects=True).raise_for_status()
        return list(blob.json()["rootfs"]["diff_ids"])

    def golden(self) -> list[list[str]]:
        """The diff_ids of the golden image's releases, newest first."""
        names = ("3.12-1.5.0", "3.12-1.4.0", "3.12-1.3.0")
        ecr = self.client("ecr")
        found = [
            ecr.describe_images(repositoryName="platform/python-golden", imageIds=[{"imageTag": name}])
            for name in names
        ]
        return [self.chain("platform/python-golden", answer["imageDetails"][0]["imageDigest"]) for answer in found]

    def releases(self, stream: BaseStream, platform: str = "x86_64") -> list[list[str]]:
        """The diff_ids of a stream's dated releases, newest first."""
        dated = [tag for tag in self.tags(stream) if tag.startswith(f"{stream.tag}.") and DATED.search(tag)]
        return [self.public_chain(stream, f"{tag}-{platform}") for tag in sorted(dated, reverse=True)]

    def tags(self, stream: BaseStream) -> list[str]:
        return list(self.public.get(f"/{stream.repository}/tags/list").raise_for_status().json()["tags"])

    def public_manifest(self, stream: BaseStream, reference: str) -> httpx.Response:
        accept = {"Accept": f"{MANIFEST}, {INDEX}"}
        return self.public.get(f"/{stream.repository}/manifests/{reference}", headers=accept).raise_for_status()

    def public_chain(self, stream: BaseStream, reference: str) -> list[str]:
        config = self.public_manifest(stream, reference).json()["config"]["digest"]
        blob = self.public.get(f"/{stream.repository}/blobs/{config}").raise_for_status()
        return list(blob.json()["rootfs"]["diff_ids"])

    def base(self, function: str, repository: str, qualifier: str = "live", region: str = EUROPE) -> tuple[str, int]:
        """Stream and releases behind of what an alias runs; ("unknown", 0) when no release is its beginning."""
        chain = self.chain(repository, self.digest_of(function, qualifier, region), region)
        for stream in STREAMS:
            for behind, release in enumerate(self.releases(stream)):
                if chain[: len(release)] == release:
                    return stream.name, behind
        return "unknown", 0

    def invoke(self, function: str, payload: object = None, region: str = EUROPE) -> dict[str, Any]:
        answer = self.client("lambda", PRODUCTION, region).invoke(
            FunctionName=function, Qualifier="live", LogType="Tail", Payload=json.dumps(payload).encode()
        )
        return {**answer, "Payload": json.loads(answer["Payload"].read())}


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """`python -m sandbox --fleet demo`."""
    with serving("--fleet", "demo") as sandbox:
        opened = Demo(sandbox)
        yield opened
        opened.public.close()


# Size and variety


def test_the_fleet_has_at_least_thirty_functions_in_two_accounts_and_two_regions(demo: Demo) -> None:
    counts = {place: len(demo.functions(*place)) for place in PLACES}
    assert all(counts.values())
    assert sum(counts.values()) >= 30


def test_the_fleet_has_nine_repositories_with_several_tagged_images_each(demo: Demo) -> None:
    found = []
    for account, region in PLACES:
        ecr = demo.client("ecr", account, region)
        for repository in ecr.describe_repositories()["repositories"]:
            images = ecr.describe_images(repositoryName=repository["repositoryName"])["imageDetails"]
            assert len([image for image in images if image.get("imageTags")]) >= 3
            found.append(repository["repositoryUri"])
    assert len(found) == len(set(found)) == 9


def test_staging_is_another_account_that_is_reached_by_its_role(demo: Demo) -> None:
    sts = demo.sandbox.sts
    assert sts.get_caller_identity()["Account"] == PRODUCTION
    keys = sts.assume_role(RoleArn=f"arn:aws:iam::{STAGING}:role/drydock", RoleSessionName="demo")["Credentials"]
    assert keys["AccessKeyId"]
    assert demo.client("sts", STAGING).get_caller_identity()["Account"] == STAGING


def test_functions_say_who_owns_them_and_what_else_manages_them(demo: Demo) -> None:
    functions = demo.client("lambda")
    by_terraform = functions.get_function(FunctionName="orders-api")["Tags"]
    assert by_terraform["owner"] == "orders@harbour.example"
    assert by_terraform["managed-by"] == "terraform"
    by_stack = functions.get_function(FunctionName="invoice-pdf")["Tags"]
    assert by_stack["aws:cloudformation:stack-name"] == "billing-functions"
    assert "managed-by" not in functions.get_function(FunctionName="geo-lookup")["Tags"]


def test_a_function_has_several_versions_and_aliases(demo: Demo) -> None:
    functions = demo.client("lambda")
    versions = functions.list_versions_by_function(FunctionName="orders-api")["Versions"]
    assert [version["Version"] for version in versions] == ["$LATEST", "1", "2", "3", "4"]
    assert len({version["CodeSha256"] for version in versions[1:]}) == 4
    aliases = functions.list_aliases(FunctionName="orders-api")["Aliases"]
    assert {alias["Name"]: alias["FunctionVersion"] for alias in aliases} == {"live": "4", "previous": "3"}


# Base images


@pytest.fixture(params=STREAMS, ids=lambda stream: stream.name)
def stream(request: pytest.FixtureRequest) -> BaseStream:
    known: BaseStream = request.param
    return known


def test_each_stream_has_four_dated_releases(demo: Demo, stream: BaseStream) -> None:
    assert len(demo.releases(stream)) == 4


def test_the_moving_tag_is_the_newest_release(demo: Demo, stream: BaseStream) -> None:
    newest = max(tag for tag in demo.tags(stream) if tag.startswith(f"{stream.tag}.") and DATED.search(tag))
    for suffix in ("", "-x86_64", "-arm64"):
        moving = demo.public_manifest(stream, stream.tag + suffix)
        assert (
            moving.headers["Docker-Content-Digest"]
            == (demo.public_manifest(stream, newest + suffix).headers["Docker-Content-Digest"])
        )


def test_the_tag_without_a_suffix_is_an_index_of_both_platforms(demo: Demo, stream: BaseStream) -> None:
    index = demo.public_manifest(stream, stream.tag).json()
    platforms = [entry["platform"]["architecture"] for entry in index["manifests"]]
    assert platforms == ["amd64", "arm64"]


def test_the_newest_golden_image_stands_on_a_base_that_is_not_the_newest(demo: Demo) -> None:
    python = next(stream for stream in STREAMS if stream.name == "python:3.12")
    beneath = [chain[:-2] for chain in demo.golden()]
    assert beneath == demo.releases(python)[1:]


def test_the_golden_images_moving_tag_is_its_newest_release(demo: Demo) -> None:
    images = demo.client("ecr").describe_images(repositoryName="platform/python-golden")["imageDetails"]
    assert sorted(sorted(image["imageTags"]) for image in images) == [
        ["3.12", "3.12-1.5.0"],
        ["3.12-1.3.0"],
        ["3.12-1.4.0"],
    ]


@pytest.mark.parametrize(("function", "behind"), [("catalog-api", 0), ("catalog-feed", 0), ("catalog-search", 1)])
def test_a_function_stands_on_a_release_of_the_golden_image(demo: Demo, function: str, behind: int) -> None:
    chain, release = demo.chain("shop/catalog", demo.digest_of(function, "live")), demo.golden()[behind]
    assert chain[: len(release)] == release


# The cases a user must see


@pytest.mark.parametrize(
    ("function", "repository", "region", "expected"),
    [
        ("orders-api", "shop/orders", EUROPE, ("python:3.12", 0)),
        ("thumbnailer", "media/pipeline", AMERICA, ("nodejs:22", 0)),
        ("video-probe", "media/pipeline", AMERICA, ("provided:al2023", 0)),
        ("cart-api", "shop/orders", EUROPE, ("python:3.12", 1)),
        ("exif-strip", "media/pipeline", AMERICA, ("provided:al2023", 1)),
        ("stock-sync", "shop/orders", EUROPE, ("python:3.12", 3)),
        ("image-resize", "media/pipeline", AMERICA, ("nodejs:22", 3)),
        ("invoice-pdf", "billing/documents", EUROPE, ("python:3.9", 0)),
        ("geo-lookup", "platform/tools", EUROPE, ("unknown", 0)),
    ],
)
def test_a_function_stands_on_the_base_that_its_layers_begin_with(
    demo: Demo, function: str, repository: str, region: str, expected: tuple[str, int]
) -> None:
    assert demo.base(function, repository, region=region) == expected


def test_a_tag_has_moved_since_a_function_was_deployed_by_it(demo: Demo) -> None:
    code = demo.client("lambda").get_function(FunctionName="price-feed", Qualifier="live")["Code"]
    assert code["ImageUri"].endswith("/shop/orders:live")
    now = demo.client("ecr").describe_images(repositoryName="shop/orders", imageIds=[{"imageTag": "live"}])
    assert code["ResolvedImageUri"].split("@")[1] != now["imageDetails"][0]["imageDigest"]


def test_an_alias_splits_its_traffic_90_to_10(demo: Demo) -> None:
    alias = demo.client("lambda").get_alias(FunctionName="checkout-api", Name="live")
    assert alias["FunctionVersion"] == "2"
    assert alias["RoutingConfig"]["AdditionalVersionWeights"] == {"3": 0.1}


def test_the_image_behind_a_rollback_alias_is_gone_from_ecr(demo: Demo) -> None:
    ecr, digest = demo.client("ecr"), demo.digest_of("receipt-archive", "rollback")
    with pytest.raises(ecr.exceptions.ImageNotFoundException):
        ecr.describe_images(repositoryName="billing/documents", imageIds=[{"imageDigest": digest}])
    live = demo.digest_of("receipt-archive", "live")
    assert ecr.describe_images(repositoryName="billing/documents", imageIds=[{"imageDigest": live}])["imageDetails"]


@pytest.mark.parametrize(
    ("function", "region", "state", "code"),
    [
        ("orders-api", EUROPE, "Active", None),
        ("season-archive", EUROPE, "Inactive", "Idle"),
        ("subtitle-burn", AMERICA, "Failed", "ImageAccessDenied"),
    ],
)
def test_a_function_is_in_the_state_that_the_demo_promises(
    demo: Demo, function: str, region: str, state: str, code: str | None
) -> None:
    configuration = demo.client("lambda", PRODUCTION, region).get_function_configuration(FunctionName=function)
    assert (configuration["State"], configuration.get("StateReasonCode")) == (state, code)


@pytest.mark.parametrize("tag", ["1.8.0-multi", "1.8.0-arm64"])
def test_an_index_and_an_arm64_image_are_there_to_be_refused(demo: Demo, tag: str) -> None:
    functions = demo.client("lambda")
    uri = f"{PRODUCTION}.dkr.ecr.{EUROPE}.amazonaws.com/shop/orders:{tag}"
    with pytest.raises(functions.exceptions.InvalidParameterValueException):
        functions.update_function_code(FunctionName="orders-api", ImageUri=uri, DryRun=True)


def test_an_image_of_staging_is_there_that_production_may_not_pull(demo: Demo) -> None:
    functions = demo.client("lambda")
    uri = f"{STAGING}.dkr.ecr.{EUROPE}.amazonaws.com/shop/orders:1.8.0"
    with pytest.raises(functions.exceptions.ClientError, match="does not have permission to access the ECR image"):
        functions.update_function_code(FunctionName="orders-api", ImageUri=uri, DryRun=True)


def test_scans_found_more_on_older_bases_and_staging_is_not_scanned(demo: Demo) -> None:
    def counts(tag: str, account: str = PRODUCTION) -> dict[str, int] | None:
        answer = demo.client("ecr", account).describe_images(repositoryName="shop/orders", imageIds=[{"imageTag": tag}])
        summary = answer["imageDetails"][0].get("imageScanFindingsSummary")
        return summary and dict(summary["findingSeverityCounts"])

    assert counts("1.8.0") == {"LOW": 1}
    assert counts("1.5.0") == {"LOW": 1, "MEDIUM": 3, "HIGH": 3}
    assert counts("1.8.0", STAGING) is None


def test_an_expired_scan_and_a_clean_one_are_there_to_be_told_apart(demo: Demo) -> None:
    def status(tag: str) -> tuple[str, dict[str, int] | None]:
        answer = demo.client("ecr").describe_images(repositoryName="billing/documents", imageIds=[{"imageTag": tag}])
        (image,) = answer["imageDetails"]
        summary = image.get("imageScanFindingsSummary")
        return image["imageScanStatus"]["status"], summary and dict(summary["findingSeverityCounts"])

    assert status("2.1.0") == ("SCAN_ELIGIBILITY_EXPIRED", None)
    assert status("3.1.0") == ("COMPLETE", {})


def test_inspectors_findings_name_layers_of_the_base_and_of_the_app(demo: Demo) -> None:
    ecr = demo.client("ecr", region=AMERICA)
    tag = {"imageTag": "thumbs-4.0.0"}
    found = ecr.describe_image_scan_findings(repositoryName="media/pipeline", imageId=tag)["imageScanFindings"]
    packages = [
        finding["packageVulnerabilityDetails"]["vulnerablePackages"][0] for finding in found["enhancedFindings"]
    ]
    (image,) = ecr.batch_get_image(repositoryName="media/pipeline", imageIds=[tag])["images"]
    layers = [layer["digest"] for layer in json.loads(image["imageManifest"])["layers"]]
    assert {layers.index(package["sourceLayerHash"]) for package in packages} == {0, len(layers) - 2}


# Calls


def test_a_lifecycle_policy_would_delete_an_image_that_functions_run(demo: Demo) -> None:
    ecr = demo.client("ecr")
    ecr.start_lifecycle_policy_preview(repositoryName="platform/tools")
    (expiring,) = ecr.get_lifecycle_policy_preview(repositoryName="platform/tools")["previewResults"]
    assert (expiring["imageTags"], expiring["appliedRulePriority"]) == (["1.0.0"], 2)


def test_the_order_api_answers_from_its_handler(demo: Demo) -> None:
    answer = demo.invoke("orders-api", {"httpMethod": "POST", "body": '{"items": {"rope": 2}}'})
    assert "FunctionError" not in answer
    assert answer["ExecutedVersion"] == "4"
    assert json.loads(answer["Payload"]["body"]) == {"total": 37.0, "currency": "EUR", "release": "1.8.0"}


@pytest.mark.parametrize(
    ("function", "payload", "expected"),
    [
        ("echo", {"anchor": 1}, {"event": {"anchor": 1}, "function": "echo", "version": "3", "stage": "production"}),
        (
            "orders-events",
            {"Records": [{"messageId": "m-1", "body": "no"}]},
            {"batchItemFailures": [{"itemIdentifier": "m-1"}]},
        ),
        ("invoice-pdf", {"number": "2026-0007"}, {"key": "invoices/2026-0007.pdf", "total": 240.0}),
        ("nightly-report", {"pause": 0}, {"stages": ["collect", "aggregate", "render", "store"]}),
        ("geo-lookup", "hello", {"event": "hello"}),
        ("catalog-search", "rope", {"event": "rope", "function": "catalog-search"}),
    ],
)
def test_a_python_function_runs_the_handler_of_its_image(
    demo: Demo, function: str, payload: object, expected: dict[str, object]
) -> None:
    answer = demo.invoke(function, payload)["Payload"]
    assert {name: answer.get(name) for name in expected} == expected


def test_payment_retry_fails(demo: Demo) -> None:
    answer = demo.invoke("payment-retry", {"payment_id": "pay_7"})
    assert answer["FunctionError"] == "Unhandled"
    assert answer["Payload"]["errorType"] == "UpstreamUnavailableError"


def test_ledger_reconcile_times_out(demo: Demo) -> None:
    answer = demo.invoke("ledger-reconcile")
    assert answer["FunctionError"] == "Unhandled"
    assert "Task timed out after 3.00 seconds" in answer["Payload"]["errorMessage"]


def test_log_chatter_writes_as_many_lines_as_it_is_told(demo: Demo) -> None:
    answer = demo.invoke("log-chatter", {"seconds": 0.5})
    assert answer["Payload"] == {"lines": 5}
    assert "line 0005 of 5" in b64decode(answer["LogResult"]).decode()


def test_log_chatter_writes_200_lines_otherwise_and_they_arrive_while_it_runs(demo: Demo) -> None:
    functions, logs = demo.client("lambda"), demo.client("logs")
    functions.invoke(FunctionName="log-chatter", Qualifier="live", InvocationType="Event", Payload=b"{}")
    deadline = time.monotonic() + 20
    messages: list[str] = []
    while not any("line 0003 of 200" in message for message in messages):
        assert time.monotonic() < deadline, f"no third line among {messages}"
        time.sleep(0.05)
        events = logs.filter_log_events(logGroupName="/aws/lambda/log-chatter")["events"]
        messages = [event["message"] for event in events]
    assert not any("line 0200 of 200" in message for message in messages)


@pytest.mark.parametrize(("function", "field"), [("thumbnailer", "thumbnails"), ("video-probe", "streams")])
def test_a_function_that_is_not_python_answers_as_recorded_and_says_so(demo: Demo, function: str, field: str) -> None:
    answer = demo.invoke(function, {}, region=AMERICA)
    assert answer["Payload"][field]
    assert "recorded" in b64decode(answer["LogResult"]).decode()


# The whole


def test_the_same_day_gives_the_same_fleet() -> None:
    program = (
        "import hashlib\n"
        "from datetime import date\n"
        "from sandbox.server import create_app\n"
        "create_app()\n"
        "from sandbox.fleet.seed import seed\n"
        "from sandbox.lambda_.spaces import space\n"
        "seed('demo', date(2026, 11, 21))\n"
        "for place in [('111111111111', 'eu-west-1'), ('222222222222', 'us-east-1')]:\n"
        "    for function in space(*place).functions.values():\n"
        "        print([function.configuration(version) for version in function.all_versions()], function.aliases)\n"
    )
    command = [sys.executable, "-c", program]
    first, second = (
        subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    )
    assert first == second
    assert "orders-api" in first
