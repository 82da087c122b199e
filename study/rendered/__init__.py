"""Images made here: the sample photographs and categories, and scenes of known objects."""
