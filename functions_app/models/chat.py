"""Chat: who a chat user is, the codes by which people say so, and those that name a plan there."""

from django.conf import settings
from django.db import models


class ChatLink(models.Model):
    """A chat user, as the bot with this token names it, is this person."""

    token = models.ForeignKey("ApiToken", models.CASCADE, related_name="links")
    chat_user = models.CharField(max_length=100)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="chat_links")
    since = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["token", "chat_user"], name="one_person_of_a_chat_user")]

    def __str__(self) -> str:
        return f"chat user {self.chat_user}"


class LinkCode(models.Model):
    """What a person who is signed in says to one bot, once, to be linked; a new one ends the one before."""

    person = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    token = models.ForeignKey(
        "ApiToken", models.CASCADE, null=True, related_name="+", help_text="of the bot that may hear it; null: none"
    )
    code_hash = models.CharField(max_length=64, unique=True, help_text="HMAC with the server's key; kept nowhere else")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"link code of {self.person_id}"


class PlanCode(models.Model):
    """What a plan is called in a chat. It says which, not who may: the plan itself is bound to that, and used once."""

    code = models.CharField(max_length=8, primary_key=True)
    plan = models.OneToOneField("Plan", models.CASCADE, related_name="+")

    def __str__(self) -> str:
        return self.code
