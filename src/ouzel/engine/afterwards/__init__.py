"""What is made of files once they are closed: each function takes closed files and leaves a verified one. No database."""
