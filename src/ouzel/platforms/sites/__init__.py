"""One file for each platform: what it declares, and, where libraries leave a hole, our own code for it."""
