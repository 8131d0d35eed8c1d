"""What requests and answers look like: pydantic models, a module for each noun."""
