//! Tests of parsing arguments and variables, and of the errors.

use super::*;

#[test]
fn a_health_check_reads_the_settings_of_the_server() {
    let port = [("MOCKER_PORT", "7")];
    for (args, vars, port) in [
        (&["-healthcheck"] as &[_], &[] as &[_], 8000),
        (&["--healthcheck"], &port, 7),
        (&["-healthcheck", "-port", "8"], &port, 8),
        (&["-port=8", "-healthcheck", "-big-payload"], &port, 8),
        (
            &["-healthcheck"],
            &[("MOCKER_PORT", "tcp://10.0.0.1:80")],
            8000,
        ),
    ] {
        match started(args, vars) {
            Ok(line) if matches!(line.action, Action::Healthcheck) => {
                assert_eq!(line.settings.port, port, "{args:?}");
            }
            Ok(_) => panic!("{args:?} {vars:?} is no health check"),
            Err(line) => panic!("{args:?} {vars:?} failed: {line}"),
        }
    }
    for (args, part) in [
        (
            &["-healthcheck", "-port", "0"] as &[_],
            "-healthcheck: port 0",
        ),
        (&["-port", "80x", "-healthcheck"], "-port: "),
        (&["-healthcheck=false"], "-healthcheck: takes no value"),
        (&["-healthcheck", "true"], "unexpected argument \"true\""),
        (
            &["-auth=a", "-healthcheck", "b"],
            "unexpected argument \"b\"",
        ),
    ] {
        let line = error(args, &[]);
        assert!(line.contains(part), "{line}");
    }
    assert!(error(&["-healthcheck"], &[("MOCKER_PORT", "0")]).contains("port 0"));
    assert!(printed(&["-healthcheck", "-help"], &[]).contains("\n  -healthcheck\n"));
}

#[test]
fn errors_name_the_flag_and_the_value() {
    let expected = "expected an integer from 0 to 65535";
    let line = error(&["-port", "80x"], &[]);
    assert_eq!(line, format!("-port: invalid value \"80x\"; {expected}"));
    let line = error(&["--port=65536"], &[]);
    assert_eq!(line, format!("-port: invalid value \"65536\"; {expected}"));
    let line = error(&[], &[("MOCKER_PORT", "-1")]);
    assert_eq!(
        line,
        format!("MOCKER_PORT: invalid value \"-1\"; {expected}")
    );
    assert_eq!(
        error(&["-port", ""], &[]),
        format!("-port: invalid value \"\"; {expected}")
    );
    assert!(error(&["-Port", "1"], &[]).starts_with("-Port: unknown flag;"));
    assert!(error(&["-big_payload"], &[]).starts_with("-big_payload: unknown flag;"));
    assert!(error(&["-a\u{1b}\n"], &[]).starts_with("-a\\u{1b}\\n: unknown flag;"));
    for arg in ["stray", "", "-", "--", "80\n80"] {
        let line = error(&["-port", "1", arg], &[]);
        assert!(
            line.starts_with(&format!("unexpected argument {arg:?}; ")),
            "{line}"
        );
    }
}

#[test]
fn secrets_are_never_printed() {
    let wrong = [
        error(&["-auth", "hush\n"], &[]),
        error(&["-auth=hush\n"], &[]),
        error(&[], &[("MOCKER_AUTH", "hush ")]),
        error(&["-auth", "Bearer", "hush"], &[]),
        error(&["-auth=Bearer", "hush", "-port", "1"], &[]),
        error(&["-auht=hush"], &[]),
        error(&["-auht", "hush"], &[]),
    ];
    for line in wrong {
        assert!(
            !line.contains("hush") && line.contains("-au") | line.contains("AUTH"),
            "{line}"
        );
    }
}

#[test]
fn a_boolean_flag_never_takes_the_next_argument() {
    let on = settings(
        &["-big-payload", "-port", "1"],
        &[("MOCKER_BIG_PAYLOAD", "false")],
    );
    assert!(on.big_payload && on.port == 1);
    assert!(error(&["-big-payload", "false"], &[]).contains("unexpected argument \"false\""));
    for off in [
        "-big-payload=false",
        "--big-payload=FALSE",
        "-big-payload=0",
    ] {
        assert!(
            !settings(&[off], &[("MOCKER_BIG_PAYLOAD", "true")]).big_payload,
            "{off}"
        );
    }
    assert!(settings(&[], &[("MOCKER_BIG_PAYLOAD", "True")]).big_payload);
    assert!(error(&["-big-payload="], &[]).contains("invalid value \"\""));
}

#[test]
fn values_are_taken_literally() {
    let auth = [("MOCKER_AUTH", "Bearer x")];
    assert_eq!(settings(&[], &auth).auth, "Bearer x");
    assert_eq!(
        settings(&["-auth", ""], &auth).auth,
        "",
        "an empty value of a flag is a value"
    );
    assert_eq!(settings(&["-auth="], &auth).auth, "");
    assert_eq!(settings(&["-auth", "-port"], &[]).auth, "-port");
    assert_eq!(settings(&["-auth", "--"], &[]).auth, "--");
    assert_eq!(settings(&["-auth=Basic a=b=="], &[]).auth, "Basic a=b==");
    assert!(settings(&["-port=8080"], &[("MOCKER_PORT", "80x")]).port == 8080);
    assert!(settings(&[], &[("MOCKER_POTR", "80x")]) == Settings::default());
}

#[test]
fn a_port_from_kubernetes_is_ignored_with_a_note() {
    let kubernetes = [("MOCKER_PORT", "tcp://10.0.0.1:8000")];
    let (settings, notes) = run(&[], &kubernetes);
    assert!(settings == Settings::default());
    let [note] = notes.as_slice() else {
        panic!("{notes:?}")
    };
    assert!(note.starts_with("MOCKER_PORT: \"tcp://10.0.0.1:8000\" is ignored; "));
    assert!(
        run(&["-port", "1"], &kubernetes).1.is_empty(),
        "the variable was not used"
    );
    assert!(error(&["-port", "tcp://10.0.0.1:8000"], &[]).contains("-port"));
    assert!(error(&[], &[("MOCKER_THREADS", "tcp://10.0.0.1:1")]).contains("MOCKER_THREADS"));
}

#[test]
fn conflicts_are_reported_with_the_names_that_were_used() {
    let line = error(&["-pin=off"], &[("MOCKER_CORES", "0-1")]);
    assert_eq!(
        line,
        "-pin: \"off\" conflicts with MOCKER_CORES; expected auto or on"
    );
    let line = error(&["-cores=0-1"], &[("MOCKER_PIN", "off")]);
    assert_eq!(
        line,
        "MOCKER_PIN: \"off\" conflicts with -cores; expected auto or on"
    );
    for threads in ["1", "3"] {
        let line = error(&["-threads", threads, "-cores", "0-1"], &[]);
        assert!(line.contains(&format!("-threads: \"{threads}\" conflicts with -cores")));
        assert!(line.contains("expected auto or 2"), "{line}");
    }
    settings(&["-threads=2", "-cores=0-1", "-pin=on"], &[]);
    settings(&["-threads=auto", "-cores=0-1"], &[]);
    settings(&["-threads=3", "-pin=off"], &[]);
    settings(
        &["-cores="],
        &[("MOCKER_CORES", "0-1"), ("MOCKER_PIN", "off")],
    );
}

#[test]
fn ttft_jitter_requires_ttft() {
    let line = error(&["-ttft-jitter", "5"], &[]);
    assert!(
        line.contains("-ttft-jitter") && line.contains("-ttft auto"),
        "{line}"
    );
    let line = error(&[], &[("MOCKER_TTFT_JITTER", "5")]);
    assert!(line.contains("MOCKER_TTFT_JITTER"), "{line}");
    let settings = settings(&["-ttft", "200", "-ttft-jitter", "0.5"], &[]);
    assert_eq!(settings.ttft, Some(Duration::from_millis(200)));
    assert_eq!(settings.ttft_jitter, Duration::from_micros(500));
}

#[test]
fn a_misspelt_flag_suggests_the_nearest() {
    for (typed, meant) in [
        ("-prot", "-port"),
        ("-latnecy", "-latency"),
        ("-failure-percentage", "-failure-percent"),
        ("-hlep", "-help"),
        ("-ttft-jiter", "-ttft-jitter"),
    ] {
        let line = error(&[typed, "1"], &[]);
        assert!(line.contains(&format!("did you mean {meant}? ")), "{line}");
    }
    let line = error(&["-something-else", "1"], &[]);
    assert!(!line.contains("did you mean"), "{line}");
}

#[test]
fn misspelt_variables_are_reported() {
    let reported = |name: &str| misspelt([name.into()]);
    for (name, near) in [
        ("MOCKER_LATENCI", "MOCKER_LATENCY"),
        ("MOCKER_PROT", "MOCKER_PORT"),
        ("MOCKER_TOKEN", "MOCKER_TOKENS"),
    ] {
        let line = format!("{name}: unknown variable; did you mean {near}?");
        assert_eq!(reported(name), [line]);
    }
    // Known variables, those of other programs, and those that Kubernetes sets for a Service named
    // mocker.
    for name in [
        "MOCKER_LATENCY",
        "MOCK_LATENCY",
        "MOCKER_BIN",
        "MOCKER_SERVICE_HOST",
        "MOCKER_SERVICE_PORT",
        "MOCKER_PORT_8000_TCP",
        "MOCKER_PORT_8000_TCP_ADDR",
    ] {
        assert!(reported(name).is_empty(), "{name}");
    }
}
