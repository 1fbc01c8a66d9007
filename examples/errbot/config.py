"""Errbot's settings: `config-template.py` in its package explains each."""

import logging

BACKEND = "Text"  # a terminal; for a chat: "SlackV3", "Telegram", "Discord", ... with its BOT_IDENTITY
BOT_DATA_DIR = "data"
BOT_EXTRA_PLUGIN_DIR = "plugins"
BOT_ADMINS = ("@you",)
BOT_LOG_FILE = "errbot.log"
BOT_LOG_LEVEL = logging.INFO
