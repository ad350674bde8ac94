"""What an expression may hold, and where it came from: data, without project or frame."""
