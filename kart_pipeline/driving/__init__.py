"""The one loop that records, drives, scores and corrects; its clock, its drivers and its scorecard."""
