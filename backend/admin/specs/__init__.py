"""Specifications of forms: compiled from the settings' models, in the language of who asks."""
