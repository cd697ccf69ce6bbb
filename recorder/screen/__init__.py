"""The screen as a game: where its pictures come from, and recording what a person does on seeing them."""
