"""Flows: process definitions carried out, one instance for each thing that happened."""
