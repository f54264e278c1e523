"""What must hold whatever bytes come, and the fuzzer that looks for others."""
