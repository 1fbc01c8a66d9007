"""Releases to choose from, and what a file in one of them is."""

from functions_app.domain.layers.entries import FileEntry
from functions_app.services.inventory.bases.base import Mark
from functions_app.web.html.releases import file_facts, release_options
from tests.factories import NOW
from tests.web.html.hostile import ATTACK, harmless

MARKS = (
    Mark(1, "3.12.old", NOW, "linux/amd64", current=False, aliases=0),
    Mark(2, "3.12.new", NOW, "linux/amd64", current=True, aliases=3),
)


def test_the_chosen_release_is_selected_and_the_current_one_marked() -> None:
    assert release_options(MARKS, 1) == (
        '<option value="1" selected>3.12.old</option><option value="2">3.12.new (current)</option>'
    )


def test_where_platforms_mix_each_is_named() -> None:
    assert '<option value="2">3.12.new linux/amd64, current</option>' in release_options(MARKS, None, True)


def test_a_file_says_what_it_is() -> None:
    assert "1.5 kB" in file_facts(FileEntry("a", "file", 1500))
    assert "→ usr/lib" in file_facts(FileEntry("lib", "symlink", link="usr/lib"))
    assert "directory" in file_facts(FileEntry("d", "dir"))


def test_another_mode_is_said() -> None:
    assert "mode 0755" in file_facts(FileEntry("a", "file", 1, mode=0o755), FileEntry("a", "file", 1))


def test_neither_a_release_nor_a_link_lets_markup_through() -> None:
    mark = Mark(1, ATTACK, NOW, ATTACK, current=True, aliases=0)
    assert harmless(release_options([mark], None, True))
    assert harmless(file_facts(FileEntry("a", "symlink", link=ATTACK)))
