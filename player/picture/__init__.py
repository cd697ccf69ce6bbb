"""Pictures of a drive for people: the overlay and the video file."""
