"""Folders of models as the Hugging Face hub has them: what they may ask of the libraries that load them."""
