"""Our side of the benchmarks: the deployed code, wired as its handlers wire it."""
