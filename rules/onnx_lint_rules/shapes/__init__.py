"""Rules about computing with sizes."""
