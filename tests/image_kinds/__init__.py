"""Images of every kind that people push, built for real, so that each can be judged by the product's own path."""
