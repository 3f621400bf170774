"""The only door to models: local MiniLM embeddings, vendors' embeddings and their language models."""
