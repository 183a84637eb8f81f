"""What goes out of the house: connections to other systems, and the calls made over them."""
