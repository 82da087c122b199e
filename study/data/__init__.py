"""Image sets: what is known of them, how to get them, what they hold, and what is true of it."""
