"""Verdicts on any three stacks of layers, with programs, imports and build steps of any form: one that can be kept."""

import json

from hypothesis import given
from hypothesis import strategies as st

from functions_app.domain.layers.elves import ElfFacts, NeededVersion
from functions_app.domain.layers.entries import FILE_KINDS, FileEntry, Import, LayerContents, Mark
from functions_app.domain.layers.package_files import Package
from functions_app.domain.rebase.safety.findings import DETAIL, PATH, SHOWN, Verdict
from functions_app.domain.rebase.safety.judge import judge
from functions_app.domain.rebase.safety.sides import AppSide, SideFiles
from tests.fuzz.bounds import assert_shown, told
from tests.fuzz.inputs import texts
from tests.fuzz.running import fuzzed

PARTS = (
    *("usr", "lib", "lib64", "bin", "etc", "opt", "var", "task", "runtime", "rpm", "dpkg", "passwd", "ld.so.cache"),
    *("python3.12", "site-packages", "boto3", "boto3-1.0.dist-info", "node_modules", "@a", "gems", "3.2.0", "x.so.1"),
    *("x.py", "__pycache__", "awslambdaric", "bootstrap", "libc.so.6", "x.cpython-312-x86_64-linux-gnu.so", "..", "$"),
)
LISTS = ("$ORIGIN", "${ORIGIN}/..", "/lib64", "$LIB", "", ":", "/" + "../" * 300, "a/" * 500)
paths = st.lists(st.one_of(st.sampled_from(PARTS), texts), max_size=5).map("/".join)
targets = st.one_of(paths, paths.map("/{}".format), st.sampled_from(["../" * 50, "/", "."]))
digests = st.sampled_from(["", "00" * 32, "11" * 32])
modes = st.integers(0, 0o7777)
entries = st.builds(FileEntry, paths, st.sampled_from(FILE_KINDS), st.integers(0, 2**40), digests, targets, modes)
names = st.one_of(st.sampled_from(["libc.so.6", "x.so.1", "GLIBC_2.34", "/lib64/libc.so.6"]), texts)
lists = st.lists(st.one_of(st.sampled_from(LISTS), texts), max_size=3).map(tuple)
versions = st.lists(st.builds(NeededVersion, names, names, st.booleans()), max_size=3).map(tuple)
problems = st.sampled_from(["", "", "larger than 64 MB"])
sonames = st.lists(names, max_size=3).map(tuple)
bits = st.sampled_from([0, 32, 64])
elves = st.builds(
    ElfFacts, paths, bits, names, names, names, sonames, lists, lists, versions, sonames, problems
)  # fmt: skip
packages = st.builds(
    Package,
    st.sampled_from(["rpm", "deb", "apk", "python"]),
    st.sampled_from(["system-release", "glibc", "base-files", "libc6", "nodejs"]),
    st.one_of(st.sampled_from(["2.34-1", "2:1~rc1", "12.4", "13ubuntu1"]), texts),
    paths,
)


@st.composite
def layers(draw: st.DrawFn) -> LayerContents:
    """A layer, whose programs and packages mostly lie at paths that it has."""
    held = draw(st.lists(entries, max_size=8))
    there = st.sampled_from([entry.path for entry in held]) if held else paths
    return LayerContents(
        tuple(held),
        tuple(draw(st.lists(packages, max_size=3))),
        draw(st.integers(0, 2**40)),
        tuple(draw(st.lists(texts, max_size=1))),
        tuple(draw(st.lists(st.one_of(elves, st.builds(ElfFacts, there)), max_size=4))),
        tuple(draw(st.lists(st.builds(Import, there, st.sampled_from(PARTS)), max_size=3))),
        tuple(draw(st.lists(st.builds(Mark, there, texts), max_size=2))),
        facts_read=draw(st.booleans()),
    )


stacks = st.lists(layers(), max_size=3).map(tuple)
words = st.lists(st.one_of(paths, targets, texts), max_size=4).map(tuple)
commands = st.one_of(texts, st.sampled_from(["RUN dnf install x", "RUN |1 A=b /bin/sh -c " + "rpm -x " * 500]))
environments = st.dictionaries(st.sampled_from(["PATH", "LD_LIBRARY_PATH"]), targets)
bases = st.builds(SideFiles, stacks, st.sampled_from(["", "python", "nodejs"]), texts, texts)
steps = st.lists(commands, max_size=3).map(tuple)
apps = st.builds(
    AppSide, stacks, steps, words, words, targets, environments, environments, words, words
)  # fmt: skip


@given(bases, bases, apps)
@fuzzed(60)
def test_any_layers_have_a_verdict_that_can_be_kept_and_shown(old: SideFiles, new: SideFiles, app: AppSide) -> None:
    verdict = told(lambda: judge(old, new, app))

    if verdict is not None:
        assert Verdict.from_json(json.loads(json.dumps(verdict.as_json()))) == verdict
        assert len({finding.code for finding in verdict.findings}) == len(verdict.findings)
        for finding in verdict.findings:
            assert_shown(finding.detail, DETAIL)
            assert_shown("".join(finding.paths), SHOWN * PATH)
            assert len(finding.paths) <= min(SHOWN, finding.count)
