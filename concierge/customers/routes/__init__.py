"""HTTP of the customers room."""
