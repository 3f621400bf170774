"""Whether learning pays, in worlds whose truth is known."""
