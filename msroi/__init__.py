"""msroi: semantic JPEG encoding, and the study of Prakash et al. (2017) behind it."""
