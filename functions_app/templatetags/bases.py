"""The parts of functions_app.web.base_parts as template tags."""

from django import template

from functions_app.web import base_parts

register = template.Library()

register.simple_tag(base_parts.change_mark, name="change_mark")
register.simple_tag(base_parts.end, name="end")
register.simple_tag(base_parts.file_facts, name="file_facts")
register.simple_tag(base_parts.release_options, name="release_options")
register.simple_tag(base_parts.release_name, name="release_name")
register.simple_tag(base_parts.standing, name="standing")
register.simple_tag(base_parts.standing_bar, name="standing_bar")
register.simple_tag(base_parts.timeline, name="timeline")
