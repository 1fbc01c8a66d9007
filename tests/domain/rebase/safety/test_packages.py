"""Package directories of the base that an app writes into or takes away, and the operating system's own files."""

import pytest

from functions_app.domain.rebase.safety.findings import Level
from tests.domain.rebase.safety.cases import RPM, SITE, codes, file, hides, the, verdict

GEMS = "var/lang/lib/ruby/gems/3.2.0"

# Package directories


def test_a_pinned_boto3_over_the_bases_is_unsafe() -> None:
    """The real trap: what the app's version lacks shows through from the new base's."""
    old = [file(f"{SITE}/boto3/session.py", "1.34"), file(f"{SITE}/boto3-1.34.dist-info/METADATA")]
    new = [file(f"{SITE}/boto3/session.py", "1.35"), file(f"{SITE}/boto3-1.35.dist-info/METADATA")]
    own = [
        file(f"{SITE}/boto3/session.py", "1.28"),
        file(f"{SITE}/boto3-1.28.dist-info/METADATA"),
        hides(f"{SITE}/boto3-1.34.dist-info"),
    ]

    judged = verdict(old, new, *own)

    assert (judged.level, codes(judged)) == (Level.UNSAFE, ["package-pinned"])
    assert f"{SITE}/boto3/session.py" in judged.findings[0].paths


def test_pip_into_the_task_directory_is_safe() -> None:
    old, new = [file(f"{SITE}/boto3/session.py", "1.34")], [file(f"{SITE}/boto3/session.py", "1.35")]

    judged = verdict(old, new, file("var/task/boto3/session.py", "1.28"), file("var/task/handler.py"))

    assert judged.level == Level.SAFE


def test_a_package_that_only_the_app_has_is_safe_among_the_bases() -> None:
    old, new = [file(f"{SITE}/boto3/session.py", "1.34")], [file(f"{SITE}/boto3/session.py", "1.35")]

    assert codes(verdict(old, new, file(f"{SITE}/requests/api.py"))) == []


def test_a_pinned_package_that_does_not_differ_between_the_bases_is_safe() -> None:
    both = [file(f"{SITE}/boto3/session.py", "1.34")]

    assert codes(verdict(both, both, file(f"{SITE}/boto3/session.py", "1.28"))) == []


@pytest.mark.parametrize(
    ("path", "other"),
    [
        ("var/runtime/node_modules/@aws-sdk/client-s3/index.js", "var/runtime/node_modules/@aws-sdk/client-s3/dist.js"),
        ("usr/lib/node_modules/npm/lib/cli.js", "usr/lib/node_modules/npm/index.js"),
        (
            "var/lang/lib/ruby/gems/3.2.0/gems/json-2.7.1/lib/json.rb",
            "var/lang/lib/ruby/gems/3.2.0/gems/json-2.7.1/x.rb",
        ),
        ("usr/lib/python3/dist-packages/yaml/loader.py", "usr/lib/python3/dist-packages/yaml/new.py"),
        ("var/runtime/awslambdaric/bootstrap.py", "var/runtime/awslambdaric/new.py"),
    ],
)
def test_any_file_of_a_package_that_differs_makes_writing_into_it_unsafe(path: str, other: str) -> None:
    same = file(path, "1")

    assert codes(verdict([same], [same, file(other)], file(path, "mine"))) == ["package-pinned"]
    assert codes(verdict([same], [same, file("usr/bin/other", "2")], file(path, "mine"))) == []


def test_another_package_of_the_same_scope_is_another_package() -> None:
    node = "var/runtime/node_modules/@aws-sdk"
    old, new = [file(f"{node}/client-s3/index.js", "1")], [file(f"{node}/client-s3/index.js", "2")]

    assert codes(verdict(old, new, file(f"{node}/client-sqs/index.js"))) == []


def test_copies_of_the_old_bases_files_in_a_package_that_differs_are_unsafe_too() -> None:
    """`chmod -R` makes them: beside what the new base adds to the package they are as mixed as any others."""
    old = [file(f"{SITE}/boto3/session.py", "1.34")]
    new = [file(f"{SITE}/boto3/session.py", "1.35"), file(f"{SITE}/boto3/new.py")]

    assert codes(verdict(old, new, file(f"{SITE}/boto3/session.py", "1.34", mode=0o755))) == ["package-pinned"]


def test_what_the_new_base_has_too_pins_nothing() -> None:
    old, new = [file(f"{SITE}/boto3/session.py", "1.34")], [file(f"{SITE}/boto3/session.py", "1.35")]

    assert codes(verdict(old, new, file(f"{SITE}/boto3/session.py", "1.35"))) == []


def test_a_file_taken_out_of_a_package_that_differs_is_unsafe() -> None:
    old = [file(f"{SITE}/pip/a.py", "1"), file(f"{SITE}/pip/b.py", "1")]
    new = [file(f"{SITE}/pip/a.py", "2"), file(f"{SITE}/pip/b.py", "2")]

    judged = verdict(old, new, hides(f"{SITE}/pip/a.py"))

    assert (codes(judged), judged.findings[0].paths) == (["package-pinned"], (f"{SITE}/pip/a.py",))


def test_a_package_removed_whole_is_removed_from_the_new_base_too() -> None:
    old, new = [file(f"{SITE}/pip/a.py", "1")], [file(f"{SITE}/pip/a.py", "2")]

    assert codes(verdict(old, new, hides(f"{SITE}/pip"))) == []


def test_a_package_removed_with_its_metadata_leaves_the_new_bases_metadata_behind() -> None:
    old = [file(f"{SITE}/pip/a.py", "1"), file(f"{SITE}/pip-24.0.dist-info/METADATA")]
    new = [file(f"{SITE}/pip/a.py", "2"), file(f"{SITE}/pip-25.0.dist-info/METADATA")]

    judged = verdict(old, new, hides(f"{SITE}/pip"), hides(f"{SITE}/pip-24.0.dist-info"))

    assert codes(judged) == ["package-pinned"]


def test_a_file_taken_out_counts_where_all_that_is_written_is_what_the_new_base_has() -> None:
    old = [file(f"{SITE}/pip/a.py", "1"), file(f"{SITE}/pip/b.py", "1")]
    new = [file(f"{SITE}/pip/a.py", "2"), file(f"{SITE}/pip/b.py", "2")]

    judged = verdict(old, new, file(f"{SITE}/pip/a.py", "2"), hides(f"{SITE}/pip/b.py"))

    assert (codes(judged), judged.findings[0].paths) == (["package-pinned"], (f"{SITE}/pip/b.py",))


# The operating system's own


@pytest.mark.parametrize(
    "path",
    [RPM, "var/lib/rpm/Packages", "usr/lib/sysimage/rpm/Packages.db", "var/lib/dpkg/status",
     "var/lib/dpkg/info/curl.list", "lib/apk/db/installed", "usr/lib/apk/db/installed"],
)  # fmt: skip
def test_writing_the_package_database_is_unsafe(path: str) -> None:
    judged = verdict([file(path, "1")], [file(path, "2")], file(path, "mine"))

    assert (judged.level, the(judged, "package-database").paths) == (Level.UNSAFE, (path,))


@pytest.mark.parametrize(
    "path",
    ["var/lib/rpm/.rpm.lock", "var/lib/rpm/__db.001", f"{RPM}-shm", "var/lib/dpkg/lock", "var/lib/dnf/history.sqlite"],
)
def test_locks_beside_a_package_database_are_not_the_database(path: str) -> None:
    assert codes(verdict([], [], file(path, "mine"))) == []


def test_a_log_of_changes_to_the_database_counts_where_it_holds_some() -> None:
    assert codes(verdict([], [], file(f"{RPM}-wal", size=0))) == []
    assert codes(verdict([], [], file(f"{RPM}-wal", size=4096))) == ["package-database"]


def test_a_package_database_taken_away_is_unsafe() -> None:
    assert codes(verdict([], [], hides("var/lib/rpm"))) == ["package-database"]


@pytest.mark.parametrize("path", ["etc/passwd", "etc/group", "etc/shadow"])
def test_accounts_changed_by_both_are_unsafe(path: str) -> None:
    assert codes(verdict([file(path, "1")], [file(path, "2")], file(path, "mine"))) == ["accounts-both"]


def test_accounts_changed_by_one_side_alone_are_no_matter() -> None:
    one, two, mine = file("etc/passwd", "1"), file("etc/passwd", "2"), file("etc/passwd", "mine")

    assert codes(verdict([one], [one], mine)) == []
    assert codes(verdict([one], [two])) == []
    assert codes(verdict([one], [two], two)) == []


def test_accounts_that_the_app_and_the_new_base_begin_are_changed_by_both() -> None:
    assert codes(verdict([], [file("etc/passwd", "2")], file("etc/passwd", "mine"))) == ["accounts-both"]


def test_a_copy_of_the_old_bases_accounts_is_for_review() -> None:
    one, two = file("etc/passwd", "1"), file("etc/passwd", "2")

    assert codes(verdict([one], [two], one)) == ["settings-override"]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("etc/ld.so.cache", "linker-cache"),
        ("etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "certificates"),
        ("etc/ssl/certs/ca-certificates.crt", "certificates"),
        ("var/lang/lib/security/cacerts", "certificates"),
    ],
)
def test_the_linkers_cache_and_the_trusted_certificates_are_for_review(path: str, code: str) -> None:
    judged = verdict([file(path, "1")], [file(path, "1")], file(path, "mine"))

    assert (judged.level, codes(judged)) == (Level.REVIEW, [code])


@pytest.mark.parametrize(
    "path", ["etc/pki/ca-trust/source/anchors/company.pem", "usr/local/share/ca-certificates/company.crt"]
)
def test_an_authority_that_the_app_adds_beside_the_bases_list_is_safe(path: str) -> None:
    assert codes(verdict([], [], file(path, "mine"))) == []


def test_certificates_that_a_library_brings_are_not_the_systems() -> None:
    assert codes(verdict([], [], file("var/task/certifi/cacert.pem"), file("var/task/etc/ld.so.cache"))) == []
