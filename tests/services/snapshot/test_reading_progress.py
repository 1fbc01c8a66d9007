"""How far a reading is: functions of functions found, then images."""

from functions_app.services.snapshot.reading_progress import FUNCTIONS, IMAGES, ReadingProgress


def test_before_anything_was_found_nothing_is_told() -> None:
    assert ReadingProgress().state() is None


def test_a_function_is_read_once_its_details_and_its_aliases_had_their_turn() -> None:
    progress = ReadingProgress()
    progress.found(FUNCTIONS, 400)
    progress.read(FUNCTIONS, 400)
    assert progress.state() == (200, 400, "functions")
    progress.read(FUNCTIONS, 399)
    assert progress.state() == (399, 400, "functions")


def test_images_follow_functions() -> None:
    progress = ReadingProgress()
    progress.found(FUNCTIONS, 1)
    progress.found(IMAGES, 8)
    progress.read(IMAGES, 3)
    assert progress.state() == (0, 1, "functions")
    progress.read(FUNCTIONS, 2)
    assert progress.state() == (3, 8, "images")
    progress.read(IMAGES, 5)
    assert progress.state() == (8, 8, "images")


def test_where_there_are_no_images_functions_are_all() -> None:
    progress = ReadingProgress()
    progress.found(FUNCTIONS, 2)
    progress.read(FUNCTIONS, 4)
    assert progress.state() == (2, 2, "functions")
