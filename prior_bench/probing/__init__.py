"""Classifiers on a backbone: logistic regression on cached features, or a head trained by gradient."""
