"""What is known of build steps, as data: programs that install, sources that are code or none, harmless commands."""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Installer:
    """A program that installs dependencies. `own`: what shows that a run after another one adds only the app itself."""

    name: str
    command: re.Pattern[str]
    own: re.Pattern[str] | None = None


def _installer(name: str, command: str, own: str = "") -> Installer:
    return Installer(name, re.compile(command), re.compile(own) if own else None)


_OPTIONS = r"\s+(?:-\S+\s+(?:[^-\s]\S*\s+)??)*"  # some have a value
_END = r"(?=\s|$)"
_ITSELF = r"\s(?:-e\s+)?\.(?:\[[\w,-]+\])?\s*$"  # pip install .
_ALWAYS = "."
_PIP = rf"pip[\d.]*|(?:pypy|python)[\d.]*{_OPTIONS}-m\s+pip"
INSTALLERS = (
    _installer("pip", rf"(?:{_PIP}){_OPTIONS}(?:install|wheel|download){_END}", _ITSELF),
    _installer("pip-sync", rf"pip-sync{_END}"),
    _installer("uv", rf"uv{_OPTIONS}(?:sync|pip\s+(?:install|sync)|tool\s+install){_END}",
               rf"^uv{_OPTIONS}sync|{_ITSELF}"),
    _installer("poetry", rf"poetry{_OPTIONS}(?:install|sync){_END}", _ALWAYS),
    _installer("pdm", rf"pdm{_OPTIONS}(?:install|sync){_END}", _ALWAYS),
    _installer("pipenv", rf"pipenv{_OPTIONS}(?:install|sync){_END}", _ALWAYS),
    _installer("conda", rf"(?:conda|mamba|micromamba){_OPTIONS}(?:env\s+)?(?:install|create|update){_END}"),
    _installer("npm", rf"npm{_OPTIONS}(?:ci|clean-install|install|i|add){_END}"),
    _installer("yarn", rf"yarn(?:{_OPTIONS}(?:install|add){_END}|\s*$|\s+--)"),
    _installer("pnpm", rf"pnpm{_OPTIONS}(?:install|i|add|fetch){_END}", r"--offline"),
    _installer("bun", rf"bun{_OPTIONS}(?:install|i|add){_END}"),
    _installer("bundler", rf"bundle{_OPTIONS}install{_END}", _ALWAYS),
    _installer("gem", rf"gem{_OPTIONS}install{_END}"),
    _installer("composer", rf"composer{_OPTIONS}(?:install|update|require){_END}", r"\sinstall\b"),
    _installer("go", rf"go\s+(?:mod\s+download|get|install|build){_END}", r"\sbuild\b"),
    _installer("dotnet", rf"dotnet\s+(?:restore|build|publish){_END}", r"\s(?:build|publish)\b"),
    _installer("maven", rf"mvnw?{_END}", _ALWAYS),
    _installer("gradle", rf"gradlew?{_END}", _ALWAYS),
    _installer("sbt", rf"sbt{_END}", _ALWAYS),
    _installer("cargo", rf"cargo{_OPTIONS}(?:build|fetch|install){_END}", r"\sbuild\b"),
    _installer("dnf", rf"(?:microdnf|tdnf|dnf|yum){_OPTIONS}(?:(?:local|group|re)?install|update|upgrade){_END}"),
    _installer("apt", rf"(?:apt-get|apt|aptitude){_OPTIONS}(?:install|upgrade|dist-upgrade){_END}"),
    _installer("apk", rf"apk{_OPTIONS}(?:add|upgrade){_END}"),
    _installer("zypper", rf"zypper{_OPTIONS}(?:install|in|update|up){_END}"),
    _installer("rpm", r"rpm\s+(?:-[iUF]\w*|--install|--upgrade)"),
    _installer("dpkg", r"dpkg\s+(?:-i|--install)"),
    _installer("amazon-linux-extras", rf"amazon-linux-extras{_OPTIONS}(?:install|enable){_END}"),
)  # fmt: skip
NO_DEPENDENCIES = re.compile(r"\s--(?:no-deps|only-root|no-restore)(?:\s|$)")

# Sources that are no code: with these an installation has to wait anyway.
NO_CODE = tuple(re.compile(pattern) for pattern in (
    r"(?:^|/)(?:requirements|constraints)(?:[\w.*-]*|/.*|)$",
    r"(?:^|/)(?:pyproject\.toml|setup\.(?:py|cfg)|poetry\.lock|pdm\.lock|uv\.lock|Pipfile(?:\.lock)?|environment\.ya?ml)$",
    r"(?:^|/)(?:package(?:-lock|\*)?\*?\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-(?:lock|workspace)\.yaml|bun\.lockb?)$",
    r"(?:^|/)(?:Gemfile(?:\.lock|\*)?|[\w.*-]*\.gemspec|composer\.(?:json|lock)|go\.(?:mod|sum|work)|Cargo\.(?:toml|lock))$",
    r"(?:^|/)(?:pom\.xml|[\w.*-]*\.gradle(?:\.kts)?|gradle\.properties|gradlew?|mvnw|\.mvn|build\.sbt|libs\.versions\.toml)/?$",
    r"(?:^|/)(?:[\w.*-]*\.(?:csproj|fsproj|sln|slnx)|NuGet\.[Cc]onfig|nuget\.config|packages\.lock\.json|global\.json)$",
    # Settings of installers
    r"(?:^|/)(?:pip\.(?:conf|ini)|\.pip|\.pypirc|\.netrc|uv\.toml|poetry\.toml|\.condarc|\.npmrc|\.yarnrc(?:\.yml)?|\.yarn)/?$",
    r"(?:^|/)(?:bunfig\.toml|\.bundle|\.cargo|settings\.xml|(?:yum|dnf)\.conf|apt\.conf(?:\.d)?|(?:yum|apt)?\.?repos\.d)/?$",
    # Certificates, keys and sources of packages
    r"\.(?:crt|cer|pem|ca-bundle|gpg|asc|repo|list|sources)$",
    r"(?:^|/)(?:certs?|certificates|ca-certificates|keyrings|RPM-GPG-KEY[\w.-]*|sources\.list\.d|trusted\.gpg\.d)/?$",
    r"\.(?:rpm|deb|apk|whl)$|rootfs[\w.-]*\.tar(?:\.\w+)?$",
    r"^https?://",
))  # fmt: skip
# Sources that are the app's code.
CODE = tuple(re.compile(pattern) for pattern in (
    r"^\.?/?\*?$|^\./\.$",
    r"^(?:\./)?(?:src|app|lib|code|api|cmd|internal|pkg|handlers?|functions?|lambdas?|services?|packages)/?\*?$",
    r"\.(?:py|m?js|cjs|m?ts|tsx|jsx|rb|java|kt|scala|go|rs|cs|php)$",
))  # fmt: skip
ROOTS = frozenset({"/var/task", "/app", "/usr/src/app", "/function", "/src", "/code", "."})  # where code goes
# Commands that install nothing.
HARMLESS = frozenset({
    "chmod", "chown", "chgrp", "mkdir", "rmdir", "rm", "ln", "cp", "mv", "install", "touch", "echo", "printf", "cat",
    "ls", "test", "[", "true", ":", "set", "cd", "export", "umask", "sed", "grep", "tar", "unzip", "gzip", "useradd",
    "groupadd", "adduser", "addgroup", "usermod", "id", "which", "exit", "strip", "ldconfig", "for", "done", "fi",
    "esac", "fc-cache", "update-ca-trust", "update-ca-certificates", "localedef", "locale-gen", "tsc", "esbuild",
})  # fmt: skip
HARMLESS_COMMAND = re.compile(
    r"(?:npm|yarn|pnpm|bun)\s+(?:(?:run\s+)?(?:build|compile|bundle|lint|test)\b|prune\b|cache\b)|python[\d.]*\s+-m\s+compileall\b|pip[\d.]*\s+(?:cache|check|list)\b|"
    r"(?:microdnf|tdnf|dnf|yum|apt-get|apt)\s(?:-\S+\s+)*(?:clean|autoremove|remove|makecache|update)\b|"
    r"rpm\s+(?:--import|-q)|apk\s+(?:del|update)\b|go\s+(?:vet|test)\b"
)
