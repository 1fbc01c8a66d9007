"""What the two bases are as a whole."""

import pytest

from functions_app.domain.layers.entries import LayerContents
from functions_app.domain.layers.package_files import Package
from functions_app.domain.rebase.safety.findings import Level, Offer
from functions_app.domain.rebase.safety.judge import judge
from functions_app.domain.rebase.safety.sides import SideFiles
from functions_app.domain.rebase.safety.systems import older
from tests.domain.rebase.safety.cases import RPM, app, base, codes, file, rpm, the

HANDLER = file("var/task/handler.py")
PYTHON_312 = file("var/lang/bin/python3.12", "1", mode=0o755)
PYTHON_313 = file("var/lang/bin/python3.13", "1", mode=0o755)


def amazon(release: str, glibc: str = "2.34-196.amzn2023.0.1") -> SideFiles:
    return base(packages=[rpm("glibc", glibc), rpm("system-release", release)])


def debian(base_files: str, libc: str = "2.36-9+deb12u4") -> SideFiles:
    status = "var/lib/dpkg/status"
    packages = (Package("deb", "base-files", base_files, status), Package("deb", "libc6", libc, status))
    return SideFiles((LayerContents((file(status),), packages),))


def alpine(release: str) -> SideFiles:
    path = "lib/apk/db/installed"
    return SideFiles((LayerContents((file(path),), (Package("apk", "alpine-release", release, path),)),))


# Operating systems


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (amazon("2-16.amzn2", "2.26-64"), amazon("2023.8.20260510-0.amzn2023")),
        (amazon("2023.8.20260510-0.amzn2023"), amazon("2-16.amzn2", "2.26-64")),
        (debian("12.4+deb12u5"), debian("13.1", "2.41-12")),
        (debian("12.4+deb12u5"), debian("13ubuntu10.1", "2.39-0ubuntu8")),
        (debian("12.4+deb12u5"), amazon("2023.8.20260510-0.amzn2023")),
        (alpine("3.19.4-r0"), alpine("3.20.3-r0")),
    ],
)
def test_another_operating_system_or_major_release_is_unsafe_and_offered_as_a_move(
    old: SideFiles, new: SideFiles
) -> None:
    judged = judge(old, new, app(HANDLER))

    assert (judged.level, "os-changed" in codes(judged)) == (Level.UNSAFE, True)
    assert judged.offer == Offer.MOVE


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (amazon("2023.8.20260510-0.amzn2023"), amazon("2023.9.20260610-0.amzn2023")),
        (debian("12.4+deb12u5"), debian("12.11+deb12u12")),
        (alpine("3.20.2-r0"), alpine("3.20.10-r0")),
    ],
)
def test_a_newer_release_of_the_same_operating_system_is_safe(old: SideFiles, new: SideFiles) -> None:
    assert codes(judge(old, new, app(HANDLER))) == []


def test_a_move_names_both_systems() -> None:
    judged = judge(amazon("2-16.amzn2", "2.26-64"), amazon("2023.8.20260510-0"), app(HANDLER))

    assert (the(judged, "os-changed").detail, judged.offer) == ("Amazon Linux 2 → Amazon Linux 2023", Offer.MOVE)


def test_a_move_back_is_offered_as_a_move_too() -> None:
    """C libraries of two systems say nothing about each other."""
    judged = judge(amazon("2023.8.20260510-0"), amazon("2-16.amzn2", "2.26-64"), app(HANDLER))

    assert (codes(judged), judged.offer) == (["os-changed"], Offer.MOVE)


def test_an_older_release_of_the_operating_system_is_unsafe() -> None:
    judged = judge(amazon("2023.10.20260510-0.amzn2023"), amazon("2023.9.20260410-0.amzn2023"), app(HANDLER))

    assert (judged.level, codes(judged)) == (Level.UNSAFE, ["os-older"])


def test_an_older_c_library_is_unsafe_and_a_newer_one_is_not() -> None:
    old, new = amazon("2023.8.2", "2.34-52.amzn2023.0.10"), amazon("2023.8.2", "2.34-52.amzn2023.0.9")

    assert codes(judge(old, new, app(HANDLER))) == ["libc-older"]
    assert codes(judge(new, old, app(HANDLER))) == []


def test_a_system_that_no_package_tells_is_for_review_where_there_is_a_c_library() -> None:
    libc = file("lib64/libc.so.6")
    unknown = base(libc, packages=[])

    judged = judge(unknown, unknown, app(HANDLER))

    assert (judged.level, codes(judged)) == (Level.REVIEW, ["os-unknown"])
    assert codes(judge(base(packages=[]), base(packages=[]), app(HANDLER))) == []
    assert codes(judge(unknown, unknown, app())) == []


def test_a_system_that_no_package_tells_is_what_its_stream_is_known_for() -> None:
    layers = (LayerContents((file("lib64/libc.so.6"),)),)
    two, three = SideFiles(layers, os="al2"), SideFiles(layers, os="al2023")

    assert codes(judge(two, three, app(HANDLER))) == ["os-changed"]
    assert codes(judge(two, two, app(HANDLER))) == []


def test_a_database_that_a_higher_layer_replaced_tells_nothing() -> None:
    below = LayerContents((file(RPM, "1"),), (rpm("system-release", "2-16.amzn2"),))
    above = LayerContents((file(RPM, "2"),), (rpm("system-release", "2023.8-0"),))

    assert codes(judge(SideFiles((below, above)), amazon("2023.8-0"), app(HANDLER))) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [("2.26", "2.34"), ("2.9", "2.34"), ("12.4+deb12u5", "12.4+deb12u13"), ("2.36~rc1", "2.36"), ("1:1.0", "2:0.1"),
     ("2.36", "2.36-1"), ("1.0a", "1.0.1")],
)  # fmt: skip
def test_versions_are_compared_as_package_managers_do(one: str, other: str) -> None:
    assert older(one, other)
    assert not older(other, one)
    assert not older(one, one)


# Interpreters


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (base(version="3.12"), base(version="3.13")),
        (base(version="3.13"), base(version="3.12")),
        (base(runtime="nodejs", version="20"), base(runtime="nodejs", version="22")),
        (base(runtime="nodejs", version="22"), base(runtime="python", version="3.12")),
        (base(PYTHON_312, runtime=""), base(PYTHON_313, runtime="")),
        (base(file("usr/lib/jvm/java-17-amazon-corretto/release"), runtime=""), base(runtime="")),
        (base(packages=[rpm("nodejs", "1:20.18.0-1"), rpm("system-release", "2023-1")], runtime=""),
         base(packages=[rpm("nodejs", "1:22.1.0-1"), rpm("system-release", "2023-1")], runtime="")),
    ],
)  # fmt: skip
def test_another_minor_version_of_the_interpreter_is_unsafe(old: SideFiles, new: SideFiles) -> None:
    judged = judge(old, new, app(HANDLER))

    assert (judged.level, codes(judged)) == (Level.UNSAFE, ["interpreter-changed"])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (base(version="17", runtime="java"), base(version="17.al2023", runtime="java")),
        (base(PYTHON_312), base(PYTHON_312, PYTHON_313)),
        (base(runtime="provided", version="al2023"), base(runtime="provided", version="al2023")),
        (base(runtime="", version=""), base()),
    ],
)
def test_the_same_interpreter_under_another_tag_or_beside_another_is_safe(old: SideFiles, new: SideFiles) -> None:
    assert codes(judge(old, new, app(HANDLER))) == []


@pytest.mark.parametrize(
    ("path", "runtime", "versions"),
    [
        ("var/task/numpy/_core.cpython-312-x86_64-linux-gnu.so", "python", ("3.12", "3.13")),
        ("var/task/node_modules/bcrypt/lib/bcrypt_lib.node", "nodejs", ("20", "22")),
        ("var/task/vendor/bundle/ruby/3.2.0/extensions/x86_64-linux/3.2.0/json-2.7/parser.so", "ruby", ("3.2", "3.3")),
    ],
)
def test_extensions_compiled_for_the_interpreter_that_is_gone_are_named(
    path: str, runtime: str, versions: tuple[str, str]
) -> None:
    old, new = (base(runtime=runtime, version=version) for version in versions)

    judged = judge(old, new, app(file(path)))

    assert the(judged, "native-abi").paths == (path,)
    assert codes(judge(old, old, app(file(path)))) == []


@pytest.mark.parametrize(
    "path",
    ["var/task/x.abi3.so", "var/task/x.cpython-311-x86_64-linux-gnu.so", "var/task/x.py", "var/task/libx.so",
     "var/task/node_modules/x/prebuilds/linux-x64/node.napi.node"],
)  # fmt: skip
def test_what_is_compiled_for_no_interpreter_or_another_one_is_not_named(path: str) -> None:
    assert codes(judge(base(), base(version="3.13"), app(file(path)))) == ["interpreter-changed"]


def test_an_app_with_an_interpreter_of_its_own_serves_its_own_extensions() -> None:
    own = [file("opt/python/bin/python3.12", mode=0o755), file("opt/x.cpython-312-x86_64-linux-gnu.so")]

    assert codes(judge(base(), base(version="3.13"), app(*own))) == ["interpreter-changed"]
