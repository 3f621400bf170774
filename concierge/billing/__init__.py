"""What an organization may do and spend: its plan and how that is paid for, budgets, and what was used."""
