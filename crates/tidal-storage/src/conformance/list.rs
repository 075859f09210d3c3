//! The list of the cases, and the macro that makes tests of them.
//!
//! N1. A case is named here once; the table and the tests are made of this list.

use super::{
    Case, Needs, batches, concurrency, crud, durability, errors, prefix_scans, range_scans,
    transactions,
};

/// Hands the list, behind some arguments, to another macro.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_list {
    ($then:path, $arguments:tt) => {
        $then! { $arguments
            crud {
                everywhere: a_new_storage_is_empty,
                    a_value_is_there_once_it_is_put,
                    a_key_that_was_never_put_is_absent,
                    contains_tells_what_is_there,
                    putting_again_replaces,
                    deleting_removes,
                    a_deleted_key_is_not_contained,
                    a_deleted_key_is_in_no_scan,
                    deleting_what_is_absent_is_fine,
                    a_deleted_key_can_be_put_again,
                    deleting_leaves_the_neighbours,
                    an_empty_value_is_a_value,
                    every_byte_is_a_key,
                    every_byte_is_a_value,
                    a_key_may_have_511_bytes,
                    long_keys_that_differ_at_the_end_are_two,
                    a_large_value_comes_back,
                    a_value_may_shrink_and_grow,
                    entity_kinds_do_not_share_keys,
                    keyspaces_do_not_share_keys,
                    a_name_always_means_the_same_keyspace,
                    entity_kinds_are_keyspaces_of_a_name,
                    there_may_be_many_keyspaces,
                    statistics_name_every_keyspace,
                    reads_and_writes_are_counted,
                    keys_are_counted,
                    compacting_changes_nothing_that_is_read,
                    a_counter_begins_at_0_and_tells_the_sum,
                    a_number_of_floats_begins_at_0,
                    a_float_that_is_no_number_can_be_replaced,
                    an_update_puts_and_deletes,
                    an_update_that_fails_writes_nothing,
                    a_swap_needs_the_value_that_was_expected;
                on_disk: ;
            }
            range_scans {
                everywhere: the_whole_range_is_everything_in_order,
                    a_scan_gives_keys_with_their_values,
                    an_included_start_is_in_the_range,
                    an_excluded_start_is_not_in_the_range,
                    an_included_end_is_in_the_range,
                    an_excluded_end_is_not_in_the_range,
                    bounds_need_not_be_keys,
                    a_range_of_one_key,
                    a_range_between_two_keys_is_empty,
                    every_pair_of_bounds_agrees_with_the_definition,
                    an_inverted_range_is_empty,
                    a_range_without_room_is_empty,
                    an_empty_bound_lies_before_every_key,
                    a_bound_longer_than_any_key_cuts_where_it_lies,
                    an_empty_keyspace_has_empty_ranges,
                    keys_are_in_the_order_of_their_bytes,
                    a_long_scan_is_complete_and_in_order,
                    a_scan_can_be_left_half_way,
                    a_scan_that_has_ended_stays_ended,
                    a_scan_sees_the_moment_when_it_began,
                    two_scans_do_not_disturb_each_other,
                    a_snapshot_stays_at_its_moment,
                    a_snapshot_is_one_moment_of_all_keyspaces,
                    a_keyspace_that_is_not_there_reads_as_empty;
                on_disk: ;
            }
            prefix_scans {
                everywhere: it_finds_what_begins_so,
                    it_finds_the_key_that_is_the_prefix,
                    it_stops_at_the_neighbours,
                    it_finds_nothing_where_nothing_begins_so,
                    the_empty_prefix_is_everything,
                    a_prefix_may_end_with_the_highest_byte,
                    a_prefix_may_be_highest_bytes_only,
                    a_prefix_may_be_the_lowest_byte,
                    a_prefix_as_long_as_the_longest_key,
                    a_prefix_longer_than_any_key_finds_nothing,
                    it_gives_the_values_too,
                    it_sees_puts_and_deletes,
                    it_is_of_one_keyspace,
                    it_sees_the_moment_when_it_began,
                    a_snapshot_has_prefixes_too,
                    an_entity_is_a_prefix;
                on_disk: ;
            }
            batches {
                everywhere: a_batch_puts_and_deletes,
                    the_last_put_of_a_key_wins,
                    a_delete_after_a_put_wins,
                    a_put_after_a_delete_wins,
                    the_last_operation_wins_in_each_keyspace,
                    the_order_of_operations_does_not_matter_otherwise,
                    a_batch_crosses_the_entity_kinds,
                    a_batch_creates_the_keyspaces_that_it_names,
                    a_batch_may_only_delete,
                    a_batch_without_operations_is_fine,
                    a_batch_with_a_bad_key_changes_nothing,
                    a_batch_with_a_bad_name_changes_nothing,
                    a_batch_of_one_keyspace_with_a_bad_key_changes_nothing,
                    the_same_batch_twice_is_the_batch_once,
                    a_later_batch_goes_over_an_earlier_one,
                    operations_can_be_added_as_data,
                    a_batch_with_large_values,
                    a_batch_of_100_000_operations;
                on_disk: ;
            }
            transactions {
                everywhere: own_writes_are_read,
                    nobody_else_sees_what_is_not_committed,
                    a_commit_is_seen_by_everybody,
                    reads_stay_at_the_beginning,
                    scans_merge_own_writes_in_order,
                    a_scan_shows_the_transaction_as_it_was,
                    a_commit_crosses_keyspaces,
                    a_transaction_without_writes_commits,
                    a_rollback_leaves_nothing,
                    a_transaction_may_move_to_another_thread,
                    a_bad_key_is_refused_and_the_rest_stays,
                    a_closed_storage_refuses_its_transactions,
                    transact_runs_again_after_a_conflict,
                    transact_gives_up_after_its_retries,
                    transact_does_not_retry_what_its_work_fails_with,
                    a_savepoint_takes_back_what_follows,
                    a_savepoint_can_be_used_again,
                    savepoints_nest,
                    releasing_keeps_what_was_written,
                    a_savepoint_that_is_gone_is_refused,
                    a_savepoint_of_another_transaction_is_refused,
                    what_was_rolled_back_does_not_conflict,
                    a_conflict_writes_nothing,
                    a_put_conflicts,
                    a_delete_conflicts,
                    a_batch_conflicts,
                    a_counter_conflicts,
                    a_transaction_conflicts,
                    what_is_not_the_same_key_since_is_no_conflict,
                    a_serializable_get_conflicts_with_its_key,
                    a_serializable_read_of_nothing_conflicts,
                    a_serializable_scan_conflicts_with_its_range,
                    a_serializable_scan_conflicts_as_far_as_it_went,
                    a_keyspace_that_was_not_there_is_read_too,
                    own_writes_are_not_reads,
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
                    ids_begin_at_1_and_ascend,
                    sequences_do_not_share_ids,
                    handles_take_turns_by_blocks,
                    the_last_id_is_the_highest_number,
                    names_of_sequences_are_keys,
                    a_handle_of_a_closed_storage_reserves_nothing;
                on_disk: ;
            }
            durability {
                everywhere: a_put_is_there_after_reopening,
                    a_delete_stays_after_reopening,
                    the_newest_value_is_there_after_reopening,
                    a_batch_is_there_after_reopening,
                    keyspaces_are_there_after_reopening,
                    a_transaction_is_there_after_reopening,
                    a_counter_goes_on_after_reopening,
                    a_sequence_goes_on_above_after_reopening,
                    much_is_there_after_reopening,
                    a_flush_loses_nothing,
                    an_unfinished_transaction_is_not_there_after_reopening;
                on_disk: a_kill_takes_nothing_that_was_written,
                    a_kill_leaves_transactions_whole,
                    a_kill_makes_no_sequence_repeat,
                    a_second_open_is_refused,
                    an_open_after_reopening_is_refused_too,
                    closing_frees_the_directory_whoever_holds_on,
                    dropping_frees_the_directory_whoever_holds_on,
                    a_file_is_refused_and_left_as_it_is,
                    a_folder_of_something_else_is_refused_untouched;
            }
            concurrency {
                everywhere: scans_beside_writers_see_whole_batches,
                    snapshots_beside_writers_see_whole_batches,
                    new_keyspaces_do_not_disturb_readers,
                    a_read_never_falls_back_behind_another,
                    a_write_that_returned_is_read_by_every_thread,
                    threads_that_write_lose_nothing,
                    threads_that_delete_leave_the_rest,
                    threads_lose_no_count,
                    counters_and_transactions_lose_no_count,
                    threads_lose_no_float,
                    threads_and_handles_share_no_id,
                    transfers_keep_the_sum,
                    closing_beside_readers_and_writers_tells_them;
                on_disk: ;
            }
            errors {
                everywhere: an_empty_key_is_refused,
                    a_key_of_512_bytes_is_refused,
                    a_huge_key_is_refused,
                    a_refused_key_harms_nothing,
                    a_value_above_64_mebibytes_is_refused,
                    a_bad_name_of_a_keyspace_is_refused,
                    the_longest_name_of_a_keyspace_is_fine,
                    refusals_are_not_counted,
                    what_is_no_number_is_refused_and_stays,
                    a_counter_that_would_overflow_is_refused_and_stays,
                    a_closed_storage_says_so_in_every_keyspace,
                    a_closed_storage_says_so_itself,
                    closing_twice_is_fine,
                    what_outlives_a_closed_storage_says_so,
                    what_outlives_a_dropped_storage_says_so;
                on_disk: ;
            }
        }
    };
}

macro_rules! table {
    (() $($group:ident {
        everywhere: $($case:ident),*;
        on_disk: $($disk_case:ident),*;
    })+) => {
        const CASES: &[Case] = &[$(
            $(Case {
                group: stringify!($group),
                name: stringify!($case),
                needs: Needs::Nothing,
                body: $group::$case,
            },)*
            $(Case {
                group: stringify!($group),
                name: stringify!($disk_case),
                needs: Needs::Persistence,
                body: $group::$disk_case,
            },)*
        )+];
    };
}

__conformance_list!(table, ());

/// Every case, by group.
#[must_use]
pub const fn cases() -> &'static [Case] {
    CASES
}

/// The case of this name in this group.
#[must_use]
pub fn find(group: &str, name: &str) -> Option<&'static Case> {
    CASES.iter().find(|case| case.group == group && case.name == name)
}

/// The tests of the suite for one engine, in a module of this name: one for each
/// [case](crate::conformance::cases), in a module for each group, so that
/// `cargo test crud` runs those of a group.
///
/// The second argument is an expression for the [`Factory`](crate::conformance::Factory),
/// evaluated for each test. It stands inside of other modules, so it names things from
/// the root: `crate::engines::Mine`.
///
/// `without persistence` belongs behind an engine that keeps nothing on disk: the test
/// report then lists the cases about files as ignored, with the reason. A test of its own
/// holds that this is what the factory's capabilities say.
#[macro_export]
macro_rules! conformance_tests {
    ($engine:ident, $factory:expr) => {
        $crate::__conformance_list! { $crate::__conformance_module, ($engine, $factory, on_disk) }
    };
    ($engine:ident, $factory:expr, without persistence) => {
        $crate::__conformance_list! { $crate::__conformance_module, ($engine, $factory, in_memory) }
    };
}

/// The module of the tests for one engine.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_module {
    (($engine:ident, $factory:expr, $kept:ident) $($group:ident {
        everywhere: $($case:ident),*;
        on_disk: $($disk_case:ident),*;
    })+) => {
        #[cfg(test)]
        mod $engine {
            #[test]
            fn the_capabilities_are_as_declared() {
                let persistent = stringify!($kept) == "on_disk";
                $crate::conformance::assert_declared(&$factory, persistent);
            }

            $(mod $group {
                $(
                    #[test]
                    fn $case() {
                        let (group, case) = (stringify!($group), stringify!($case));
                        $crate::conformance::assert_passes(&$factory, group, case);
                    }
                )*
                $($crate::__conformance_disk_test! { $kept, $factory, $group, $disk_case })*
            })+
        }
    };
}

/// The test of one case that needs an engine to keep its data.
#[doc(hidden)]
#[macro_export]
macro_rules! __conformance_disk_test {
    (on_disk, $factory:expr, $group:ident, $case:ident) => {
        #[test]
        fn $case() {
            let (group, case) = (stringify!($group), stringify!($case));
            $crate::conformance::assert_passes(&$factory, group, case);
        }
    };
    (in_memory, $factory:expr, $group:ident, $case:ident) => {
        #[test]
        #[ignore = "not applicable: the engine keeps nothing on disk"]
        fn $case() {
            let (group, case) = (stringify!($group), stringify!($case));
            $crate::conformance::assert_unless_ruled_out(&$factory, group, case);
        }
    };
}
