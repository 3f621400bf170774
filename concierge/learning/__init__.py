"""What works: outcomes by strategy and segment, and which strategy is worth trying next."""
