"""The demo organization *Coconut Furniture*: its documents, its shop page, and loading them."""
