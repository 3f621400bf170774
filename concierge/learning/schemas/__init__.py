"""What crosses the borders of the learning room."""
