"""What training and device share of the face detector: grids, squares, tiles and crops."""
