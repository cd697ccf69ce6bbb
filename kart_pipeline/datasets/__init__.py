"""Sessions seen through a contract: prepared frames, labels, split, weights and the verdicts on them."""
