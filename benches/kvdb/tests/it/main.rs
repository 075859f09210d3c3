//! The tests of kvdb over every engine.

use kvdb::KeyValueDB;
use kvdb_shared_tests as shared;
use tidal_kvdb_tests::TidalKvdb;
use tidal_storage::Storage;

/// A test for each of theirs, with the columns that it needs.
macro_rules! kvdb_tests {
    ($engine:ident, $storage:ty) => {
        mod $engine {
            use super::*;

            fn open(columns: u32) -> TidalKvdb {
                let storage: Box<dyn Storage> = Box::new(<$storage>::open_temp().unwrap());
                TidalKvdb::new(storage, columns).unwrap()
            }

            kvdb_tests! { @each
                test_put_and_get: 1,
                test_delete_and_get: 1,
                test_get_fails_with_non_existing_column: 1,
                test_write_clears_buffered_ops: 1,
                test_iter: 1,
                test_iter_with_prefix: 1,
                test_io_stats: shared::IO_STATS_NUM_COLUMNS,
                test_delete_prefix: shared::DELETE_PREFIX_NUM_COLUMNS,
                test_complex: 1
            }

            /// What theirs do not ask: a prefix takes what its own transaction has put.
            #[test]
            fn a_prefix_takes_what_was_put_before_it() {
                let db = open(1);
                let mut transaction = db.transaction();
                transaction.put(0, b"a/1", b"before");
                transaction.delete_prefix(0, b"a/");
                transaction.put(0, b"a/2", b"after");
                db.write(transaction).unwrap();
                assert_eq!(db.iter(0).count(), 1);
                assert_eq!(db.get(0, b"a/2").unwrap().unwrap(), b"after");
            }
        }
    };
    (@each $($test:ident: $columns:expr),+) => {$(
        #[test]
        fn $test() {
            shared::$test(&open($columns)).unwrap();
        }
    )+};
}

kvdb_tests!(memory, tidal_storage::MemoryStorage);
kvdb_tests!(fjall, tidal_storage::FjallStorage);
#[cfg(feature = "hybrid")]
kvdb_tests!(hybrid, tidal_storage::HybridStorage);
#[cfg(feature = "lmdb")]
kvdb_tests!(lmdb, tidal_storage::LmdbStorage);
#[cfg(feature = "redb")]
kvdb_tests!(redb, tidal_storage::RedbStorage);
#[cfg(feature = "rocksdb")]
kvdb_tests!(rocksdb, tidal_storage::RocksDbStorage);
