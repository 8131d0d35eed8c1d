"""What other programs, the command line and the web page speak to."""
