"""What a business knows: packs, sources, documents, chunks, and how they are found."""
