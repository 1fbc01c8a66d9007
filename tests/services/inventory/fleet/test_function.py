"""What a function sets instead of its image."""

from functions_app.services.inventory.fleet.function import overridden


def test_lists_and_texts_stand_in_one_line() -> None:
    settings = {"entrypoint": ["/run", "--fast"], "command": ["app.main"], "workdir": "/srv"}
    assert overridden(settings) == "entrypoint: /run --fast command: app.main workdir: /srv"


def test_what_is_not_set_is_not_named() -> None:
    assert overridden({"entrypoint": [], "workdir": "/srv"}) == "workdir: /srv"
    assert overridden({}) == ""
