"""What knows nothing of networks: data with JSON, checks, varying numbers, texts, paths, memory, the text of code."""
