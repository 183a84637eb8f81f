"""The faults at length: part by part, bounded in time, gone on with where it was left."""
