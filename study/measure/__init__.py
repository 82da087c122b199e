"""What is measured: encoders × images, and what a map finds."""
