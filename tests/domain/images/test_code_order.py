"""Whether code is copied last: each row of the tables with what it is for, and what only looks like it."""

import pytest

from functions_app.domain.images.build_commands import CODE, HARMLESS_COMMAND, INSTALLERS, NO_CODE
from functions_app.domain.images.code_order import code_order, installs
from functions_app.domain.images.manifests import HistoryEntry

INSTALLING = {
    "pip": ["pip install -r r.txt", "pip3 install x", "pip3.12 install x",
            "/var/lang/bin/pip3.12 --no-cache-dir install x",
            "python -m pip install x", "python3.12 -I -m pip install -U x",
            "pip --index-url https://i.example install x",
            "PIP_NO_CACHE=1 pip install x", "set -ex && sudo pip install x", "pip wheel -r r.txt"],
    "pip-sync": ["pip-sync requirements.txt"],
    "uv": ["uv sync --locked", "uv pip install -r r.txt", "uv pip sync r.txt", "/bin/uv --quiet sync",
           "uv tool install x"],
    "poetry": ["poetry install --no-root", "poetry --no-interaction sync"],
    "pdm": ["pdm install", "pdm sync --prod"],
    "pipenv": ["pipenv install --system --deploy", "pipenv sync"],
    "conda": ["conda install -y x", "mamba env create -f e.yml", "micromamba create -n e", "conda env update -f e.yml"],
    "npm": ["npm ci", "npm install --omit=dev", "npm i", "npm --prefix /x ci", "npm clean-install"],
    "yarn": ["yarn", "yarn install", "yarn --frozen-lockfile", "yarn add x"],
    "pnpm": ["pnpm i --prod", "pnpm fetch"],
    "bun": ["bun install"],
    "bundler": ["bundle install", "bundle --quiet install"],
    "gem": ["gem install rake"],
    "composer": ["composer install --no-dev"],
    "go": ["go mod download", "go get ./...", "go build -o /main ."],
    "dotnet": ["dotnet restore", "dotnet publish -c Release"],
    "maven": ["mvn -B package", "./mvnw package"],
    "gradle": ["./gradlew build", "gradle shadowJar"],
    "sbt": ["sbt assembly"],
    "cargo": ["cargo build --release", "cargo fetch"],
    "dnf": ["dnf install -y x", "dnf -y install x", "microdnf install x", "yum -y update", "tdnf install -y x",
            "dnf --setopt=install_weak_deps=0 -y install x", "yum localinstall -y x.rpm"],
    "apt": ["apt-get install -y x", "apt-get -y --no-install-recommends install x", "apt install x",
            "apt-get update && apt-get install -y x", "DEBIAN_FRONTEND=noninteractive apt-get install x"],
    "apk": ["apk add --no-cache x", "apk --no-cache add x"],
    "zypper": ["zypper -n install x"],
    "rpm": ["rpm -ivh x.rpm", "rpm --install x.rpm"],
    "dpkg": ["dpkg -i x.deb"],
    "amazon-linux-extras": ["amazon-linux-extras install -y x"],
}  # fmt: skip
HARMLESS = [
    "echo pip install", "chmod +x bootstrap", "mkdir -p /opt/pip && chown -R 1:1 /opt", "rm -rf /var/cache/dnf",
    "dnf clean all", "dnf -y clean all", "apt-get clean && rm -rf /var/lib/apt/lists/*", "npm run build",
    "npm cache clean --force",
    "yarn build", "npm prune --omit=dev", "python -m compileall .", "rpm --import /k", "apk del x", "pip cache purge",
    "ln -s /opt/pip install", "cd /app; ls", "pip install --no-deps .", "poetry install --only-root", "pip check",
    "update-ca-trust", "set -eux; useradd app; true", "if [ -f x ]; then rm x; fi", "go vet ./...",
    "dotnet publish --no-restore",
]  # fmt: skip
UNKNOWN = ["./install.sh", "make", "bash -c 'pip install x'", "curl -sSf https://x.example | sh", "npm run deps",
           "xargs pip install"]  # fmt: skip
NO_CODE_SOURCES = [
    ["requirements.txt", "requirements/", "requirements/prod.txt", "requirements-dev.txt", "constraints.txt",
     "requirements*.txt"],
    ["pyproject.toml", "uv.lock", "poetry.lock", "pdm.lock", "Pipfile", "Pipfile.lock", "setup.py", "environment.yml"],
    ["package.json", "package-lock.json", "package*.json", "web/yarn.lock", "pnpm-lock.yaml", "bun.lockb", "bun.lock"],
    ["Gemfile", "Gemfile*", "Gemfile.lock", "x.gemspec", "composer.json", "go.mod", "go.sum", "Cargo.toml",
     "Cargo.lock"],
    ["pom.xml", "build.gradle.kts", "*.gradle", "gradlew", "mvnw", ".mvn", ".mvn/", "build.sbt",
     "gradle/libs.versions.toml"],
    ["App/App.csproj", "*.csproj", "App.sln", "NuGet.config", "packages.lock.json", "global.json"],
    ["pip.conf", "etc/pip.conf", "pip.ini", ".pip/", ".npmrc", ".yarnrc.yml", ".yarn/", "uv.toml", "poetry.toml",
     ".netrc"],
    ["bunfig.toml", ".bundle/", ".cargo/", "settings.xml", "yum.conf", "dnf.conf", "yum.repos.d/",
     "etc/yum.repos.d", "apt.conf.d"],
    ["corp-ca.crt", "certs/root.pem", "ca.cer", "company.repo", "sources.list", "nodesource.gpg", "docker.asc"],
    ["certs/", "certs", "ca-certificates/", "keyrings/", "RPM-GPG-KEY-corp", "sources.list.d/"],
    ["local.rpm", "x.deb", "dist/lib-1.0-py3-none-any.whl", "alpine-rootfs.tar.gz"],
    ["https://example.com/x.tar.gz"],
]  # fmt: skip
CODE_SOURCES = [
    [".", "./", "*", "./*", "/", "./."],
    ["src", "src/", "./app", "lib/*", "handlers", "functions/", "lambda"],
    ["app.py", "index.js", "dist/index.mjs", "main.go", "*.rb", "Handler.java", "src/a.ts"],
]  # fmt: skip
UNKNOWN_SOURCES = ["templates/", "config.json", "model.bin", "docker-entrypoint.sh", "data", "bootstrap", "app.jar"]


def history(*steps: str) -> list[HistoryEntry]:
    """Build steps, each with a layer."""
    return [HistoryEntry(step, False, None) for step in steps]


def after(copied: str, command: str) -> bool | None:
    """What is said of a command that follows what was copied."""
    return code_order(history(f"COPY {copied} /x # buildkit", f"RUN /bin/sh -c {command} # buildkit")).ok


def test_every_row_of_the_tables_has_its_examples() -> None:
    assert list(INSTALLING) == [installer.name for installer in INSTALLERS]
    assert (len(NO_CODE_SOURCES), len(CODE_SOURCES)) == (len(NO_CODE), len(CODE))
    for patterns, examples in ((NO_CODE, NO_CODE_SOURCES), (CODE, CODE_SOURCES)):
        for pattern, row in zip(patterns, examples, strict=True):
            assert [source for source in row if not pattern.search(source)] == []
    assert HARMLESS_COMMAND.match("dnf clean all")


@pytest.mark.parametrize(("name", "command"), [(name, each) for name, row in INSTALLING.items() for each in row])
def test_an_installation_after_the_code_is_one_whatever_its_form(name: str, command: str) -> None:
    assert after(".", command) is False
    assert installs(history(f"RUN /bin/sh -c {command} # buildkit"))
    forms = (
        f"/bin/sh -c {command}",
        f"RUN {command}",
        f"|2 A=1 B=x y /bin/sh -c {command}",
        f"RUN |1 A=… /bin/sh -c {command}",
        f"RUN /bin/bash -o pipefail -c {command} # buildkit",
    )
    assert [code_order(history("COPY . .", form)).ok for form in forms] == [False] * 5


@pytest.mark.parametrize("command", HARMLESS)
def test_what_installs_nothing_is_not_taken_for_it(command: str) -> None:
    assert after(".", command) is True
    assert not installs(history(f"RUN {command}"))


@pytest.mark.parametrize("command", UNKNOWN)
def test_what_may_install_something_is_told_as_not_known(command: str) -> None:
    assert after(".", command) is None
    assert after("requirements.txt", command) is True


@pytest.mark.parametrize("source", [source for row in NO_CODE_SOURCES for source in row])
def test_what_an_installation_needs_is_no_code(source: str) -> None:
    assert after(source, "pip install -r r.txt") is True
    assert after(f"--chown=1:1 {source}", "pip install -r r.txt") is True


@pytest.mark.parametrize("source", [source for row in CODE_SOURCES for source in row])
def test_code_is_code(source: str) -> None:
    assert after(source, "pip install -r r.txt") is False
    assert after(f"requirements.txt {source}", "pip install -r r.txt") is False


@pytest.mark.parametrize("source", UNKNOWN_SOURCES)
def test_what_may_be_code_is_told_as_not_known(source: str) -> None:
    assert after(source, "pip install -r r.txt") is None
    assert after(f"requirements.txt {source}", "pip install -r r.txt") is None
    assert after(source, "chmod +x x") is True


@pytest.mark.parametrize(
    ("first", "again", "ok"),
    [
        ("pip install -r requirements.txt", "pip install .", True),
        ("pip install -r requirements.txt", "pip install -e .[web]", True),
        ("pip install -r requirements.txt", "pip install -r more.txt", False),
        ("uv sync --locked --no-install-project", "uv sync --locked", True),
        ("uv pip install -r r.txt", "uv pip sync r.txt", False),
        ("poetry install --no-root", "poetry install", True),
        ("mvn dependency:go-offline", "mvn package", True),
        ("./gradlew dependencies", "./gradlew build", True),
        ("dotnet restore", "dotnet publish -c Release", True),
        ("go mod download", "go build .", True),
        ("go mod download", "go get x", False),
        ("npm ci", "npm ci --omit=dev", False),
        ("dnf install -y a", "dnf install -y b", False),
        ("npm ci", "pip install .", False),
    ],
)
def test_an_installer_that_ran_before_may_add_the_app_itself(first: str, again: str, ok: bool) -> None:
    assert code_order(history("COPY requirements.txt .", f"RUN {first}", "COPY . .", f"RUN {again}")).ok is ok


@pytest.mark.parametrize(
    ("copied", "ok"),
    [
        ("dir:0a1b in /var/task", False),
        ("dir:0a1b in /app/", False),
        ("dir:0a1b in /var/task/src", False),
        ("dir:0a1b in /var/task/requirements/", True),
        ("dir:0a1b in /opt/data", None),
        ("file:0a1b in /var/task/requirements.txt", True),
        ("file:0a1b in /etc/pip.conf", True),
        ("file:0a1b in /etc/yum.repos.d/corp.repo", True),
        ("file:0a1b in /var/task/app.py", False),
        ("file:0a1b in /var/task/", None),
        ("multi:0a1b in /var/task/", None),
        ("file:0a1b in /", True),
    ],
)
def test_the_classic_builder_tells_the_target_alone(copied: str, ok: bool | None) -> None:
    steps = (f"/bin/sh -c #(nop) COPY {copied} ", "/bin/sh -c pip install -r r.txt")
    assert code_order(history(*steps)).ok is ok


@pytest.mark.parametrize(
    "step", ["", "bazel build ...", "jib-maven-plugin:3.4.0", "ko build ko://app", "Buildpacks Launcher"]
)
def test_a_step_of_another_builder_may_hold_anything(step: str) -> None:
    assert code_order(history(step)).ok is None
    assert code_order([HistoryEntry(step, True, None), *history("COPY . .")]).ok is True


@pytest.mark.parametrize(
    "step", ["WORKDIR /app", "ENV A=…", '/bin/sh -c #(nop)  CMD ["app.handler"]', "USER 1000", "LABEL a=b"]
)
def test_settings_hold_nothing(step: str) -> None:
    assert code_order(history("COPY . .", step)).ok is True


def test_what_comes_from_another_stage_is_not_this_stages_code() -> None:
    assert code_order(history("COPY --from=build /app /var/task", "RUN dnf install -y poppler")).ok is True


@pytest.mark.parametrize("step", ["RUN dir/", "RUN /", "RUN cd x && src/ ", "/bin/sh -c /opt/tools/ --all"])
def test_a_path_to_a_folder_is_a_command_that_is_not_known(step: str) -> None:
    order = code_order(history("COPY . .", step))
    assert (order.ok, order.after) == (None, step)
