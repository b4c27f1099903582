//! The faults that delivery must survive, and the tests that inject them.

/// A test that injects a fault: package, test program (`lib` for the tests inside the library), name.
pub(super) type Test = (&'static str, &'static str, &'static str);

/// A fault and what shows that it is survived.
pub(super) struct Fault {
    pub(super) number: u8,
    pub(super) title: &'static str,
    pub(super) tests: &'static [Test],
}

/// The table of docs/delivery.md.
pub(super) const FAULTS: [Fault; 14] = [
    Fault {
        number: 1,
        title: "kill -9 while publishing, durability spooled",
        tests: &[
            ("mfn-runtime", "pipeline", "spooled::a_killed_process_loses_nothing"),
            ("mfn-cli", "spooled", "a_killed_run_loses_nothing"),
        ],
    },
    Fault {
        number: 2,
        title: "bit flips and torn ends in the spool",
        tests: &[
            ("mfn-runtime", "lib", "spool::tests::damage::a_thousand_flipped_records_are_lost_and_no_other"),
            (
                "mfn-runtime",
                "lib",
                "spool::tests::damage::a_cut_at_each_of_the_last_bytes_costs_what_was_cut",
            ),
        ],
    },
    Fault {
        number: 3,
        title: "a full disk on write, fsync, rename",
        tests: &[
            ("mfn-plugin-file", "disk_full", "a_full_disk_loses_nothing"),
            ("mfn-runtime", "lib", "spool::tests::disk_full::a_full_disk_refuses_and_goes_on"),
        ],
    },
    Fault {
        number: 4,
        title: "broker restarts, leaders and group members come and go",
        tests: &[
            ("mfn-plugin-kafka", "broker", "restarts::brokers_are_killed_and_leaders_move"),
            ("mfn-plugin-kafka", "broker", "group::members_come_and_go"),
        ],
    },
    Fault {
        number: 5,
        title: "half of all requests answered 503 with Retry-After",
        tests: &[
            (
                "mfn-runtime",
                "lib",
                "delivery::outbound::fault_tests::a_throttling_endpoint_gets_everything_without_a_storm",
            ),
            ("mfn-runtime", "pipeline", "faults::a_throttling_publisher_is_called_when_it_asked_to_be"),
        ],
    },
    Fault {
        number: 6,
        title: "an endpoint dead for a day, then back",
        tests: &[(
            "mfn-runtime",
            "lib",
            "delivery::outbound::fault_tests::a_dead_endpoint_is_left_alone_and_then_caught_up_with",
        )],
    },
    Fault {
        number: 7,
        title: "HTTP 200 with partial failures, answers lost after commit",
        tests: &[
            ("mfn-runtime", "pipeline", "faults::exactly_what_failed_is_published_again"),
            ("mfn-plugin-http", "http", "publisher::a_200_with_failures_fails_exactly_those"),
            ("mfn-plugin-http", "http", "publisher::lost_answers_are_unknown_and_keep_their_id"),
        ],
    },
    Fault {
        number: 8,
        title: "one of four publishers takes nothing",
        tests: &[("mfn-runtime", "pipeline", "faults::a_black_hole_leaves_the_other_routes_their_rate")],
    },
    Fault {
        number: 9,
        title: "a burst of files; kill between commit and delete",
        tests: &[
            ("mfn-plugin-file", "burst", "a_burst_of_files_comes_whole_and_once"),
            ("mfn-plugin-file", "crash", "whole_files_survive_kills"),
        ],
    },
    Fault {
        number: 10,
        title: "bad input: truncated, endless, deep, not UTF-8, no file at all",
        tests: &[
            ("mfn-plugin-file", "hostile", "nothing_holds_up_the_next_file"),
            ("mfn-plugin-file", "hostile", "a_line_of_a_gibibyte_is_passed_over"),
            ("mfn-plugin-http", "http", "hostile::bad_content_is_rejected_and_the_next_page_comes"),
        ],
    },
    Fault {
        number: 11,
        title: "the wall clock jumps by hours and years",
        tests: &[("mfn-cli", "clock", "a_jumping_clock_stops_nothing")],
    },
    Fault {
        number: 12,
        title: "SIGTERM at full rate with a dead publisher",
        tests: &[
            (
                "mfn-runtime",
                "pipeline",
                "spooled::a_drain_with_a_dead_publisher_leaves_everything_to_the_next_start",
            ),
            ("mfn-cli", "spooled", "a_terminated_run_with_a_dead_publisher_loses_nothing"),
        ],
    },
    Fault {
        number: 13,
        title: "a plugin that panics, hangs, miscounts, settles twice",
        tests: &[
            ("mfn-runtime", "pipeline", "faults::a_panic_in_publish_fences_the_publisher"),
            ("mfn-runtime", "loader", "panics::connector"),
            ("mfn-runtime", "loader", "panics::publisher"),
            ("mfn-runtime", "loader", "adapters::settling_twice_is_refused"),
            (
                "mfn-runtime",
                "pipeline",
                "shutdown::a_hung_publisher_does_not_hold_a_drain_beyond_its_deadline",
            ),
            ("mfn-runtime", "pipeline", "hung::a_call_that_hangs_is_given_up_and_its_late_answer_is_nobodys"),
            ("mfn-runtime", "pipeline", "faults::a_wrong_number_of_answers_is_a_breach_and_loses_nothing"),
        ],
    },
    Fault {
        number: 14,
        title: "10,000 callers at a half-open breaker",
        tests: &[(
            "mfn-runtime",
            "lib",
            "delivery::outbound::breaker_tests::a_stampede_reaches_the_endpoint_three_times",
        )],
    },
];
