"""What an organization may do and spend."""
