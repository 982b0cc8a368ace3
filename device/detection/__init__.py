"""What finds faces: one interface (`detector`), and behind it the Haar cascade with its search, skin regions, YuNet."""
