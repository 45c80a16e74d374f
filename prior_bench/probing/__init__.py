"""Classifiers on a backbone: logistic regression on cached features, or heads trained by gradient descent."""
