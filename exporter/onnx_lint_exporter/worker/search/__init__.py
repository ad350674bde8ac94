"""The search for an input on which an exported model is wrong, and the record of what it has tested."""
