//! RocksDB: the only file that names it.
