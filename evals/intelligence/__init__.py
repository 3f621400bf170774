"""How well messages are read, on public sets; and how the heads that read them are made."""
