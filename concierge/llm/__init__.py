"""The only door to models: local MiniLM embeddings and vendor embeddings."""
