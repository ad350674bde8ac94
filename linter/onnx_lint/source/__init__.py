"""Read, split, lower: from bytes to the function IR with exact places."""
