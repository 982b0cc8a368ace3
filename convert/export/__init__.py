"""To TFLite and through the gate: the child process, the operator allow-list, the checks."""
