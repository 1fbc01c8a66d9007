"""The kinds of things that a pasted text can name. What the text did not say is ''."""

import re
from dataclasses import dataclass

from functions_app.domain.ecr_hosts import partition_of, plain_host

LAMBDA_GROUPS = "/aws/lambda/"  # a function's own log group is called this and its name
_VERSION = re.compile(r"[0-9]{1,20}|\$LATEST(?:\.PUBLISHED)?")


@dataclass(frozen=True)
class FunctionNamed:
    """A function, and maybe an alias or a version of it."""

    name: str
    qualifier: str = ""
    region: str = ""
    account: str = ""

    @property
    def version(self) -> str:
        """The qualifier, where it is a version's and no alias's."""
        return self.qualifier if _VERSION.fullmatch(self.qualifier) else ""

    @property
    def alias(self) -> str:
        """The qualifier, where it is an alias's."""
        return "" if self.version else self.qualifier

    @property
    def said(self) -> str:
        """What was understood, in words."""
        which = f", version {self.version}" if self.version else f", alias {self.alias}" if self.alias else ""
        return f"the function {self.name}{which}{_where(self.region, self.account)}"

    def __str__(self) -> str:
        last = f":{self.qualifier}" if self.qualifier else ""
        if not (self.region or self.account):
            return f"function:{self.name}{last}"
        partition = partition_of(self.region).name
        return f"arn:{partition}:lambda:{self.region}:{self.account}:function:{self.name}{last}"


@dataclass(frozen=True)
class LogGroup:
    """A log group, and maybe the version that wrote the stream of it which was named."""

    group: str
    version: str = ""
    region: str = ""
    account: str = ""

    @property
    def function(self) -> str:
        """The function whose own it would be; '' for a group that was given another name."""
        name = self.group.removeprefix(LAMBDA_GROUPS)
        return "" if name == self.group or "/" in name else name

    @property
    def said(self) -> str:
        """What was understood, in words."""
        which = f", a stream of version {self.version}" if self.version else ""
        return f"the log group {self.group}{which}{_where(self.region, self.account)}"

    def __str__(self) -> str:
        if not (self.region or self.account):
            return self.group
        return f"arn:{partition_of(self.region).name}:logs:{self.region}:{self.account}:log-group:{self.group}"


@dataclass(frozen=True)
class LogStream:
    """A stream of a function's own log group, which tells the version that wrote it and not the function."""

    version: str
    name: str

    @property
    def said(self) -> str:
        """What was understood, in words."""
        return f"a log stream of some function's version {self.version}"

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class ImageNamed:
    """An image by tag, digest or both; with neither the repository alone."""

    repository: str
    tag: str = ""
    digest: str = ""
    region: str = ""
    account: str = ""

    @property
    def said(self) -> str:
        """What was understood, in words."""
        which = f", tag {self.tag}" if self.tag else ""
        which += f", digest {self.digest.removeprefix('sha256:')[:12]}" if self.digest else ""
        return f"the repository {self.repository}{which}{_where(self.region, self.account)}"

    def __str__(self) -> str:
        host = f"{plain_host(self.account, self.region)}/" if self.account and self.region else ""
        tag = f":{self.tag}" if self.tag else ""
        return f"{host}{self.repository}{tag}{f'@{self.digest}' if self.digest else ''}"


@dataclass(frozen=True)
class DigestStart:
    """A digest, or its first hex digits (six or more), without `sha256:`."""

    digits: str

    @property
    def said(self) -> str:
        """What was understood, in words."""
        return f"a digest that begins with {self.digits[:12]}"

    def __str__(self) -> str:
        return self.digits


@dataclass(frozen=True)
class RunNumber:
    """A run of Drydock's."""

    number: int

    @property
    def said(self) -> str:
        """What was understood, in words."""
        return f"the run {self.number}"

    def __str__(self) -> str:
        return f"#{self.number}"


@dataclass(frozen=True)
class OwnPage:
    """A page of Drydock's own, by the first part of its path and the key behind it: ("functions", 12)."""

    kind: str
    key: int

    @property
    def said(self) -> str:
        """What was understood, in words."""
        return f"a page of Drydock, {self}"

    def __str__(self) -> str:
        return f"/{self.kind}/{self.key}/"


@dataclass(frozen=True)
class AccountNumber:
    """AWS's number of an account."""

    number: str

    @property
    def said(self) -> str:
        """What was understood, in words."""
        return f"the account {self.number}"

    def __str__(self) -> str:
        return self.number


@dataclass(frozen=True)
class Words:
    """Anything else: the name or a part of it, a tag, an owner, an account, a base."""

    text: str

    @property
    def said(self) -> str:
        """What was understood, in words."""
        return f"a name, a tag, an owner or a part of one: {self.text[:80]}"

    def __str__(self) -> str:
        return self.text


Thing = FunctionNamed | LogGroup | LogStream | ImageNamed | DigestStart | RunNumber | OwnPage | AccountNumber | Words


def _where(region: str, account: str) -> str:
    place = f" in {region}" if region else ""
    return f"{place}{' of' if place else ' in'} account {account}" if account else place
