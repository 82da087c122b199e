"""What is compared, with which interval, and what holds of the paper."""
