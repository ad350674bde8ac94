"""Link: modules, imports, classes and their bases, over the lowered chunks of all files."""
