"""How the files of a data set lie there: folders, zips, tars, CSV files, compressed or not."""
