//! What every engine does. A case is a function over a [`Fixture`]; the lists
//! below name each once, and [`conformance`] makes a test of it for an engine.

pub(crate) mod anomalies;
pub(crate) mod batches;
pub(crate) mod closing;
pub(crate) mod counters;
pub(crate) mod crud;
mod fixture;
pub(crate) mod limits;
pub(crate) mod prefixes;
pub(crate) mod ranges;
pub(crate) mod reopening;
pub(crate) mod sequences;
pub(crate) mod snapshots;
pub(crate) mod transactions;

pub(crate) use fixture::{Fixture, Open, entries, keys};

/// The cases that hold for every engine.
macro_rules! everywhere {
    ($callback:ident, $open:path) => {
        $crate::suite::$callback! { $open;
            crud:
                a_value_is_there_once_it_is_put,
                putting_again_replaces,
                deleting_removes,
                an_empty_value_is_a_value,
                any_bytes_are_a_key,
                a_large_value_comes_back,
                keyspaces_do_not_share_keys,
                a_name_always_means_the_same_keyspace,
                the_counters_count;
            ranges:
                every_kind_of_bound_in_either_direction,
                inverted_ranges_are_empty,
                bounds_may_be_any_bytes,
                a_long_scan_is_in_order,
                a_dropped_scan_is_no_trouble;
            prefixes:
                a_prefix_finds_exactly_what_begins_with_it,
                prefixes_of_the_highest_byte,
                the_empty_prefix_is_everything,
                a_prefix_longer_than_any_key_finds_nothing,
                an_entity_is_a_prefix;
            batches:
                the_last_operation_on_a_key_wins,
                a_batch_crosses_keyspaces,
                a_commit_creates_the_keyspaces_that_it_names,
                a_refused_batch_changes_nothing,
                ten_thousand_operations,
                a_batch_without_operations_is_fine;
            snapshots:
                a_snapshot_stays_at_its_moment,
                a_scan_sees_the_moment_when_it_began,
                a_keyspace_that_is_not_there_reads_as_empty,
                a_keyspace_created_later_is_empty_in_a_snapshot,
                scans_beside_writers_see_whole_batches,
                a_read_never_falls_back_behind_another;
            limits:
                keys_have_1_to_511_bytes,
                values_have_at_most_64_mebibytes,
                keyspaces_have_names,
                refusals_are_not_counted;
            closing:
                a_closed_storage_answers_that_it_is_closed,
                closing_twice_is_fine,
                what_outlives_a_closed_storage_answers_too,
                dropping_the_storage_closes_what_outlives_it;
            transactions:
                reads_see_the_snapshot_and_own_writes,
                a_scan_shows_the_transaction_as_it_was_when_it_began,
                savepoints_nest,
                a_savepoint_that_is_gone_is_refused,
                a_conflict_writes_nothing,
                every_kind_of_write_conflicts,
                what_is_not_the_same_key_since_is_no_conflict,
                a_serializable_read_conflicts_with_what_would_change_it,
                a_keyspace_that_was_not_there_is_read_too,
                own_writes_are_not_reads,
                what_was_rolled_back_does_not_conflict,
                a_transaction_that_ends_otherwise_leaves_nothing,
                a_commit_crosses_keyspaces,
                a_transaction_may_move_to_another_thread,
                a_bad_key_is_refused_and_the_rest_stays,
                a_closed_storage_refuses_its_transactions,
                transact_retries_conflicts_and_nothing_else,
                transfers_between_threads_keep_the_sum;
            anomalies:
                dirty_write,
                dirty_read,
                intermediate_read,
                torn_read,
                non_repeatable_read,
                phantom,
                read_skew,
                circular_information,
                lost_update,
                write_skew,
                phantom_write_skew,
                read_only_anomaly,
                the_table_names_these_cases;
            sequences:
                ids_begin_at_1_and_ascend,
                handles_take_turns_by_blocks,
                threads_and_handles_share_no_id,
                the_last_id_is_the_highest_number,
                names_are_keys,
                a_handle_of_a_closed_storage_reserves_nothing;
            counters:
                a_counter_begins_at_0_and_tells_the_sum,
                a_number_of_floats_begins_at_0,
                an_update_puts_and_deletes,
                a_swap_needs_the_value_that_was_expected,
                what_is_no_number_is_refused_and_stays,
                threads_lose_no_count;
        }
    };
}

/// The cases that need an engine whose data outlives it.
macro_rules! on_disk {
    ($callback:ident, $open:path) => {
        $crate::suite::$callback! { $open;
            reopening:
                what_was_written_is_there,
                what_was_deleted_is_gone,
                a_kill_takes_nothing_that_was_committed,
                a_kill_leaves_transactions_whole_and_sequences_ahead,
                a_second_open_is_refused_until_the_first_is_closed,
                closing_frees_the_directory_whoever_holds_on,
                dropping_frees_the_directory_whoever_holds_on,
                a_file_is_not_a_directory,
                a_folder_of_something_else_is_refused_untouched;
        }
    };
}

/// A test for each case.
macro_rules! generate {
    ($open:path; $($group:ident: $($case:ident),+;)+) => {$(
        mod $group {$(
            #[test]
            fn $case() {
                $crate::suite::$group::$case($crate::suite::Fixture::new($open));
            }
        )+}
    )+};
}

/// A test for each case that the test report shows as ignored. Should the engine
/// come to keep its data, the case runs.
macro_rules! not_applicable {
    ($open:path; $($group:ident: $($case:ident),+;)+) => {$(
        mod $group {$(
            #[test]
            #[ignore = "not applicable: the engine keeps nothing on disk"]
            fn $case() {
                let fixture = $crate::suite::Fixture::new($open);
                if fixture.storage().capabilities().persistent {
                    $crate::suite::$group::$case(fixture);
                }
            }
        )+}
    )+};
}

/// The suite for one engine: the name of its module, the function that opens it,
/// and `generate` or `not_applicable` for the cases on disk.
macro_rules! conformance {
    ($engine:ident, $open:path, $on_disk:ident) => {
        mod $engine {
            $crate::suite::everywhere!(generate, $open);
            $crate::suite::on_disk!($on_disk, $open);
        }
    };
}

pub(crate) use {conformance, everywhere, generate, not_applicable, on_disk};
