"""The parts that pages of images are made of (web/html) as template tags."""

from django import template

from functions_app.web.html import badges, checks, finding_row, image_row, images

register = template.Library()

register.simple_tag(badges.tier, name="tier")
register.simple_tag(badges.severity, name="severity")
register.simple_tag(badges.scan_state, name="scan_state")
register.simple_tag(badges.doomed, name="doomed")
register.simple_tag(badges.doomed_image, name="doomed_image")
register.simple_tag(badges.image_role, name="image_role")
register.simple_tag(badges.image_status, name="image_status")
register.simple_tag(badges.tag_mode, name="tag_mode")
register.simple_tag(badges.side, name="side")
register.simple_tag(badges.finding_change, name="finding_change")
register.simple_tag(checks.check_line, name="check_line")
register.simple_tag(finding_row.finding_rows, name="finding_rows")
register.simple_tag(image_row.image_rows, name="image_rows")
register.simple_tag(images.image_link, name="image_link")
register.simple_tag(images.uses, name="uses")
