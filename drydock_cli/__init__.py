"""The command line for bots, pipelines and people: httpx alone, nothing of the product."""

VERSION = "0.1.0"
