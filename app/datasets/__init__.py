"""Datasets: flat tables for programs that make charts, each declared once."""
