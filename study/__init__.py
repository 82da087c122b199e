"""The study of Prakash et al. (2017) that msroi was made for, from data to article."""
