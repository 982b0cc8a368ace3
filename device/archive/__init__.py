"""Archives: the faces of many images and videos, as tables, by all cores or by a Dask cluster."""
