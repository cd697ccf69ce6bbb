"""A model at the controls of what is on the screen: under a person's hands, watched, recorded."""
