"""Package versions: real metadata of each package manager, what layers leave of it, and how two sets differ."""

import gzip
import io
import json
import tarfile
from contextlib import suppress
from pathlib import Path

import pytest

from functions_app.domain.errors import DrydockError
from functions_app.domain.layers.effort import Effort
from functions_app.domain.layers.entries import LayerContents, Limits
from functions_app.domain.layers.package_files import Package, reader_of
from functions_app.domain.layers.packages import PackageChange, diff_packages, overlay_packages
from functions_app.domain.layers.tar import read_tar
from sandbox.images.making import Entry, SymlinkTo, make_layer

DATA = Path(__file__).with_name("data") / "packages"
STATUS = (DATA / "status").read_bytes()
WHITENOISE = (DATA / "whitenoise-METADATA").read_bytes()
RPM = gzip.decompress((DATA / "rpmdb.sqlite.gz").read_bytes())
SITE = "var/lang/lib/python3.12/site-packages"
APK = (
    b"C:Q1pSfr4vlbzrBgT9tYzUUpr1wJTkE=\nP:musl\nV:1.2.5-r9\nA:x86_64\nS:411238\nT:the musl c library\n"
    b"F:lib\nR:ld-musl-x86_64.so.1\na:0:0:755\n\nC:Q1x=\nP:busybox\nV:1.37.0-r12\nA:x86_64\n\n"
)


def layer(files: dict[str, Entry]) -> LayerContents:
    """A layer with these files, read as any other."""
    return read_tar(io.BytesIO(make_layer(files).tar))


def found(files: dict[str, Entry]) -> list[tuple[str, str, str]]:
    """Kind, name and version of what one layer's metadata tells."""
    return [(package.kind, package.name, package.version) for package in layer(files).packages]


def metadata(name: str, version: str) -> bytes:
    """A dist-info's METADATA."""
    return f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n\nText\n".encode()


def manifest(name: str, version: str) -> bytes:
    """A package.json."""
    return json.dumps({"name": name, "version": version}).encode()


def shown(*layers: LayerContents) -> list[tuple[str, str, str]]:
    """Name, version and path of what a stack of layers leaves."""
    return [(package.name, package.version, package.path) for package in overlay_packages(layers)]


# One layer


def test_dpkgs_status_names_what_is_installed() -> None:
    names = [name for _, name, _ in found({"var/lib/dpkg/status": STATUS})]

    assert len(names) == 6
    assert ("deb", "adduser", "3.134") in found({"var/lib/dpkg/status": STATUS})


def test_a_package_that_was_removed_but_for_its_settings_is_not_installed() -> None:
    removed = b"Package: nginx\nStatus: deinstall ok config-files\nVersion: 1\n\n"
    status = removed + b"Package: a\nStatus: hold ok installed\nVersion: 2\n"

    assert found({"var/lib/dpkg/status": status}) == [("deb", "a", "2")]


def test_distroless_images_keep_a_status_file_for_each_package() -> None:
    files: dict[str, Entry] = {
        "var/lib/dpkg/status.d/libssl3": b"Package: libssl3\nVersion: 3.0.17-1\nDescription: x\n Version: 9\n",
        "var/lib/dpkg/status.d/libssl3.md5sums": b"Package: no\nVersion: 1\n",
    }

    assert found(files) == [("deb", "libssl3", "3.0.17-1")]


@pytest.mark.parametrize("path", ["lib/apk/db/installed", "usr/lib/apk/db/installed"])
def test_apks_database_names_packages_and_versions(path: str) -> None:
    assert found({path: APK}) == [("apk", "musl", "1.2.5-r9"), ("apk", "busybox", "1.37.0-r12")]


@pytest.mark.parametrize("folder", ["var/lib/rpm", "usr/lib/sysimage/rpm"])
def test_rpms_database_is_found_in_both_its_places(folder: str) -> None:
    assert ("rpm", "openssl-libs", "1:3.0.8-1.amzn2023.0.12") in found({f"{folder}/rpmdb.sqlite": RPM})


def test_pips_metadata_is_read_up_to_its_description() -> None:
    assert found({f"{SITE}/whitenoise-6.dist-info/METADATA": WHITENOISE}) == [("python", "whitenoise", "6.12.0")]


def test_older_python_packages_have_egg_info_as_a_folder_or_a_file() -> None:
    files: dict[str, Entry] = {
        "opt/a.egg-info/PKG-INFO": metadata("a", "1"),
        "opt/b-2.egg-info": metadata("b", "2"),
    }

    assert found(files) == [("python", "a", "1"), ("python", "b", "2")]


def test_a_very_long_description_does_not_hide_a_packages_version() -> None:
    assert found({f"{SITE}/x.dist-info/METADATA": metadata("x", "7") + b"word " * 100_000}) == [("python", "x", "7")]


def test_npm_packages_are_those_right_below_node_modules() -> None:
    files: dict[str, Entry] = {
        "var/task/node_modules/sharp/package.json": manifest("sharp", "0.34.5"),
        "var/task/node_modules/@img/colour/package.json": manifest("@img/colour", "1.0.0"),
        "var/task/node_modules/sharp/node_modules/semver/package.json": manifest("semver", "7.7.3"),
        "var/task/node_modules/sharp/lib/esm/package.json": b'{"type": "module"}',
        "var/task/package.json": manifest("the-app-itself", "1"),
        "var/task/node_modules/nameless/package.json": b"{}",
    }

    assert sorted(found(files)) == [
        ("npm", "@img/colour", "1.0.0"),
        ("npm", "semver", "7.7.3"),
        ("npm", "sharp", "0.34.5"),
    ]


def test_metadata_that_a_hard_link_brings_counts_at_its_own_path() -> None:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        stored = tarfile.TarInfo("root/.cache/uv/x.dist-info/METADATA")
        stored.size = len(metadata("x", "1"))
        tar.addfile(stored, io.BytesIO(metadata("x", "1")))
        link = tarfile.TarInfo("var/task/x.dist-info/METADATA")
        link.type, link.linkname = tarfile.LNKTYPE, stored.name
        tar.addfile(link)
    archive.seek(0)

    paths = [package.path for package in read_tar(archive).packages]

    assert paths == ["root/.cache/uv/x.dist-info/METADATA", "var/task/x.dist-info/METADATA"]


def test_metadata_that_cannot_be_read_is_noted_and_spares_the_rest() -> None:
    contents = layer({"node_modules/a/package.json": b"{", "node_modules/b/package.json": manifest("b", "1")})

    assert [package.name for package in contents.packages] == ["b"]
    assert contents.notes[0].startswith("node_modules/a/package.json: The package.json cannot be read: it is not JSON")


def test_changes_that_wait_in_sqlites_log_are_noted() -> None:
    contents = layer({"var/lib/rpm/rpmdb.sqlite": RPM, "var/lib/rpm/rpmdb.sqlite-wal": b"changes"})

    assert "holds changes that its database does not have yet" in contents.notes[0]
    assert layer({"var/lib/rpm/rpmdb.sqlite": RPM, "var/lib/rpm/rpmdb.sqlite-wal": b""}).notes == ()


def test_a_database_beyond_its_limit_is_noted_not_read() -> None:
    contents = layer({"var/lib/dpkg/status.d/huge": b"Package: a\nVersion: 1\n" + b" x\n" * 400_000})

    assert contents.packages == ()
    assert "larger than 1,048,576 bytes" in contents.notes[0]


def test_names_and_versions_are_cut_to_what_a_column_and_a_page_take() -> None:
    ((_, name, version),) = found({"a.egg-info": b"Name: " + b"n" * 900 + b"\0\nVersion: \xff\0" + b"1" * 900})

    assert (len(name), version[:13], "\0" in version) == (200, "\\xff‹U+0000›1", False)


@pytest.mark.parametrize("data", [b"[]", b"[" * 100_000, b"\xff", b'{"name": 1, "version": {}}'])
def test_a_package_json_of_any_form_harms_nobody(data: bytes) -> None:
    reader = reader_of("node_modules/x/package.json")
    assert reader is not None
    with suppress(DrydockError):
        assert reader.packages(data, "p") == []


def test_a_database_is_searched_where_it_is_and_fields_are_found_as_before() -> None:
    data = b"\n\n P:no\nP: a \r\nV:1\r\n\r\n  \n\nP:b\nP:second\nXV:no\nV:2\n more\n\n \t\nP:nameless\n\nP:c\nV:3"

    assert found({"lib/apk/db/installed": data}) == [("apk", "a", "1"), ("apk", "b", "2"), ("apk", "c", "3")]


def test_a_database_of_too_many_parts_is_told_as_not_read() -> None:
    reader = reader_of("lib/apk/db/installed")
    assert reader is not None

    with pytest.raises(DrydockError, match="more than 100 steps"):
        reader.packages(b"P:\n\n" * 60, "p", Effort(most=100))


def test_names_are_measured_in_bytes_and_what_is_too_much_is_told_as_not_read() -> None:
    ship = "\U0001f6a2"
    data = "".join(f"P:{number}{ship * 150}\nV:{ship * 150}\n\n" for number in range(15_000)).encode()

    contents = layer({"lib/apk/db/installed": data})

    assert contents.packages == ()
    assert "its names take more than 16,777,216 bytes" in contents.notes[0]


def test_the_packages_of_all_files_together_are_measured_too() -> None:
    files = {f"node_modules/{number}/package.json": manifest(str(number), "1" * 200) for number in range(20)}

    contents = read_tar(io.BytesIO(make_layer(files).tar), limits=Limits(packages_bytes=4000))

    assert 0 < len(contents.packages) < 20
    assert contents.notes == ("Its packages take more than 4,000 bytes: not all are known.",)


# A stack of layers


def test_the_topmost_database_of_a_path_counts_alone() -> None:
    base = layer({"var/lib/dpkg/status": b"Package: a\nVersion: 1\n\nPackage: b\nVersion: 1\n"})
    upgraded = layer({"var/lib/dpkg/status": b"Package: a\nVersion: 2\n"})

    assert shown(base, upgraded) == [("a", "2", "var/lib/dpkg/status")]


def test_a_whiteout_takes_a_python_package_away() -> None:
    base = layer({f"{SITE}/a-1.dist-info/METADATA": metadata("a", "1"), f"{SITE}/b.egg-info": metadata("b", "1")})
    gone = layer({f"{SITE}/.wh.a-1.dist-info": b""})

    assert [name for name, _, _ in shown(base, gone)] == ["b"]


def test_an_app_that_pins_a_package_of_its_base_has_both() -> None:
    base = layer({f"{SITE}/boto3-1.dist-info/METADATA": metadata("boto3", "1")})
    app = layer({"var/task/boto3-2.dist-info/METADATA": metadata("boto3", "2")})

    assert [(name, version) for name, version, _ in shown(base, app)] == [("boto3", "1"), ("boto3", "2")]


def test_a_database_written_through_a_link_replaces_the_one_it_leads_to() -> None:
    base = layer({"usr/lib/apk/db/installed": b"P:a\nV:1\n", "lib": SymlinkTo("usr/lib")})
    upgraded = layer({"lib/apk/db/installed": b"P:a\nV:2\n"})
    as_packed = LayerContents(tuple(e for e in upgraded.entries if e.kind == "file"), upgraded.packages)

    assert shown(base, as_packed) == [("a", "2", "usr/lib/apk/db/installed")]


# Two sets


def package(name: str, version: str, kind: str = "rpm", path: str = "p") -> Package:
    """A package."""
    return Package(kind, name, version, path)


def test_a_diff_tells_added_removed_and_changed_packages() -> None:
    diff = diff_packages(
        [package("a", "1"), package("b", "1"), package("c", "1")],
        [package("b", "1"), package("c", "2"), package("d", "1")],
    )

    assert [one.name for one in diff.added] == ["d"]
    assert [one.name for one in diff.removed] == ["a"]
    assert diff.changed == (PackageChange("rpm", "c", ("1",), ("2",)),)


def test_the_same_name_in_another_kind_is_another_package() -> None:
    diff = diff_packages([package("six", "1", "rpm")], [package("six", "1", "python")])

    assert (len(diff.added), len(diff.removed), diff.changed) == (1, 1, ())


def test_python_names_are_compared_as_pypi_compares_them() -> None:
    assert diff_packages([package("PyYAML.x", "1", "python")], [package("pyyaml_x", "1", "python")]).added == ()


def test_a_package_that_moved_within_the_file_system_has_not_changed() -> None:
    diff = diff_packages([package("a", "1", path="var/lib/rpm/Packages")], [package("a", "1", path="usr/x")])

    assert (diff.added, diff.removed, diff.changed) == ((), (), ())


def test_a_package_in_several_versions_changes_when_one_of_them_does() -> None:
    old = [package("semver", "5", "npm", "x"), package("semver", "7", "npm", "y")]

    assert diff_packages(old, old[1:]).changed == (PackageChange("npm", "semver", ("5", "7"), ("7",)),)


def test_a_package_is_read_back_from_json_as_it_was() -> None:
    assert Package.from_json(package("a", "1").as_json()) == package("a", "1")
