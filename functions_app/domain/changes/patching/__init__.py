"""What a patch is: its plan, the golden images before it, its verdict, what outlives it, its undo."""
