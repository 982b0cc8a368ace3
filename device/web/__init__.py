"""The live page: the loop's pictures and results in a browser, and photos and a browser's camera worked on."""
