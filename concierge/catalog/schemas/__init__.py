"""What crosses the borders of the catalog room."""
