"""Find faces with the networks of MTCNN, many images and windows at a time."""
