"""The archive: episodes as Parquet files, written while a run goes on and read again later."""
