"""The command line: argparse tree, completion, streams, exit status."""
