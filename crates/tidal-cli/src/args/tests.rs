use std::path::Path;

use clap::CommandFactory;

use super::*;

fn parse(line: &str) -> Cli {
    Cli::try_parse_from(line.split(' ')).unwrap()
}

fn refused(line: &str) -> String {
    Cli::try_parse_from(line.split(' ')).unwrap_err().to_string()
}

#[test]
fn the_definition_is_sound() {
    Cli::command().debug_assert();
}

#[test]
fn every_command_and_option_has_help() {
    fn check(command: &clap::Command) {
        assert!(command.get_about().is_some(), "{} has no help", command.get_name());
        for argument in command.get_arguments() {
            assert!(
                argument.get_help().is_some(),
                "{} {} has no help",
                command.get_name(),
                argument.get_id()
            );
        }
        for inner in command.get_subcommands() {
            check(inner);
            assert!(inner.get_after_help().is_some(), "{} has no example", inner.get_name());
        }
    }
    check(&Cli::command());
}

#[test]
fn database_and_json_stand_anywhere() {
    for line in
        ["tidal --db d --json stats", "tidal stats --db d --json", "tidal --json stats --db d"]
    {
        let cli = parse(line);
        assert_eq!(cli.global.db.as_deref(), Some(Path::new("d")), "{line}");
        assert!(cli.global.json, "{line}");
    }
}

#[test]
fn an_import_takes_its_signal_from_one_place() {
    let import = |rest: &str| format!("tidal --db d import --entity-column e {rest} f.csv");
    assert!(refused(&import("--batch 5")).contains("--signal"));
    assert!(refused(&import("--signal a --signal-column b")).contains("cannot be used with"));
    assert!(matches!(parse(&import("--signal a")).command, Command::Import(_)));
}

#[test]
fn wrong_values_are_refused_before_anything_happens() {
    let import =
        |rest: &str| format!("tidal --db d import --entity-column e --signal s {rest} f.csv");
    for rest in [
        "--time-format sometimes",
        "--time-format %J",
        "--batch 0",
        "--delimiter ab",
        "--kind thing",
        "--format xml",
    ] {
        refused(&import(rest));
    }
    refused("tidal --db d top view --window 2h");
    refused("tidal --db d top view --by fame");
    refused("tidal --db d put a b --file c");
    refused("tidal --db d put a");
}

#[test]
fn negative_weights_are_values() {
    let Command::Signal(args) = parse("tidal --db d signal skip a --weight -1.5").command else {
        panic!("not a signal");
    };
    assert_eq!(args.weight, -1.5);
}
