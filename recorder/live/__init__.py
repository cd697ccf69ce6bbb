"""What a person meets while recording the screen: commands at hand, signals, the live view and the preview."""
