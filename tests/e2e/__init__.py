"""The main job in a real browser, against the whole demo."""
