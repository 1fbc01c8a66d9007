"""What a function wrote: which of a log group's lines are an invocation's, their level, what REPORT tells."""
