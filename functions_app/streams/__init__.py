"""Raw ASGI beside Django: live streams, their hub and feeds, and who may watch them."""
