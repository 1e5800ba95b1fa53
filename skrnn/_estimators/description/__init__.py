"""What a fitted network tells about itself: weights by name, a summary, a page."""
