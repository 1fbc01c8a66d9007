"""Files of the base that an app's layers write, hide or link to."""

import pytest

from functions_app.domain.layers.entries import LayerContents, Mark
from functions_app.domain.layers.package_files import Package
from functions_app.domain.rebase.safety.findings import Level
from functions_app.domain.rebase.safety.judge import judge
from functions_app.domain.rebase.safety.sides import AppSide
from tests.domain.rebase.safety.cases import SITE, app, base, codes, file, folder, hard, hides, link, verdict

BOOT = "var/runtime/bootstrap.py"


# Code


def test_an_override_of_code_that_changed_is_unsafe() -> None:
    judged = verdict([file(BOOT, "1")], [file(BOOT, "2")], file(BOOT, "mine"))

    assert (judged.level, codes(judged), judged.findings[0].paths) == (Level.UNSAFE, ["override-changed"], (BOOT,))


def test_an_override_of_code_that_the_new_base_dropped_is_unsafe() -> None:
    assert codes(verdict([file(BOOT, "1")], [], file(BOOT, "mine"))) == ["override-changed"]


def test_an_override_of_code_that_did_not_change_is_safe() -> None:
    assert verdict([file(BOOT, "1")], [file(BOOT, "1")], file(BOOT, "mine")).level == Level.SAFE


def test_a_change_of_its_mode_alone_is_no_change_of_code() -> None:
    assert codes(verdict([file(BOOT, "1")], [file(BOOT, "1", mode=0o600)], file(BOOT, "mine"))) == []


def test_a_copy_of_the_old_bases_code_is_for_review() -> None:
    judged = verdict([file(BOOT, "1")], [file(BOOT, "2")], file(BOOT, "1", mode=0o755))

    assert (judged.level, codes(judged)) == (Level.REVIEW, ["override-copy"])


def test_an_override_that_is_what_the_new_base_has_is_safe() -> None:
    assert codes(verdict([file(BOOT, "1")], [file(BOOT, "2")], file(BOOT, "2"))) == []


def test_a_file_that_a_later_layer_of_the_app_takes_back_overrides_nothing() -> None:
    layers = (LayerContents((file("opt/x.py", "mine"),)), LayerContents((hides("opt/x.py"),)))

    assert codes(judge(base(), base(), AppSide(layers))) == []


@pytest.mark.parametrize(
    "path", [f"{SITE}/boto3/__pycache__/session.cpython-312.pyc", "var/lang/lib/python3.12/os.pyc"]
)
def test_compiled_python_is_no_override(path: str) -> None:
    assert codes(verdict([file(path, "1")], [file(path, "2")], file(path, "3"))) == []


@pytest.mark.parametrize(
    ("path", "mode"),
    [
        ("usr/lib64/libssl.so.3", 0o644),
        ("usr/bin/curl", 0o755),
        ("lambda-entrypoint.sh", 0o755),
        ("usr/lib/jvm/java-17/lib/modules", 0o644),
        ("opt/tool/config.js", 0o644),
        ("etc/profile.d/lang.sh", 0o644),
        ("srv/worker", 0o755),
    ],
)
def test_code_is_told_by_its_extension_its_mode_or_where_it_lies(path: str, mode: int) -> None:
    old, new = [file(path, "1", mode=mode)], [file(path, "2", mode=mode)]

    assert codes(verdict(old, new, file(path, "mine"))) == ["override-changed"]


@pytest.mark.parametrize(
    "path", ["usr/share/doc/curl/README", "usr/share/zoneinfo/UTC", "var/cache/yum/x", "usr/lib/x/LICENSE"]
)
def test_documents_and_time_zones_are_no_code(path: str) -> None:
    assert codes(verdict([file(path, "1")], [file(path, "2")], file(path, "mine"))) == []


def test_a_link_among_libraries_is_code() -> None:
    path = "usr/lib64/libssl.so.3"
    old, new = [link(path, "libssl.so.3.0.8")], [link(path, "libssl.so.3.0.9")]

    assert codes(verdict(old, new, link(path, "/opt/ssl/libssl.so.3"))) == ["override-changed"]


def test_settings_that_changed_and_the_app_overrides_are_for_review() -> None:
    path = "etc/nginx/nginx.conf"

    judged = verdict([file(path, "1")], [file(path, "2")], file(path, "mine"))

    assert (judged.level, codes(judged)) == (Level.REVIEW, ["settings-override"])
    assert codes(verdict([file(path, "1")], [file(path, "1")], file(path, "mine"))) == []


# Hidden


def test_new_code_of_the_base_that_the_app_hides_is_unsafe() -> None:
    tool = "usr/local/bin/tool"

    judged = verdict([], [file(tool, "theirs", mode=0o755)], file(tool, "mine"))

    assert (judged.level, codes(judged)) == (Level.UNSAFE, ["hides-new-code"])


def test_new_code_beneath_a_directory_that_the_app_took_away_is_hidden() -> None:
    old = [file("usr/lib/tools/a.sh")]

    judged = verdict(old, [*old, file("usr/lib/tools/b.sh")], hides("usr/lib/tools"))

    assert (codes(judged), judged.findings[0].paths) == (["hides-new-code"], ("usr/lib/tools/b.sh",))


def test_new_data_may_be_hidden_and_new_code_elsewhere_is_not() -> None:
    old = [file("usr/share/doc/a")]
    new = [*old, file("usr/share/doc/b"), file("usr/bin/new", mode=0o755)]

    assert codes(verdict(old, new, hides("usr/share/doc"), file("var/task/new", mode=0o755))) == []


def test_an_opaque_directory_over_the_bases_is_for_review() -> None:
    both = [file("etc/app/a.conf")]

    judged = verdict(both, both, hides("etc/app", "opaque"), file("etc/app/b.conf"))

    assert (judged.level, codes(judged)) == (Level.REVIEW, ["opaque-directory"])


def test_an_opaque_directory_over_nothing_hides_nothing() -> None:
    """overlayfs marks directories of the app's own."""
    both = [folder("var/task")]

    assert codes(verdict(both, both, hides("var/task", "opaque"), hides("opt/mine", "opaque"))) == []


def test_a_shared_library_of_the_base_that_is_removed_is_for_review() -> None:
    both = [file("usr/lib64/libcurl.so.4", "1")]

    judged = verdict(both, both, hides("usr/lib64/libcurl.so.4"))

    assert (judged.level, codes(judged)) == (Level.REVIEW, ["library-removed"])


def test_another_file_of_the_base_may_be_removed() -> None:
    both = [file("usr/bin/curl", "1"), file("usr/share/libs.so.txt")]

    assert codes(verdict(both, both, hides("usr/bin/curl"))) == []


# Hard links and privileges


def test_a_hard_link_to_a_file_of_the_base_that_changed_is_unsafe() -> None:
    old, new = [file("usr/share/data/a", "1")], [file("usr/share/data/a", "2")]

    judged = verdict(old, new, hard("var/task/a", "usr/share/data/a"))

    assert (judged.level, codes(judged), judged.findings[0].paths) == (
        Level.UNSAFE, ["hard-link-changed"], ("var/task/a",),
    )  # fmt: skip


def test_a_hard_link_to_a_file_that_is_the_same_or_the_apps_own_is_safe() -> None:
    old, new = (
        [file("usr/share/a", "1"), file("usr/share/b", "1")],
        [file("usr/share/a", "1"), file("usr/share/b", "2")],
    )

    assert codes(verdict(old, new, hard("var/task/a", "usr/share/a"))) == []
    assert codes(verdict(old, new, file("var/task/b"), hard("var/task/c", "var/task/b"))) == []


def test_setuid_on_a_file_of_the_base_is_for_review() -> None:
    both = [file("usr/bin/ping", "1", mode=0o755)]

    judged = verdict(both, both, file("usr/bin/ping", "1", mode=0o4755))

    assert (judged.level, codes(judged)) == (Level.REVIEW, ["privileges"])
    assert codes(verdict(both, both, file("var/task/own", mode=0o4755))) == []


def test_a_capability_on_a_file_of_the_base_is_for_review_and_named() -> None:
    def judged(path: str) -> list[tuple[str, str]]:
        contents = LayerContents((file(path, "1"),), marks=(Mark(path, "security.capability"),))
        side = base(file("usr/bin/ping", "1"))
        return [(one.code, one.detail) for one in judge(side, side, AppSide((contents,))).findings]

    assert judged("usr/bin/ping") == [("privileges", "security.capability")]
    assert judged("var/task/ping") == []


def test_packages_of_the_app_make_no_override() -> None:
    """dpkg's database of the app is no file of the base's; what its layers hold beside counts alone."""
    contents = LayerContents((file("var/task/x.py"),), (Package("python", "x", "1", "var/task/x"),))

    assert codes(judge(base(), base(), AppSide((contents,)))) == []


def test_of_many_paths_twenty_are_kept_and_all_are_counted() -> None:
    paths = [f"usr/bin/tool{number:02}" for number in range(50)]

    judged = judge(
        base(*(file(path, "1") for path in paths)),
        base(*(file(path, "2") for path in paths)),
        app(*(file(path, "mine") for path in paths)),
    )

    assert (judged.findings[0].paths, judged.findings[0].count) == (tuple(paths[:20]), 50)
