"""The parts that pages of base images are made of (web/html) as template tags."""

from django import template

from functions_app.web.html import badges, base_users, releases, standings, timeline

register = template.Library()

register.simple_tag(badges.change_mark, name="change_mark")
register.simple_tag(base_users.user_items, name="user_items")
register.simple_tag(base_users.user_rows, name="user_rows")
register.simple_tag(standings.standing, name="standing")
register.simple_tag(standings.standings, name="standings")
register.simple_tag(standings.standing_bar, name="standing_bar")
register.simple_tag(standings.end, name="end")
register.simple_tag(releases.releases_to_compare, name="releases_to_compare")
register.simple_tag(releases.release_options, name="release_options")
register.simple_tag(releases.file_facts, name="file_facts")
register.simple_tag(timeline.timeline, name="timeline")
