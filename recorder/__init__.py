"""Recording sessions: simulated games by their experts, games by people, and imports of other recorders' folders."""
