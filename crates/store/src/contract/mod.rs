//! The suite that every back end has to pass. A back end's tests call [`contract_tests!`](crate::contract_tests) with a
//! function that opens a fresh, empty store; each case becomes a test whose name is a true sentence.
//!
//! Time is never slept: leases, gaps and graces of no length have run out as they begin, those of an hour never do here.

#![expect(missing_docs, reason = "the name of a case is its sentence")]

pub mod abandoned;
pub mod apart;
mod builders;
pub mod cancel;
pub mod conversion;
pub mod dead_event;
pub mod mail;
pub mod payloads;
pub mod resumable;
pub mod resume;
pub mod retry;
pub mod sequences;
pub mod snapshot;
pub mod sweep;
pub mod title;
pub mod turns;
pub mod upload;
pub mod usage;

/// Makes one test of each case. `$fresh_store` names an `async fn() -> (Store, impl Sized)`; what it gives beside the
/// store is kept until the case is over.
#[macro_export]
macro_rules! contract_tests {
    ($fresh_store:ident) => {
        $crate::contract_tests! { @file payloads $fresh_store
            a_payload_reads_back_as_it_was_written
            the_head_replaces_the_first_bytes
            a_half_written_payload_cannot_be_opened
            a_write_that_was_dropped_leaves_no_hole
            what_was_never_written_is_not_found
            each_bucket_has_its_own_payloads
            a_finished_payload_is_never_overwritten
            deleting_is_idempotent
            deleting_a_half_written_payload_stops_its_writer
            reads_end_where_the_payload_ends
            a_stream_gives_exactly_its_range
            a_reader_never_gives_wrong_bytes_of_a_deleted_payload
            payloads_are_read_and_written_side_by_side
        }
        $crate::contract_tests! { @file resume $fresh_store
            a_payload_goes_on_where_its_writer_was_dropped
            what_is_beyond_the_offset_is_dropped
            a_payload_is_resumed_earlier_than_its_last_checkpoint
            a_payload_is_resumed_many_times
            checkpoints_change_nothing_for_their_writer
            the_head_of_a_resumed_payload_is_replaced
            an_offset_beyond_what_is_durable_is_refused
            only_a_half_written_payload_is_resumed
            a_payload_that_two_write_is_finished_by_one
            an_early_writer_changes_nothing_of_its_successors
        }
        $crate::contract_tests! { @file upload $fresh_store
            an_upload_is_hidden_until_it_ends
            a_stored_video_queues_its_job
            what_people_write_survives
            an_id_is_begun_once
            the_uploaders_lease_ends_with_the_upload
            only_the_uploader_changes_an_upload
            an_uploader_that_is_late_still_ends_its_upload
            a_broken_upload_is_discarded
            the_list_is_newest_first_and_pages_by_cursor
            the_list_keeps_owners_apart
            somebody_elses_video_is_adopted_once
            a_change_moves_the_time_of_the_last_change
        }
        $crate::contract_tests! { @file apart $fresh_store
            what_is_asked_for_is_in_the_record_and_its_announcement
            where_nothing_is_asked_for_options_are_the_default
            only_the_uploader_asks_and_only_before_the_upload_ends
            a_cover_is_kept_with_its_job
            a_discarded_upload_takes_its_cover_along
            a_published_mp3_has_its_waveform
            the_waveform_of_an_attempt_that_lost_is_nobodys
        }
        $crate::contract_tests! { @file conversion $fresh_store
            a_queued_job_is_claimed
            a_job_without_a_stored_video_cannot_be_claimed
            fifty_claims_at_once_grant_one
            a_live_lease_keeps_others_away
            a_lease_that_ran_out_is_taken_over
            a_holder_that_was_taken_over_has_lost_its_lease
            a_late_holder_that_nobody_replaced_still_publishes
            progress_is_noted_with_the_lease
            a_published_mp3_is_found
            only_the_mp3_of_the_claim_is_published
            a_failed_job_tells_its_problem
            an_ended_job_answers_claims_with_its_end
            an_ended_job_cannot_be_changed_under_its_old_lease
            a_released_job_is_queued_again
            a_forgiven_attempt_does_not_count
            used_up_attempts_fail_the_job
            a_live_last_attempt_may_end
            an_ended_job_tells_its_end_as_an_event
        }
        $crate::contract_tests! { @file turns $fresh_store
            a_person_has_no_more_jobs_announced_than_turns
            people_have_turns_of_their_own
            a_waiting_job_is_nobodys_to_claim_or_to_announce_again
            the_oldest_waiting_job_is_announced_when_one_has_ended
            every_end_frees_a_turn
            a_job_that_is_given_back_keeps_its_turn
            uploads_that_end_at_once_take_no_more_turns_than_there_are
            turns_that_many_give_away_at_once_are_given_away_once
            fewer_turns_than_before_let_nobody_in_until_there_is_room
            people_who_wait_are_found_one_after_the_other
        }
        $crate::contract_tests! { @file cancel $fresh_store
            a_cancelled_job_is_hidden
            a_job_is_cancelled_wherever_it_stands
            who_converts_a_cancelled_job_has_lost_it
            a_lease_is_held_until_somebody_else_has_it
            a_cancelled_job_leaves_its_mp3s_as_litter_and_nothing_apart
            a_cancelled_job_has_no_mail
            an_upload_and_an_unknown_job_cannot_be_cancelled
            a_publication_and_a_cancellation_at_once_have_one_outcome
            a_tombstone_is_found_after_a_grace_and_goes_after_its_litter
        }
        $crate::contract_tests! { @file retry $fresh_store
            a_job_that_has_ended_runs_again
            options_of_a_retry_replace_all_of_those_before
            only_a_job_that_has_ended_is_retried
            a_retry_waits_for_its_turn
            the_mp3_before_stays_until_the_next_is_published
            a_retry_that_fails_keeps_the_mp3_before
            each_run_has_a_mail
            a_mail_of_the_run_before_does_not_count_for_the_next
            ten_retries_at_once_begin_one_run
        }
        $crate::contract_tests! { @file title $fresh_store
            a_job_has_a_title_of_its_own
            only_a_job_that_can_be_seen_is_renamed
        }
        $crate::contract_tests! { @file usage $fresh_store
            what_a_person_takes_up_is_counted
        }
        $crate::contract_tests! { @file dead_event $fresh_store
            a_dead_event_fails_what_nobody_holds
            a_dead_event_leaves_what_is_held_or_ended
            a_dead_event_leaves_what_was_announced_since
        }
        $crate::contract_tests! { @file mail $fresh_store
            a_mail_is_due_when_the_job_has_ended
            fifty_mail_claims_at_once_grant_one
            a_run_is_mailed_once
            a_released_mail_is_claimed_at_once
            a_mail_lease_that_ran_out_is_taken_over
            unmailed_jobs_are_found_after_a_grace
            the_gap_between_tries_doubles
        }
        $crate::contract_tests! { @file sweep $fresh_store
            a_queued_job_is_announced_when_its_gap_is_over
            the_gap_between_announcements_doubles
            a_lease_that_ran_out_is_freed_by_the_announcement
            a_live_lease_is_not_announced_by_its_gap
            lost_queues_announce_live_leases_too_and_leave_them_alone
            uploads_and_ended_jobs_are_not_announced
            each_due_job_is_announced_once_by_many_sweeps
            an_announcement_that_is_taken_back_is_due_at_once
            lost_queues_announce_what_was_taken_back
            only_an_unfinished_job_has_its_announcement_taken_back
            the_mp3_of_a_lost_attempt_is_litter_until_it_is_forgotten
            every_end_without_an_mp3_leaves_litter
        }
        $crate::contract_tests! { @file abandoned $fresh_store
            an_abandoned_upload_is_taken_after_a_grace
            an_uploader_that_comes_back_too_late_has_lost_its_upload
            an_upload_has_one_end_when_its_uploader_and_the_sweep_race
            each_abandoned_upload_is_taken_once_by_many_sweeps
            an_abandoned_upload_that_was_not_discarded_is_taken_again
        }
        $crate::contract_tests! { @file resumable $fresh_store
            an_upload_in_pieces_is_known_and_hidden_until_it_ends
            an_upload_in_one_piece_is_none_in_pieces
            a_paused_upload_goes_on_at_its_offset_and_nowhere_else
            while_somebody_writes_nobody_else_does
            fifty_who_go_on_at_once_are_one
            a_writer_that_is_gone_is_replaced_and_moves_nothing_more
            a_late_writer_that_nobody_replaced_moves_the_offset
            an_offset_never_goes_back
            whatever_comes_puts_the_expiry_off
            an_expired_upload_does_not_go_on
            a_paused_upload_is_abandoned_when_it_has_expired
            an_upload_whose_writer_died_is_kept_until_it_expires
            a_living_writer_is_not_abandoned_however_late_it_is
            whoever_ends_an_upload_takes_it_from_its_writer
            an_upload_has_one_end_when_its_writer_and_its_owner_race
        }
        $crate::contract_tests! { @pair snapshot $fresh_store
            a_record_goes_into_another_store_as_it_is
            a_running_conversion_waits_for_its_turn_in_another_store
            a_title_goes_along
            what_was_cancelled_stays
            an_upload_that_has_not_ended_stays
            what_was_asked_for_goes_along_with_the_cover_and_the_waveform
            options_of_another_version_hide_no_job_and_go_along
            a_record_that_is_there_is_left_alone
            records_come_page_by_page
            a_copy_is_whole_and_can_be_repeated
            a_copy_takes_covers_and_waveforms_along
            a_copy_with_another_cover_or_waveform_differs
            a_copy_that_differs_is_found
        }
        mod sequences {
            #[test]
            fn no_sequence_of_operations_breaks_an_invariant() {
                $crate::contract::sequences::run(super::$fresh_store);
            }
        }
    };
    (@file $file:ident $fresh_store:ident $($case:ident)+) => {
        mod $file {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $case() {
                    let (store, _keep) = super::$fresh_store().await;
                    $crate::contract::$file::$case(store).await;
                }
            )+
        }
    };
    (@pair $file:ident $fresh_store:ident $($case:ident)+) => {
        mod $file {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $case() {
                    let (one, _keep) = super::$fresh_store().await;
                    let (other, _keep) = super::$fresh_store().await;
                    $crate::contract::$file::$case(one, other).await;
                }
            )+
        }
    };
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_case_is_in_the_list() {
        let list = include_str!("mod.rs");
        let files = [
            include_str!("payloads.rs"),
            include_str!("resume.rs"),
            include_str!("upload.rs"),
            include_str!("apart.rs"),
            include_str!("conversion.rs"),
            include_str!("dead_event.rs"),
            include_str!("mail.rs"),
            include_str!("sweep.rs"),
            include_str!("abandoned.rs"),
            include_str!("resumable.rs"),
            include_str!("turns.rs"),
            include_str!("cancel.rs"),
            include_str!("retry.rs"),
            include_str!("title.rs"),
            include_str!("usage.rs"),
            include_str!("snapshot.rs"),
        ];
        let cases = files
            .iter()
            .flat_map(|file| file.lines())
            .filter_map(|line| line.strip_prefix("pub async fn ")?.split('(').next());
        for case in cases {
            assert!(list.lines().any(|line| line.trim() == case), "{case}");
        }
    }
}
