"""What the app uses of the base by its name."""

from typing import Any

import pytest

from functions_app.domain.layers.entries import FileEntry, Import, LayerContents
from functions_app.domain.rebase.safety.findings import Level
from functions_app.domain.rebase.safety.judge import judge
from functions_app.domain.rebase.safety.sides import AppSide
from tests.domain.rebase.safety.cases import SITE, app, base, codes, file, hides, link, the, verdict

HANDLER = file("var/task/handler.py")
ENTRY = file("lambda-entrypoint.sh", mode=0o755)
RIC = file(f"{SITE}/awslambdaric/__main__.py")

# What the image starts


def started(old: list[FileEntry], new: list[FileEntry], *own: FileEntry, **settings: Any) -> list[str]:
    return codes(judge(base(*old), base(*new), app(HANDLER, *own, **settings)))


def test_an_entry_point_that_is_gone_is_unsafe() -> None:
    judged = judge(base(ENTRY), base(), app(HANDLER, entrypoint=("/lambda-entrypoint.sh",)))

    assert (judged.level, the(judged, "entry-gone").paths) == (Level.UNSAFE, ("/lambda-entrypoint.sh",))


@pytest.mark.parametrize(
    "settings",
    [
        {"entrypoint": ("/srv/start",)},
        {"command": ("/srv/start", "--now")},
        {"entrypoint": ("start",), "environment": {"PATH": "/bin:/srv"}},
        {"entrypoint": ("./start",), "workdir": "/srv"},
        {"entrypoint": ("/bin/sh", "-c", "exec /srv/start --port=8080")},
    ],
)
def test_what_a_command_names_is_looked_up_in_either_base(settings: Any) -> None:
    shell, start = file("bin/sh", mode=0o755), file("srv/start", mode=0o755)

    assert started([shell, start], [shell], **settings) == ["entry-gone"]
    assert started([shell, start], [shell, start], **settings) == []
    assert started([shell], [shell], start, **settings) == []


def test_a_path_that_the_old_base_did_not_have_either_was_not_used() -> None:
    assert started([ENTRY], [ENTRY], entrypoint=("/lambda-entrypoint.sh",), command=("/no/such", "app.handler")) == []


def test_a_program_that_the_search_path_does_not_lead_to_any_more_is_gone() -> None:
    both = [file("srv/start", mode=0o755)]
    before, after = {"PATH": "/srv"}, {"PATH": "/bin"}

    assert started(both, both, entrypoint=("start",), environment=after, environment_before=before) == ["entry-gone"]


def test_a_bootstrap_that_is_gone_is_unsafe_unless_the_app_brings_it() -> None:
    bootstrap = file("var/runtime/bootstrap", mode=0o755)

    assert started([bootstrap], []) == ["entry-gone"]
    assert started([], [], bootstrap) == []
    assert started([], [bootstrap]) == []


def test_a_runtime_client_that_is_gone_is_unsafe_unless_the_app_has_its_own() -> None:
    assert started([RIC], []) == ["entry-gone"]
    assert started([RIC], [], file("var/task/awslambdaric/__main__.py")) == []


def test_a_runtime_client_that_moved_is_unsafe_for_an_app_that_starts_it() -> None:
    """What the base starts by itself it also finds."""
    moved = file("var/runtime/awslambdaric/__main__.py")
    python = file("var/lang/bin/python3.12", mode=0o755)
    command = {"entrypoint": ("/var/lang/bin/python3.12", "-m", "awslambdaric")}

    assert started([python, RIC], [python, moved], **command) == ["entry-gone"]
    assert started([python, ENTRY, RIC], [python, ENTRY, moved], entrypoint=("/lambda-entrypoint.sh",)) == []
    assert started([python, RIC], [python, RIC], **command) == []


@pytest.mark.parametrize(
    "path",
    [
        "usr/local/bundle/gems/aws_lambda_ric-3.{}.0/lib/ric.rb",
        "opt/aws-lambda-java-runtime-interface-client-2.{}.0.jar",
    ],
)
def test_a_runtime_client_whose_version_stands_in_its_path_may_move_on(path: str) -> None:
    old, new = path.format(5), path.format(6)
    command = {"command": ("aws_lambda_ric", "app.handler")}

    assert started([file(old)], [file(new)], **command) == []
    assert started([file(old)], [], **command) == ["entry-gone"]


def test_a_link_of_the_app_to_a_file_of_the_base_that_is_gone_is_unsafe() -> None:
    own = link("var/task/lib/libpq.so", "/usr/lib64/libpq.so.5.15")
    old, new = file("usr/lib64/libpq.so.5.15"), file("usr/lib64/libpq.so.5.16")

    assert codes(verdict([old], [new], own)) == ["entry-gone"]
    assert codes(verdict([old], [old], own)) == []
    assert codes(verdict([new], [new], own)) == []


# Modules


def importing(*modules: str, entries: tuple[FileEntry, ...] = (HANDLER,)) -> AppSide:
    return AppSide((LayerContents(entries, imports=tuple(Import(HANDLER.path, module) for module in modules)),))


def test_a_module_of_the_base_that_the_app_imports_and_that_is_gone_is_for_review() -> None:
    old = base(file(f"{SITE}/simplejson/__init__.py"), file("var/lang/lib/python3.12/imp.py"))

    judged = judge(old, base(), importing("simplejson", "imp", "json"))

    assert (judged.level, the(judged, "module-gone").detail) == (Level.REVIEW, "imp, simplejson")
    assert judged.findings[0].paths == (HANDLER.path,)


def test_a_module_that_is_gone_and_nobody_imports_is_no_matter() -> None:
    assert codes(judge(base(file(f"{SITE}/simplejson/__init__.py")), base(), importing("json"))) == []


@pytest.mark.parametrize("path", ["var/task/six.py", "var/runtime/six.py", f"{SITE}/six.py"])
def test_a_module_that_the_app_brings_is_not_gone(path: str) -> None:
    judged = judge(base(file(f"{SITE}/six.py")), base(), importing("six", entries=(HANDLER, file(path))))

    assert "module-gone" not in codes(judged)


def test_a_module_that_moved_within_the_base_is_not_gone() -> None:
    assert codes(judge(base(file(f"{SITE}/six.py")), base(file("var/runtime/six.py")), importing("six"))) == []


def test_a_module_that_the_app_itself_took_away_is_not_looked_for() -> None:
    old = base(file(f"{SITE}/six.py"))

    assert codes(judge(old, old, importing("six", entries=(HANDLER, hides(f"{SITE}/six.py"))))) == []


def test_a_package_of_node_that_is_gone_is_for_review() -> None:
    sdk = "var/runtime/node_modules/@aws-sdk/client-s3/index.js"

    assert codes(judge(base(file(sdk)), base(), importing("@aws-sdk/client-s3"))) == ["module-gone"]
    assert codes(judge(base(file(sdk)), base(), importing("@aws-sdk/client-sqs"))) == []
