"""Rules about what a model keeps from one call to the next, and what it draws."""
