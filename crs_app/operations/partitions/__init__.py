"""Acts and entries in hash partitions by course: the conversion of a site that is in use."""
