"""Hosts of registries and errors of the network: one reading of each, whatever they are called."""

import socket
import ssl
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from functions_app.domain.ecr_hosts import PARTITIONS, ecr_host, meant_host, plain_host
from functions_app.domain.network_errors import cause_of
from functions_app.domain.refs import ImageRef, repository_of
from tests.fuzz.bounds import bounded
from tests.fuzz.inputs import texts
from tests.fuzz.running import fuzzed

ACCOUNT = "111111111111"
REGIONS = (
    "eu-west-1", "cn-north-1", "us-gov-west-1", "eusc-de-east-1", "us-iso-east-1", "us-isob-east-1", "eu-isoe-west-1",
    "us-isof-south-1", "mx-central-1", "xx-new-9",
)  # fmt: skip
SUFFIXES = {each.name: each.suffix for each in PARTITIONS}
ENDS = sorted({*SUFFIXES.values(), *(each.dual_stack for each in PARTITIONS), "api.aws", "example.org"})
hosts = st.one_of(
    st.builds(
        "{}{}{}{}.{}.{}".format,
        st.sampled_from((f"{ACCOUNT}.", f"{ACCOUNT}.", "1234.", "", "١" * 12 + ".")),
        st.sampled_from(("dkr", "dkr", "api", "")),
        st.sampled_from((".ecr", "-ecr", "ecr", ".s3")),
        st.sampled_from(("", "-fips")),
        st.sampled_from(REGIONS),
        st.sampled_from(ENDS),
    ),
    texts,
)


@fuzzed(400)
@given(hosts)
def test_a_host_is_one_registry_by_whichever_of_its_names_or_none(host: str) -> None:
    with bounded():
        known, meant = ecr_host(host), meant_host(host)
    assert known is None or not meant
    if known:
        assert known.account == ACCOUNT
        assert known.plain == plain_host(known.account, known.region)
        assert known.plain.endswith(f".{known.region}.{SUFFIXES[known.partition]}")
        assert ecr_host(known.plain) == ecr_host(host.upper()) == known
        assert repository_of(f"{host}/team/app:v1") == f"{known.plain}/team/app"
        assert ImageRef.parse(f"{host}/app:v1").canonical.canonical == ImageRef.parse(f"{known.plain}/app:v1")
    if meant and "ACCOUNT" not in meant:
        assert ecr_host(meant) is not None


@fuzzed(40)
@given(st.sampled_from((f"{ACCOUNT}.dkr.ecr.", "api.ecr.", "a-", "ecr.a-")), st.sampled_from(("a-", "a.", "1", "-")))
def test_a_host_without_end_is_read_within_bounds(start: str, unit: str) -> None:
    with bounded():
        for end in ("", "amazonaws.com", ".on.aws"):
            ecr_host(start + unit * 30_000 + end)
            meant_host(start + unit * 30_000 + end)


FAILURES = (
    socket.gaierror(socket.EAI_NONAME, "no name"),
    ConnectionRefusedError(111, "refused"),
    OSError(113, "no route"),
    ssl.SSLError(1, "wrong version"),
    OSError(5, "input/output error"),
    ValueError("odd"),
    TimeoutError("late"),
)


@fuzzed(200)
@given(texts, st.lists(st.tuples(st.sampled_from(FAILURES), st.booleans()), min_size=1, max_size=6), st.integers(0, 6))
def test_of_errors_within_errors_the_outermost_that_is_known_is_told(
    host: str, chain: list[tuple[Exception, bool]], back: int
) -> None:
    made = [type(error)(*error.args) for error, _ in chain]
    alone = [cause_of(host, error) for error in made]
    for (error, inner), (_, raised_from) in zip(pairwise(made), chain, strict=False):
        error.__cause__, error.__context__ = (inner, None) if raised_from else (None, inner)
    if back < len(made):
        made[-1].__context__ = made[back]  # raised from itself, or from what it was raised from
    with bounded():
        cause = cause_of(host, made[0])
    assert cause == next((one for one in alone if one), None)
    assert cause is None or (host in cause.words and cause.next_step)
