"""Who writes, how they feel and what they want: eight dimensions of every message, with the words that show it."""
