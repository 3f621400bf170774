"""What crosses the borders of the customers room."""
