"""The assets, one module each: what exists, what it is made of, and what a person sees of it."""
