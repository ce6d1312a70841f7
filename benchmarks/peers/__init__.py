"""The usual ways, written here from how such code is commonly published; none of it is anybody's own text."""
