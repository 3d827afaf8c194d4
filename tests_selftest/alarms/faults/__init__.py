"""What is done to a rehearsal, by phase of the runbook: each function is one fault, its docstring says it in words."""
