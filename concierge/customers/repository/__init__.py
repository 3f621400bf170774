"""All SQL of the customers room."""
