"""Lets a trained model drive: loads it without running foreign code, drives, records, films and scores."""
