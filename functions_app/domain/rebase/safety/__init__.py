"""Whether an app's layers are safe on another release of their base: a rule per row of docs/patching.md."""
