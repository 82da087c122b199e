"""What is shown: figures, the panel, a lesson."""
