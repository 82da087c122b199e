"""The images that need no network: photographs in scikit-image, and a miniature of CAT2000."""
