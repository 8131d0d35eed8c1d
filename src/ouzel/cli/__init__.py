"""The command line: one module per noun. Modules are imported when their command is called, because start-up time counts."""
