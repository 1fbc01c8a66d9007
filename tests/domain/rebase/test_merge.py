"""The merge of settings: what came from the base follows it, what is the app's stays."""

from collections.abc import Mapping
from typing import Any

import pytest

from functions_app.domain.errors import DrydockError
from functions_app.domain.rebase.merge import Merged, Note, Noted, merge
from functions_app.domain.rebase.own_settings import own_settings

Settings = Mapping[str, Any]


def merged(old: Settings, new: Settings, app: Settings, *steps: str) -> Merged:
    """Merge, where the app's own history is these steps."""
    return merge(old, new, app, own_settings(steps))


def env(old: list[str], new: list[str], app: list[str], *steps: str) -> list[str]:
    """The merged variables alone."""
    found = merged({"Env": old}, {"Env": new}, {"Env": app}, *steps).settings["Env"]
    assert isinstance(found, list)
    return found


def test_what_came_from_the_base_follows_it() -> None:
    assert merged({"User": "a"}, {"User": "b"}, {"User": "a"}) == Merged({"User": "b"}, ())


def test_what_the_new_base_took_away_goes() -> None:
    assert merged({"User": "a"}, {}, {"User": "a"}).settings == {}


def test_what_the_app_set_stays() -> None:
    assert merged({"User": "a"}, {"User": "a"}, {"User": "app"}) == Merged({"User": "app"}, ())


def test_of_two_that_changed_it_the_app_wins_and_it_is_told() -> None:
    assert merged({"User": "a"}, {"User": "b"}, {"User": "app"}) == Merged(
        {"User": "app"}, (Note(Noted.BOTH_CHANGED, "User"),)
    )


def test_two_that_changed_it_alike_agree() -> None:
    assert merged({"User": "a"}, {"User": "b"}, {"User": "b"}) == Merged({"User": "b"}, ())


def test_what_the_history_sets_is_the_apps_though_it_is_what_the_old_base_said() -> None:
    assert merged({"User": "a"}, {"User": "b"}, {"User": "a"}, "USER a") == Merged({"User": "a"}, ())


def test_members_that_nobody_knows_go_by_the_same_rule() -> None:
    old, new, app = {"One": {"a": 1}, "Two": [1], "Gone": True}, {"One": {"a": 2}, "Two": [2]}, {"Own": 0.5}

    assert merged(old, new, {**old, **app, "Two": [3]}).settings == {"One": {"a": 2}, "Two": [3], "Own": 0.5}


def test_absent_null_and_empty_are_one() -> None:
    assert merged({"Volumes": None}, {"Volumes": {"/a": {}}}, {"Volumes": {}}).settings == {"Volumes": {"/a": {}}}
    assert merged({}, {"User": "b"}, {"User": ""}) == Merged({"User": "b"}, ())


def test_variables_go_name_by_name_in_the_new_bases_order_then_the_apps() -> None:
    old, new = ["LANG=C", "GONE=1", "KEPT=1"], ["NEW=1", "LANG=en", "KEPT=1"]

    assert env(old, new, ["STAGE=prod", "LANG=C", "GONE=1", "KEPT=2"]) == ["NEW=1", "LANG=en", "KEPT=2", "STAGE=prod"]


def test_a_variable_that_the_app_took_away_stays_away() -> None:
    assert env(["A=1", "B=1"], ["A=1", "B=2"], ["B=1"]) == ["B=2"]


def test_an_empty_variable_is_another_than_none() -> None:
    assert env(["A=1"], ["A=2"], ["A="]) == ["A="]


@pytest.mark.parametrize(
    ("app", "kept"),
    [
        ("/opt/app:/usr/bin:/bin", "/opt/app:/new:/bin"),
        ("/usr/bin:/bin:/opt/app", "/new:/bin:/opt/app"),
        ("/a:/usr/bin:/bin:/b", "/a:/new:/bin:/b"),
        ("/usr/bin:/bin:/usr/bin:/bin", "/usr/bin:/bin:/new:/bin"),
        ("/opt/usr/bin:/bin", "/opt/usr/bin:/bin"),
        ("/usr/bin:/binary", "/usr/bin:/binary"),
    ],
)
def test_a_path_that_the_app_made_longer_has_the_new_bases_in_place_of_the_old_ones(app: str, kept: str) -> None:
    steps = [f"ENV PATH={app}"]

    assert env(["PATH=/usr/bin:/bin"], ["PATH=/new:/bin"], [f"PATH={app}"], *steps) == [f"PATH={kept}"]


def test_a_path_that_the_history_sets_to_what_the_old_base_had_is_the_apps() -> None:
    assert env(["PATH=/bin"], ["PATH=/new"], ["PATH=/bin"], "ENV PATH=/bin") == ["PATH=/bin"]
    assert env(["PATH=/bin"], ["PATH=/new"], ["PATH=/bin"]) == ["PATH=/new"]


def test_a_path_that_the_new_base_has_no_more_leaves_the_apps_part() -> None:
    assert env(["CLASSPATH=/a"], ["A=b"], ["CLASSPATH=/app:/a"]) == ["A=b", "CLASSPATH=/app"]


def test_only_lists_of_paths_are_taken_apart() -> None:
    assert env(["MODE=a"], ["MODE=b"], ["MODE=x:a"]) == ["MODE=x:a"]


def test_labels_go_name_by_name_and_an_empty_one_is_one() -> None:
    old, new, app = {"a": "1", "b": "1"}, {"a": "2"}, {"a": "1", "b": "1", "c": ""}

    assert merged({"Labels": old}, {"Labels": new}, {"Labels": app}).settings == {"Labels": {"a": "2", "c": ""}}


def test_ports_and_volumes_are_sets() -> None:
    def ports(*names: str) -> Settings:
        return {"ExposedPorts": {name: {} for name in names}}

    found = merged(ports("80/tcp", "81/tcp"), ports("82/tcp"), ports("80/tcp", "81/tcp", "9000/tcp"), "EXPOSE 80")

    assert found.settings == ports("82/tcp", "80/tcp", "9000/tcp")


def test_the_apps_command_stays_with_the_new_bases_entry_point() -> None:
    old, new = {"Entrypoint": ["/boot"]}, {"Entrypoint": ["/boot2"]}

    found = merged(old, new, {**old, "Cmd": ["app.handler"]})

    assert found.settings == {"Entrypoint": ["/boot2"], "Cmd": ["app.handler"]}
    assert found.notes == (Note(Noted.OTHER_ENTRYPOINT, "Entrypoint"),)


def test_an_entry_point_of_the_apps_drops_the_command_of_the_base() -> None:
    old, new = {"Entrypoint": ["/boot"]}, {"Entrypoint": ["/boot"], "Cmd": ["serve"]}

    assert merged(old, new, {"Entrypoint": ["/own"]}, 'ENTRYPOINT ["/own"]').settings == {"Entrypoint": ["/own"]}


def test_an_entry_point_set_to_what_the_base_has_drops_its_command_too() -> None:
    old, new = {"Entrypoint": ["/boot"], "Cmd": ["a"]}, {"Entrypoint": ["/boot2"], "Cmd": ["b"]}

    assert merged(old, new, {"Entrypoint": ["/boot"]}, "ENTRYPOINT /boot") == Merged({"Entrypoint": ["/boot"]}, ())


def test_a_command_of_the_base_follows_it() -> None:
    assert merged({"Cmd": ["a"]}, {"Cmd": ["b"]}, {"Cmd": ["a"]}).settings == {"Cmd": ["b"]}


@pytest.mark.parametrize("new", [{"OnBuild": ["RUN b"]}, {}])
def test_triggers_of_a_base_are_run_by_builds_and_never_handed_down(new: Settings) -> None:
    assert merged({"OnBuild": ["RUN a"]}, new, {}) == Merged({}, (Note(Noted.TRIGGERS, "OnBuild"),))
    assert merged({}, {"OnBuild": ["RUN b"]}, {}) == Merged({}, (Note(Noted.TRIGGERS, "OnBuild"),))
    assert "ONBUILD" in Note(Noted.TRIGGERS, "OnBuild").text


def test_what_the_classic_builder_left_is_nobodys_decision() -> None:
    old, new, app = ({"Image": f"sha256:{number}"} for number in range(3))

    assert merged(old, new, app) == Merged({"Image": "sha256:2"}, ())


def test_notes_name_the_variable_and_never_its_value() -> None:
    found = merged({"Env": ["KEY=old"]}, {"Env": ["KEY=new"]}, {"Env": ["KEY=s3cr3t"]})

    assert [note.text for note in found.notes] == [
        "Env KEY was changed by the new base and by the app: the app's stays."
    ]


@pytest.mark.parametrize("settings", [{"Env": "A=b"}, {"Env": [1]}, {"Labels": ["a"]}, {"ExposedPorts": [80]}])
def test_settings_of_another_form_are_refused(settings: Settings) -> None:
    with pytest.raises(DrydockError):
        merged({}, {"Env": ["A=b"], "Labels": {"a": "b"}, "ExposedPorts": {"80/tcp": {}}}, settings)
