"""What is said in a chat: who says it, what it does, what is answered."""
