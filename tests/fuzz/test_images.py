"""Configs, manifests, indexes, events and findings: read or refused, and what is said of them can be shown."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from functions_app.domain.bases.claims import read_claim
from functions_app.domain.bases.detection import ImageShape, detect
from functions_app.domain.bases.known_releases import KnownReleases
from functions_app.domain.bases.stream_names import Followed
from functions_app.domain.images.advice import AppShape, advise
from functions_app.domain.images.build_steps import kept_step
from functions_app.domain.images.code_order import code_order, installs
from functions_app.domain.images.ecr_events import parse_event, read_event
from functions_app.domain.images.lambda_rules import Check, lambda_rules
from functions_app.domain.images.manifests import (
    HistoryEntry,
    ImageConfig,
    Index,
    Manifest,
    chain_ids,
    parse_config,
    parse_manifest,
)
from functions_app.domain.images.platforms import normalised, wanted
from functions_app.domain.images.scan_answers import read_enhanced, read_finding
from functions_app.domain.images.scans import Finding, worst_first
from functions_app.domain.refs import is_digest
from tests.fuzz.bounds import assert_shown, bounded, told
from tests.fuzz.inputs import json_bytes, texts
from tests.fuzz.running import fuzzed
from tests.fuzz.samples import (
    BASIC_FINDING,
    CONFIG,
    DOCKER,
    ENHANCED_FINDING,
    EVENT,
    IN_SNS,
    INDEX,
    MANIFEST,
)

CHECK_LENGTH, RULE_LENGTH = 12_000, 1000
KNOWN = KnownReleases((), {"python:3.12": Followed("public.ecr.aws/lambda/python:3.12")})
SECRET = "s3cr3tV4lue"
# What build steps are made of.
INSTRUCTIONS = (
    *("COPY ", "ADD ", "RUN ", "ENV ", "ARG ", "/bin/sh -c ", "/bin/sh -c #(nop) ", "#(nop) "),
    *("RUN |1 A=b ", "|2 A=b C=d "),
    *("WORKDIR /", "CMD [", "LABEL ", "# buildkit", "--from=x ", "--chown=1 ", "--mount=type=cache "),
)  # fmt: skip
WORDS = (
    *("pip install ", "npm ci", "yum -y install x", "apt-get update", "go mod download", "mvn package", "uv sync"),
    *("src/ ", "app.py ", ". ", "./ ", "/ ", "dir/", "requirements.txt ", "package*.json "),
    *("file:ab in /var/task ", "in "),
    *("&& ", "|| ", "; ", "| ", "\n", "\\\n", "( ", "{ ", "! ", "sudo ", "A=b ", "=", '"', "'", "[", "]"),
    *(",", " # buildkit"),
)  # fmt: skip
words = st.one_of(st.sampled_from(WORDS), st.sampled_from(WORDS), texts)
steps = st.builds(
    "".join, st.lists(words, max_size=8).flatmap(lambda rest: st.sampled_from([[one, *rest] for one in INSTRUCTIONS]))
)
entries = st.builds(HistoryEntry, steps, st.booleans(), st.none())
SETTINGS = [
    HistoryEntry(text, True, None) for text in ("ENV A=b # buildkit", '/bin/sh -c #(nop)  CMD ["a"]', "LABEL a=b")
]


def check_all(checks: tuple[Check, ...]) -> None:
    """Every answer is a sentence."""
    for check in checks:
        assert check.text
        assert check.ok in (True, False, None)
        assert len(check.text) <= CHECK_LENGTH


def check_rules(manifest: Manifest | Index, config: ImageConfig | None) -> None:
    """Lambda's rules are kept with plans and shown, straight from what a registry holds."""
    for check in lambda_rules(manifest, config, architecture="arm64", size_bytes=1):
        assert_shown(check.text, RULE_LENGTH)


def judge(config: ImageConfig) -> None:
    """Ask all there is to ask of an image."""
    with bounded():
        check_all(advise(AppShape(config, base_layers=1)))
        check_rules(parse_manifest(json.dumps(MANIFEST).encode()), config)
        platform = str(config.platform)
        labels = {key: value for key, value in config.labels.items() if isinstance(value, str)}
        shape = ImageShape(
            chain_ids(config.diff_ids),
            config.diff_ids,
            platform,
            labels=labels,
            entrypoint=config.entrypoint,
            command=config.command,
            env_keys=tuple(key for key, _ in config.env),
            working_directory=config.working_directory,
            history=config.history,
        )
        assert detect(shape, KNOWN).evidence
        if claim := read_claim({}, labels):
            assert len(claim.text) <= 400
        for step in config.history:
            assert_shown(kept_step(step.created_by), 4000)


@fuzzed(400)
@given(json_bytes([CONFIG]))
def test_a_config_is_read_or_refused_and_judged(data: bytes) -> None:
    if config := told(lambda: parse_config(data)):
        assert all(map(is_digest, config.diff_ids))
        assert config.settings_bytes is not None
        assert 0 <= config.settings_bytes <= 2 * len(data) + 100
        judge(config)


@fuzzed(400)
@given(json_bytes([MANIFEST, DOCKER, INDEX]), st.sampled_from(("", MANIFEST["mediaType"], INDEX["mediaType"])))
def test_a_manifest_or_an_index_is_read_or_refused(data: bytes, media_type: str) -> None:
    found = told(lambda: parse_manifest(data, media_type))
    if isinstance(found, Manifest):
        assert all(is_digest(one.digest) and one.size >= 0 for one in (found.config, *found.layers))
    if isinstance(found, Index):
        assert len(found.platforms) <= len(found.entries)
        assert all(str(platform) for platform in found.platforms)
    if found:
        with bounded():
            check_rules(found, None)


@fuzzed(100)
@given(json_bytes([CONFIG, MANIFEST, INDEX]))
def test_it_makes_no_difference_how_a_document_is_written(data: bytes) -> None:
    try:
        document = json.loads(data)
        again = json.dumps(document, indent=2, sort_keys=True).encode()
    except (ValueError, RecursionError):
        return
    assert told(lambda: parse_config(data)) == told(lambda: parse_config(again))
    assert type(told(lambda: parse_manifest(data))) is type(told(lambda: parse_manifest(again)))


@fuzzed(300)
@given(json_bytes([EVENT, IN_SNS]))
def test_an_event_is_read_or_refused(data: bytes) -> None:
    if event := told(lambda: parse_event(read_event(data))):
        assert_shown(event.name, 600)
        assert not event.digest or is_digest(event.digest)


@fuzzed(150)
@given(texts, texts, texts)
def test_a_platform_has_one_name(system: str, architecture: str, variant: str) -> None:
    once = normalised(system, architecture, variant)
    assert normalised(*once) == once
    assert wanted(wanted(system)) == wanted(system)


@fuzzed(400)
@given(st.lists(entries, max_size=6), st.integers(0, 6), st.sampled_from(SETTINGS))
def test_the_order_of_build_steps_is_judged_whatever_they_say(
    history: list[HistoryEntry], at: int, setting: HistoryEntry
) -> None:
    with bounded():
        order = code_order(history)
        installs(history)
    assert order.ok in (True, False, None)
    assert order.ok is not False or (order.copied and order.after)
    told_more = code_order([*history[:at], setting, *history[at:]])
    assert told_more == order


@fuzzed(300)
@given(steps)
def test_a_step_that_is_kept_can_be_shown_and_is_kept_the_same_again(step: str) -> None:
    with bounded():
        kept = kept_step(step)
    assert_shown(kept, 4000)
    assert kept_step(kept) == kept


@fuzzed(200)
@given(st.sampled_from(INSTRUCTIONS), st.sampled_from(("A", "API_TOKEN", "x.y", "_")), texts, st.booleans())
def test_no_value_of_a_variable_is_left_in_a_step(instruction: str, name: str, around: str, quoted: bool) -> None:
    value = f'"{SECRET} {SECRET}"' if quoted else SECRET
    for step in (f"ENV {name}={value}", f"ARG {name}={value} # buildkit", f"/bin/sh -c #(nop)  ENV {name}={value}"):
        assert SECRET not in kept_step(step)
    assert SECRET not in kept_step(f"ENV {name} {SECRET} {SECRET}")
    assert SECRET not in kept_step(f"RUN |1 {name}={value} /bin/sh -c true")
    assert SECRET not in kept_step(f"ENV B={around} {name}={value}")


@fuzzed(150)
@given(st.data())
def test_findings_are_read_as_far_as_they_are_told(data: st.DataObject) -> None:
    words = st.one_of(texts, st.none())
    changed: dict[str, Any] = {}
    for key in BASIC_FINDING.keys() | ENHANCED_FINDING.keys():
        if isinstance((BASIC_FINDING | ENHANCED_FINDING)[key], str) and data.draw(st.booleans()):
            changed[key] = data.draw(words)
    attributes = data.draw(st.lists(st.fixed_dictionaries({}, optional={"key": words, "value": words}), max_size=3))
    package = st.dictionaries(st.sampled_from(("name", "version", "release", "filePath", "fixedInVersion")), words)
    details = {"vulnerabilityId": data.draw(words), "vulnerablePackages": data.draw(st.lists(package, max_size=12))}
    found = [
        read_finding({**BASIC_FINDING, **changed, "attributes": attributes}),
        read_enhanced({**ENHANCED_FINDING, **changed, "packageVulnerabilityDetails": details}),
    ]
    for finding in found:
        assert_shown(finding.name, 120)
        assert_shown(finding.title, 300)
        assert finding.uri.startswith("https://") or not finding.uri
        assert Finding.from_json(json.loads(json.dumps(finding.as_json()))) == finding
    assert worst_first(found) == worst_first(reversed(found))
