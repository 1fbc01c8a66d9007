"""The parts of functions_app.web.html.bases as template tags."""

from django import template

from functions_app.web.html import bases

register = template.Library()

register.simple_tag(bases.change_mark, name="change_mark")
register.simple_tag(bases.end, name="end")
register.simple_tag(bases.file_facts, name="file_facts")
register.simple_tag(bases.release_options, name="release_options")
register.simple_tag(bases.release_name, name="release_name")
register.simple_tag(bases.standing, name="standing")
register.simple_tag(bases.standing_bar, name="standing_bar")
register.simple_tag(bases.timeline, name="timeline")
