"""Advice on images that Lambda takes: each outcome with its reason."""

from dataclasses import replace
from typing import Any

import pytest

from functions_app.domain.images.advice import (
    CONTAINER_ONLY,
    SHARED_MEMORY,
    WRITES,
    ZIP_LIMIT,
    AppShape,
    advise,
    app_steps,
)
from functions_app.domain.images.app_files import CLIENTS, CLUTTER, describe_app_files
from functions_app.domain.images.lambda_rules import Check
from functions_app.domain.images.manifests import HistoryEntry, ImageConfig, Platform
from functions_app.domain.layers.entries import FileEntry

LAMBDA = ("/lambda-entrypoint.sh",)
ON_PYTHON: dict[str, Any] = {"base": "python:3.12.2026.10.03.13", "runtime": "python", "base_layers": 2}


def config(
    *steps: str, entrypoint: tuple[str, ...] = LAMBDA, command: tuple[str, ...] = ("app.handler",), env: str = ""
) -> ImageConfig:
    """A config with two layers of a base, then these steps."""
    history = [HistoryEntry(text, False, None) for text in ("base one", "base two", *steps)]
    keys = tuple((key, "") for key in env.split())
    return ImageConfig(Platform("linux", "amd64"), (), tuple(history), entrypoint, command, "/var/task", keys, {}, None)


def files(*paths: str, size: int = 10) -> Any:
    """What stands out among these files."""
    return describe_app_files({path: FileEntry(path, "file", size, "0" * 64) for path in paths})


def check(name: str, shape: AppShape) -> Check:
    """The check of this name."""
    (found,) = (each for each in advise(shape) if each.name == name)
    return found


READ: dict[str, Any] = {"files": files("var/task/app.py"), "packages": frozenset({"boto3"}), "own_bytes": 10}


@pytest.mark.parametrize(
    ("shape", "ok", "reason"),
    [
        (AppShape(config(), **ON_PYTHON), True, "python:3.12.2026.10.03.13 brings it"),
        (AppShape(config(entrypoint=("python", "-m", "awslambdaric"))), True, "starts awslambdaric"),
        (AppShape(config(entrypoint=("npx", "aws-lambda-ric"))), True, "starts aws-lambda-ric"),
        (AppShape(config(entrypoint=("python", "app.py"))), None, "not known"),
        (
            AppShape(config(entrypoint=("python", "x.py")), **{**READ, "packages": {"awslambdaric"}}),
            True,
            "awslambdaric",
        ),
        (AppShape(config(entrypoint=("python", "x.py")), **READ), False, "wait in vain"),
        (AppShape(config(entrypoint=("/main",)), **READ), None, "compiled in"),
        (
            AppShape(config(entrypoint=("/main",)), files=files("opt/extensions/lambda-adapter")),
            True,
            "Lambda Web Adapter",
        ),
        (
            AppShape(
                config(entrypoint=("java", "-jar")),
                files=files("function/lib/aws-lambda-java-runtime-interface-client-2.6.0.jar"),
            ),
            True,
            "Found: /function/lib/aws-lambda-java",
        ),
    ],
)
def test_the_runtime_client_is_found_or_it_is_told_where_it_was_looked_for(
    shape: AppShape, ok: bool | None, reason: str
) -> None:
    found = check("Runtime client", shape)
    assert found.ok is ok
    assert reason in found.text


PROVIDED: dict[str, Any] = {"base": "provided:al2023", "runtime": "provided", "base_layers": 2}


@pytest.mark.parametrize(
    ("shape", "ok", "reason"),
    [
        (AppShape(config(), **PROVIDED), None, "have not been read"),
        (AppShape(config(), **PROVIDED, files=files("var/runtime/bootstrap")), True, "which it has"),
        (AppShape(config(), **PROVIDED, files=files("var/task/main")), False, "bootstrap, which is not in it"),
        (AppShape(config(), **PROVIDED, files=files("var/task/bootstrap")), False, "which is not in it"),
        (AppShape(config(), **PROVIDED, files=files("var/task/main"), between="golden:7"), None, "perhaps in golden:7"),
        (AppShape(config(entrypoint=("/main",)), **PROVIDED, files=files("main")), None, "compiled in"),
        (AppShape(config()), None, "is not known"),
        (AppShape(config(), **READ), None, "is not known"),
        (AppShape(config(entrypoint=("python", "x.py")), **READ, base_layers=2), False, "wait in vain"),
    ],
)
def test_what_an_entry_point_of_awss_starts_is_looked_for_where_it_has_to_be(
    shape: AppShape, ok: bool | None, reason: str
) -> None:
    found = check("Runtime client", shape)
    assert (found.ok, reason in found.text) == (ok, True), found.text


def test_what_its_base_may_bring_is_not_missed_before_that_was_read() -> None:
    found = check("Runtime client", AppShape(config(entrypoint=("python", "x.py")), **READ, base_read=False))
    assert (found.ok, "base have not been read" in found.text) == (None, True), found.text


@pytest.mark.parametrize(
    ("steps", "ok"),
    [
        (("RUN /bin/sh -c pip install -r requirements.txt # buildkit", "COPY . /var/task # buildkit"), True),
        (("COPY . /var/task # buildkit", "RUN /bin/sh -c pip install -r requirements.txt # buildkit"), False),
        (("COPY requirements.txt . # buildkit", "RUN /bin/sh -c pip install -r requirements.txt", "COPY app ."), True),
        (("COPY package.json package-lock.json ./ # buildkit", "RUN /bin/sh -c npm ci # buildkit"), True),
        (("/bin/sh -c #(nop) COPY dir:0a1b in /var/task ", "/bin/sh -c npm ci"), False),
        (("/bin/sh -c #(nop) COPY file:0a1b in /var/task/requirements.txt ", "/bin/sh -c pip install -r r.txt"), True),
        (("COPY --from=build /app /var/task # buildkit", "RUN /bin/sh -c dnf install -y poppler # buildkit"), True),
        (("COPY . /var/task # buildkit",), True),
        (
            ("COPY pip.conf /etc/pip.conf # buildkit", "RUN /bin/sh -c pip install -r r.txt # buildkit", "COPY . ."),
            True,
        ),
        (("COPY corp-ca.crt /etc/pki/ca-trust/source/anchors/", "RUN /bin/sh -c dnf install -y x", "COPY . ."), True),
        (("COPY corp.repo /etc/yum.repos.d/ # buildkit", "RUN /bin/sh -c dnf install -y x", "COPY . ."), True),
        (("COPY requirements/ requirements/ # buildkit", "RUN pip install -r requirements/prod.txt", "COPY . ."), True),
        (("COPY . . # buildkit", "RUN /bin/sh -c pip3.12 install -r requirements.txt # buildkit"), False),
        (("COPY . . # buildkit", "RUN /bin/sh -c python3.12 -m pip install -r r.txt # buildkit"), False),
        (("COPY . . # buildkit", "RUN /bin/sh -c ./build.sh # buildkit"), None),
        (("COPY data/ /data # buildkit", "RUN /bin/sh -c pip install -r r.txt # buildkit"), None),
        (("bazel build ...",), None),
        ((), None),
    ],
)
def test_code_is_best_copied_after_the_dependencies(steps: tuple[str, ...], ok: bool | None) -> None:
    assert check("Code last", AppShape(config(*steps), **ON_PYTHON)).ok is ok


def test_the_steps_of_the_base_are_not_the_apps() -> None:
    history = config("COPY . .").history
    assert [step.created_by for step in app_steps(history, 2)] == ["COPY . ."]
    assert app_steps(history, 0) == history
    assert app_steps((), 2) == ()


NOT_NEEDED = [
    ("var/task/.git/config", ".git directory"),
    ("var/task/tests/test_app.py", "tests"),
    ("var/task/Dockerfile", "Dockerfiles"),
    ("var/task/dist/app.js.map", "source maps"),
    ("var/task/node_modules/.cache/x", "caches of build tools"),
    ("root/.cache/pip/x", "caches of installers"),
    ("var/task/__pycache__/app.cpython-312.pyc", "__pycache__"),
]
OF_CLIENTS = [
    "var/task/awslambdaric/bootstrap.py",
    "var/task/node_modules/aws-lambda-ric/bin/index.mjs",
    "function/lib/aws-lambda-java-runtime-interface-client-2.6.0.jar",
    "usr/local/bundle/gems/aws_lambda_ric-3.0.0/lib/x.rb",
    "var/task/Amazon.Lambda.RuntimeSupport.dll",
    "var/runtime/bootstrap",
]


@pytest.mark.parametrize(("path", "what"), NOT_NEEDED)
def test_what_a_function_does_not_need_is_named_with_its_size(path: str, what: str) -> None:
    found = check("Files not needed", AppShape(config(), files=files(path, "var/task/app.py", size=2048)))
    assert found.ok is False
    assert what.lower() in found.text.lower()
    assert "2 KB" in found.text


@pytest.mark.parametrize("path", OF_CLIENTS)
def test_each_runtime_client_is_known_by_its_files(path: str) -> None:
    assert check("Runtime client", AppShape(config(entrypoint=("/main",)), files=files(path))).ok is True


def test_every_row_of_the_tables_of_files_has_its_example() -> None:
    assert all(any(name.lower() in what.lower() for _, name in NOT_NEEDED) for what, _ in CLUTTER)
    assert all(any(client.search(path) for path in OF_CLIENTS) for client in CLIENTS)


def test_tests_of_libraries_are_not_held_against_the_app() -> None:
    shape = AppShape(config(), files=files("var/task/node_modules/x/test/a.js", "var/task/app.py"))
    assert check("Files not needed", shape).ok is True


@pytest.mark.parametrize(
    ("paths", "told"),
    [
        (["var/task/tests/test_a.py"], True),
        (["usr/src/app/test/a.js"], True),
        (["var/task/numpy/tests/test_a.py", "var/task/numpy-1.dist-info/RECORD"], False),
        (["var/task/tests/test_a.py", "var/task/numpy-1.dist-info/RECORD"], True),
        (["var/task/numpy/__pycache__/a.pyc", "var/task/numpy-1.dist-info/RECORD"], False),
        (["var/lang/lib/python3.12/site-packages/x/__pycache__/a.pyc"], False),
        (["usr/lib64/python3.9/test/test_a.py"], False),
        (["var/task/vendor/x/tests/a.php"], False),
        (["var/task/node_modules/x/Dockerfile"], False),
        (["var/task/node_modules/x/.git/config"], True),
    ],
)
def test_what_comes_with_libraries_and_systems_is_told_apart_from_what_was_copied(paths: list[str], told: bool) -> None:
    found = check("Files not needed", AppShape(config(), files=files(*paths, "var/task/app.py")))
    assert (found.ok is False) is told, found.text


@pytest.mark.parametrize(
    ("path", "size", "told"),
    [
        ("var/task/.npmrc", 9, True),
        ("usr/src/app/.env", 9, True),
        ("root/.aws/credentials", 9, True),
        ("var/task/node_modules/x/.npmrc", 9, False),
        ("var/task/node_modules/@s/x/.env", 9, False),
        ("var/lang/lib/python3.12/site-packages/x/tests/id_rsa", 9, False),
        ("var/task/vendor/bundle/ruby/gems/x/.env", 9, False),
        ("var/task/.env", 0, False),
    ],
)
def test_what_libraries_publish_is_no_secret(path: str, size: int, told: bool) -> None:
    names = [each.name for each in advise(AppShape(config(), files=files(path, size=size)))]
    assert ("Secrets" in names) is told


@pytest.mark.parametrize(("path", "told"), [(".env", True), (".env.production", True), (".env.example", False)])
def test_a_file_that_may_hold_secrets_is_told(path: str, told: bool) -> None:
    names = [each.name for each in advise(AppShape(config(), files=files(f"var/task/{path}"))) if each.ok is False]
    assert names == (["Secrets"] if told else [])


def test_libraries_that_need_shared_memory_are_a_hint_and_no_fault() -> None:
    found = check("/dev/shm", AppShape(config(), packages={"torch", "boto3"}))
    assert (found.ok, found.kind) == (None, "hint")
    assert "torch (its data loaders)" in found.text
    assert "not known" in check("/dev/shm", AppShape(config())).text
    gunicorn = config(entrypoint=("gunicorn", "--worker-tmp-dir", "/dev/shm"))
    assert check("/dev/shm", AppShape(gunicorn)).ok is False


@pytest.mark.parametrize(("package", "what"), SHARED_MEMORY.items())
def test_every_library_that_needs_shared_memory_is_named_with_what_in_it_does(package: str, what: str) -> None:
    found = check("/dev/shm", AppShape(config(), packages={package, "boto3"}))

    assert (found.ok, found.kind) == (None, "hint")
    assert f"{package} ({what})" in found.text


@pytest.mark.parametrize(("package", "variable"), WRITES.items())
def test_every_library_that_writes_elsewhere_is_named_until_its_variable_is_set(package: str, variable: str) -> None:
    unset = check("Read-only files", AppShape(config(), packages={package, "boto3"}))
    given = check("Read-only files", AppShape(config(env=variable), packages={package, "boto3"}))

    assert f"Lead these to /tmp by their variable: {package} ({variable})." in unset.text
    assert f"{variable} must lead there" in given.text


@pytest.mark.parametrize("release", ["", ".2026.01.01.01", " of 2026-01-01"])
@pytest.mark.parametrize("name", CONTAINER_ONLY)
def test_every_base_without_a_runtime_for_zips_can_be_no_zip(name: str, release: str) -> None:
    found = check("Could it be a zip", AppShape(config(), base=f"{name}{release}", runtime="dotnet", **READ))

    assert f"{name} is there for images only" in found.text


@pytest.mark.parametrize("base", ["dotnet:8.2026.01.01.01", "dotnet:10.2026.01.01.01", "python:3.12.7"])
def test_a_base_with_a_runtime_for_zips_may_be_one(base: str) -> None:
    shape = AppShape(config(), base=base, runtime=base.partition(":")[0], **READ)

    assert "images only" not in check("Could it be a zip", shape).text


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        (AppShape(config(entrypoint=("app", "--log-file=/var/log/app.log"))), "names /var/log/app.log"),
        (AppShape(config(entrypoint=("app", "--log-file=/tmp/app.log"))), "Nothing seen from outside"),
        (AppShape(config(), packages={"matplotlib"}), "matplotlib (MPLCONFIGDIR)"),
        (AppShape(config(env="MPLCONFIGDIR"), packages={"matplotlib"}), "MPLCONFIGDIR must lead there"),
    ],
)
def test_only_tmp_can_be_written(shape: AppShape, words: str) -> None:
    found = check("Read-only files", shape)
    assert (found.ok, found.kind) == (None, "hint")
    assert words in found.text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "Yes: it adds"),
        ({"files": None}, "Perhaps"),
        ({"runtime": ""}, "No: it does not stand on a base of a managed runtime"),
        ({"base": "dotnet:9.2026.10.03.13", "runtime": "dotnet"}, "No: dotnet:9 is there for images only"),
        ({"base": "dotnet:7", "runtime": "dotnet", "ended": True}, "No: dotnet:7 is there for images only"),
        ({"base": "dotnet:8.2026.10.03.13", "runtime": "dotnet"}, "Yes: it adds"),
        ({"base": "dotnet:10.2026.10.03.13", "runtime": "dotnet"}, "Yes: it adds"),
        ({"base": "provided:al2023", "runtime": "provided", "files": files("var/runtime/bootstrap")}, "Yes: it adds"),
        ({"ended": True}, "No: Lambda takes no new zip"),
        ({"between": "golden:7"}, "No: it stands on golden:7"),
        ({"config": config(entrypoint=("/bin/app",))}, "No: its entry point is its own (/bin/app)"),
        ({"files": files("var/lib/rpm/rpmdb.sqlite")}, "No: it installs packages of the operating system"),
        ({"files": files("usr/bin/ffmpeg")}, "No: it has files outside of /var/task and /opt, such as /usr/bin/ffmpeg"),
        ({"own_bytes": ZIP_LIMIT + 1}, "No: its own files are 250.0 MB"),
        ({"own_compressed": ZIP_LIMIT + 1, "files": None}, "No: its own files are"),
    ],
)
def test_what_could_be_a_zip_and_why_not(changes: dict[str, Any], words: str) -> None:
    shape = replace(AppShape(config(), **ON_PYTHON, **READ), **changes)
    assert words in check("Could it be a zip", shape).text


def test_advice_never_forbids() -> None:
    for shape in (
        AppShape(config()),
        AppShape(config(), **ON_PYTHON, **READ),
        AppShape(config(entrypoint=(), command=())),
    ):
        assert {each.kind for each in advise(shape)} <= {"advice", "hint"}
        assert all(each.ok is None for each in advise(shape) if each.kind == "hint")


def test_the_biggest_files_come_first_and_long_paths_are_cut() -> None:
    sizes = {f"var/task/{'d/' * 300}{number}": number for number in range(50)}
    found = describe_app_files({path: FileEntry(path, "file", size, "0" * 64) for path, size in sizes.items()})
    assert (found.count, found.size_bytes, len(found.biggest)) == (50, sum(range(50)), 20)
    assert [size for _, size in found.biggest] == list(range(49, 29, -1))
    assert all(len(path) <= 161 for path, _ in found.biggest)
