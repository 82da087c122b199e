"""The stages of dvc.yaml, a file each: they read params.yaml and files, and write files."""
