"""What walks the IR: each module one kind of construct."""
