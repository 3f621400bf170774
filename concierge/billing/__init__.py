"""What an organization has: plans and what they hold, what was used, and how a plan is paid for."""
