"""Patching one function: what it could be patched to, the plan, the run, and the undo of it."""
