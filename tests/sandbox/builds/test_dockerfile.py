"""The build's own Dockerfile and shell reading, without a server."""

from datetime import UTC, datetime

import pytest

from sandbox.builds.dockerfile import Options, build, parse
from sandbox.builds.files import BuildError, Files, flatten
from sandbox.builds.shell_words import statements, words
from sandbox.images.making import Entry, Executable, Image, SymlinkTo, make_image, make_layer

NOW = datetime(2026, 6, 1, tzinfo=UTC)
CONTEXT: dict[str, Entry] = {
    "app.py": b"app",
    "lib/a.py": b"a",
    "lib/deep/b.py": b"b",
    "run.sh": Executable(b"run"),
    "x.txt": b"x",
}


def context() -> Files:
    files = Files()
    for path, entry in CONTEXT.items():
        files.put(path, entry)
    return files


def base(architecture: str = "amd64") -> Image:
    layer = make_layer(
        {"etc/old": b"1", "var/task/": b"", "opt/tool/bin": Executable(b"tool"), "link": SymlinkTo("etc")}
    )
    return make_image([layer], created=NOW, architecture=architecture, config={"Env": ["A=1"], "Cmd": ["x"]})


def pull(reference: str, platform: str) -> Image:
    if reference != "base":
        raise BuildError(f"{reference}: not found")
    return base(platform.split("/")[1])


def built(dockerfile: str, **options: object) -> Image:
    return build(dockerfile, context(), pull, Options(**options), NOW)  # type: ignore[arg-type]


def added(image: Image) -> dict[str, object]:
    """The files of the layers above the base."""
    return dict(flatten(image.layers[1:]).entries)


@pytest.mark.parametrize(
    ("line", "files"),
    [
        ("COPY app.py /var/task/", {"var/task/app.py": b"app"}),
        ("COPY app.py /var/task", {"var/task/app.py": b"app"}),
        ("COPY app.py /srv/main.py", {"srv/main.py": b"app"}),
        ("COPY lib /srv", {"srv/a.py": b"a", "srv/deep/b.py": b"b"}),
        ("COPY lib/ lib/", {"lib/a.py": b"a", "lib/deep/b.py": b"b"}),
        ("COPY app.py x.txt /srv/", {"srv/app.py": b"app", "srv/x.txt": b"x"}),
        ("COPY *.txt /srv/", {"srv/x.txt": b"x"}),
        ('COPY ["app.py", "/a b/"]', {"a b/app.py": b"app"}),
        ("COPY run.sh /", {"run.sh": Executable(b"run")}),
        ("COPY --chmod=755 app.py /", {"app.py": Executable(b"app")}),
        ("COPY --from=base /opt/tool /opt/tool", {"opt/tool/bin": Executable(b"tool")}),
        ("ADD app.py /srv/", {"srv/app.py": b"app"}),
        ("WORKDIR /srv\nCOPY app.py .", {"srv/app.py": b"app"}),
        ("WORKDIR /srv\nWORKDIR jobs\nCOPY app.py ./", {"srv/jobs/app.py": b"app"}),
    ],
)
def test_copy_puts_files_where_docker_would(line: str, files: dict[str, object]) -> None:
    assert added(built(f"FROM base\n{line}")) == files


def test_copy_of_everything_copies_the_context() -> None:
    assert added(built("FROM base\nCOPY . /srv/")) == {f"srv/{path}": entry for path, entry in CONTEXT.items()}


def test_several_files_need_a_directory() -> None:
    with pytest.raises(BuildError, match="must be a directory and end with a /"):
        built("FROM base\nCOPY app.py x.txt /srv/one")


def test_a_stage_feeds_another() -> None:
    image = built("FROM base AS first\nCOPY app.py /out/\nFROM base\nCOPY --from=first /out/app.py /final/")
    assert added(image) == {"final/app.py": b"app"}


def test_a_stage_can_be_a_base() -> None:
    image = built("FROM base AS first\nENV B=2\nFROM first\nENV C=${A}${B}")
    assert image.document["config"]["Env"] == ["A=1", "B=2", "C=12"]


def test_a_target_ends_the_build() -> None:
    image = built("FROM base AS first\nENV B=2\nFROM base AS second\nENV C=3", target="first")
    assert image.document["config"]["Env"] == ["A=1", "B=2"]


def test_a_missing_target_is_named() -> None:
    with pytest.raises(BuildError, match="'third' could not be found"):
        built("FROM base", target="third")


def test_the_platform_chooses_the_bases_image() -> None:
    assert built("FROM base", platform="linux/arm64").architecture == "arm64"


def test_scratch_is_empty() -> None:
    image = built("FROM scratch\nCOPY app.py /")
    assert len(image.layers) == 1


def test_arguments_have_defaults_and_are_set_from_outside() -> None:
    dockerfile = "FROM base\nARG GREETING=hi\nARG NAME\nENV TEXT=${GREETING}-${NAME:-nobody}"
    assert built(dockerfile).document["config"]["Env"] == ["A=1", "TEXT=hi-nobody"]
    assert built(dockerfile, arguments={"NAME": "ann"}).document["config"]["Env"] == ["A=1", "TEXT=hi-ann"]


def test_an_argument_is_not_in_the_image() -> None:
    assert built("FROM base\nARG SECRET=1").document["config"]["Env"] == ["A=1"]


def test_env_of_the_base_can_be_replaced_in_its_place() -> None:
    assert built("FROM base\nENV B=2\nENV A=new").document["config"]["Env"] == ["A=new", "B=2"]


def test_whiteouts_take_files_away() -> None:
    layers = [make_layer({"a/one": b"1", "a/two": b"2"}), make_layer({"a/.wh.one": b""})]
    assert flatten(layers).entries == {"a/two": b"2"}


def test_an_opaque_directory_hides_what_was_in_it() -> None:
    layers = [make_layer({"a/one": b"1"}), make_layer({"a/.wh..wh..opq": b"", "a/new": b"3"})]
    assert flatten(layers).entries == {"a/new": b"3"}


def test_lines_are_continued_over_comments_and_blank_lines() -> None:
    (_, instruction) = parse("FROM base\nRUN one && \\\n\n  # why\n  two")
    assert (instruction.name, instruction.line) == ("RUN", 2)
    assert instruction.text.split() == ["one", "&&", "two"]


def test_names_of_instructions_have_no_case() -> None:
    assert [each.name for each in parse("from base\ncmd x")] == ["FROM", "CMD"]


@pytest.mark.parametrize("text", ["", "# only a comment\n"])
def test_an_empty_dockerfile_is_refused(text: str) -> None:
    with pytest.raises(BuildError, match="cannot be empty"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a  b", ["a", "b"]),
        ("'a $X' \"b $X\" $X", ["a $X", "b v", "v"]),
        ("${X:-d}${Y:-d}${X:+o}", ["vdo"]),
        (r"\$X a\ b", ["$X", "a b"]),
        ('""', [""]),
    ],
)
def test_words_are_read_as_a_shell_does(text: str, expected: list[str]) -> None:
    assert words(text, {"X": "v"}) == expected


def test_statements_are_split_outside_quotes() -> None:
    assert statements("a 'x && y' && b $(c; d); e || f # note") == [
        ("", "a 'x && y'"),
        ("&&", "b $(c; d)"),
        (";", "e"),
        ("||", "f"),
    ]


def test_the_same_build_gives_the_same_digest() -> None:
    assert built("FROM base\nCOPY . /srv/").digest == built("FROM base\nCOPY . /srv/").digest
