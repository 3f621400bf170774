"""Organizations, members, sessions, API keys and the audit log."""
