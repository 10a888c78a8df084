"""Small things that every room needs: subjects, caches, the device, warnings."""
