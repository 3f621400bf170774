"""A turn: one visitor message in, one verified and cited reply out."""
