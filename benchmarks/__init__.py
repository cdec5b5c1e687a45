"""What is measured, each against something in the same run, interleaved; see `python -m benchmarks --help`."""
