"""Reader of a user's own images, listed in a CSV file."""
