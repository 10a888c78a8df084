"""Photos and video in, aligned face crops out."""
