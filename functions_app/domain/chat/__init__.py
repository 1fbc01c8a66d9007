"""Commands as people write them in a chat: one table of words, how one is read, and what is told of it."""
