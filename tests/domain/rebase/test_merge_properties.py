"""What holds of any merge: nothing to do changes nothing, and two rebases are one."""

from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from functions_app.domain.rebase.merge import merge
from functions_app.domain.rebase.own_settings import OwnSettings

NOBODYS = OwnSettings()
NAMES = ("LANG", "TZ", "STAGE")
WHOLE = ("Entrypoint", "Cmd", "WorkingDir", "User", "Unknown")
Settings = dict[str, Any]
owns = st.builds(
    OwnSettings,
    st.frozensets(st.sampled_from(WHOLE), max_size=2),
    st.frozensets(st.sampled_from([("Env", "LANG"), ("Env", "STAGE"), ("Labels", "a")]), max_size=2),
)


def settings_of(whose: str) -> st.SearchStrategy[Settings]:
    """Settings whose values are told apart from another's by a letter; few, so that sides agree often."""
    values = st.sampled_from([f"{whose}1", f"{whose}2"])
    words = st.lists(values, min_size=1, max_size=2)
    members: dict[str, st.SearchStrategy[Any]] = {
        "Entrypoint": words,
        "Cmd": words,
        "WorkingDir": values,
        "User": values,
        "Unknown": st.dictionaries(values, values, min_size=1, max_size=1),
        "Env": st.dictionaries(st.sampled_from(NAMES), values, min_size=1).map(
            lambda found: [f"{name}={value}" for name, value in found.items()]
        ),
        "Labels": st.dictionaries(st.sampled_from("ab"), values, min_size=1),
        "ExposedPorts": st.dictionaries(st.sampled_from(("80/tcp", "81/tcp")), st.just({}), min_size=1),
    }
    return st.fixed_dictionaries({}, optional=members)


bases = settings_of("base")


@st.composite
def apps(draw: st.DrawFn, base: Settings) -> Settings:
    """What stands on a base: some of its settings kept, some gone, some its own."""
    kept = {name: value for name, value in base.items() if draw(st.booleans())}
    return kept | draw(settings_of("app"))


def flat(settings: Settings) -> dict[tuple[str, str], Any]:
    """Each setting by itself, variables, labels and ports by name."""
    found: dict[tuple[str, str], Any] = {}
    for member, value in settings.items():
        if member == "Env":
            found |= {(member, entry.partition("=")[0]): entry for entry in value}
        elif isinstance(value, dict) and member != "Unknown":
            found |= {(member, name): inner for name, inner in value.items()}
        else:
            found[member, ""] = value
    return found


@given(st.data(), bases, owns)
def test_on_an_equal_base_nothing_changes(data: st.DataObject, base: Settings, own: OwnSettings) -> None:
    app = data.draw(apps(base))

    found = merge(base, base, app, own)

    assert found.settings == app
    assert found.notes == ()


@given(st.data(), bases, bases, owns)
def test_a_second_time_changes_nothing(data: st.DataObject, old: Settings, new: Settings, own: OwnSettings) -> None:
    once = merge(old, new, data.draw(apps(old)), own).settings

    assert merge(new, new, once, own).settings == once


@given(bases, bases)
def test_an_app_with_nothing_of_its_own_becomes_the_new_base(old: Settings, new: Settings) -> None:
    assert merge(old, new, old, NOBODYS).settings == new


@settings(max_examples=50)
@given(st.data(), bases, bases, bases, owns)
def test_two_rebases_are_one(
    data: st.DataObject, old: Settings, middle: Settings, new: Settings, own: OwnSettings
) -> None:
    app = data.draw(apps(old))
    before, between, mine = flat(old), flat(middle), flat(app)
    # Where the app's own value happens to be the middle base's it can't be told from that.
    assume(
        not any(
            mine.get(name) != before.get(name) and mine.get(name) == between.get(name)
            for name in before.keys() | between.keys() | mine.keys()
        )
    )

    stepwise = merge(middle, new, merge(old, middle, app, own).settings, own).settings

    assert flat(stepwise) == flat(merge(old, new, app, own).settings)


@given(st.data(), bases, bases, owns)
def test_each_value_is_the_apps_or_the_new_bases(
    data: st.DataObject, old: Settings, new: Settings, own: OwnSettings
) -> None:
    app = data.draw(apps(old))

    found = flat(merge(old, new, app, own).settings)

    assert all(value in (flat(app).get(name), flat(new).get(name)) for name, value in found.items())


folders = st.lists(st.sampled_from(("/b1", "/b2", "/b3", "/b4")), min_size=1, max_size=3, unique=True)
own_folders = st.lists(st.sampled_from(("/opt/a", "/opt/b")), min_size=1, max_size=2)


@given(folders, folders, folders, own_folders, st.booleans())
def test_a_longer_path_goes_through_two_rebases_as_through_one(
    old: list[str], middle: list[str], new: list[str], own: list[str], before: bool
) -> None:
    def path(*parts: str) -> Settings:
        return {"Env": [f"PATH={':'.join(parts)}"]}

    app = path(*own, *old) if before else path(*old, *own)

    stepwise = merge(path(*middle), path(*new), merge(path(*old), path(*middle), app, NOBODYS).settings, NOBODYS)

    assert stepwise.settings == (path(*own, *new) if before else path(*new, *own))
    assert merge(path(*old), path(*new), app, NOBODYS).settings == stepwise.settings
