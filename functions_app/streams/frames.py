"""What goes over a stream."""


def event(name: str, data: str, *, identity: int | None = None) -> bytes:
    """One server-sent event; without a name it is what hx-sse swaps in."""
    head = (f"event: {name}\n" if name else "") + (f"id: {identity}\n" if identity is not None else "")
    return (head + "".join(f"data: {line}\n" for line in data.split("\n")) + "\n").encode()
