"""How a runtime of Lambda's is called: as AWS names it, without the letter for any patch (nodejs20, not nodejs20.x)."""


def runtime_name(runtime: str, version: str) -> str:
    """python3.12, nodejs20, java8.al2, provided.al2023; "" where a stream tells none."""
    if not runtime:
        return ""
    return f"{runtime}.{version}" if runtime == "provided" else f"{runtime}{version}"
