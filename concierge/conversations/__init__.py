"""Conversations, turns and their traces."""
