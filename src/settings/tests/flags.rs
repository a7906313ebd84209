//! How arguments and variables are read, and what is said of those that can't be. Knows no kind of
//! value.

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
            Ok(Start::Healthcheck(settings)) => assert_eq!(settings.port, port, "{args:?}"),
            Ok(_) => panic!("{args:?} {vars:?} asked nobody"),
            Err(line) => panic!("{args:?} {vars:?} failed: {line}"),
        }
    }
    for (args, part) in [
        (
            &["-healthcheck", "-port", "0"] as &[_],
            "-healthcheck: port 0",
        ),
        (&["-port", "80x", "-healthcheck"], "-port: "),
        (&["-healthcheck=false"], "-healthcheck: it takes no value"),
        (&["-healthcheck", "true"], "\"true\" is a stray"),
        (&["-auth=a", "-healthcheck", "b"], "\"b\" is a stray"),
    ] {
        let line = error(args, &[]);
        assert!(line.contains(part), "{line}");
    }
    assert!(error(&["-healthcheck"], &[("MOCKER_PORT", "0")]).contains("port 0"));
    assert!(printed(&["-healthcheck", "-help"], &[]).contains("\n  -healthcheck\n"));
}

#[test]
fn the_error_line() {
    let whole = "is not allowed; a whole number from 0 to 65535";
    let line = error(&["-port", "80x"], &[]);
    assert_eq!(line, format!("mocker: -port: \"80x\" {whole}"));
    let line = error(&["--port=65536"], &[]);
    assert_eq!(line, format!("mocker: -port: \"65536\" {whole}"));
    let line = error(&[], &[("MOCKER_PORT", "-1")]);
    assert_eq!(line, format!("mocker: MOCKER_PORT: \"-1\" {whole}"));
    assert_eq!(
        error(&["-port", ""], &[]),
        format!("mocker: -port: \"\" {whole}")
    );
    assert!(error(&["-Port", "1"], &[]).starts_with("mocker: -Port: no such flag;"));
    assert!(error(&["-big_payload"], &[]).starts_with("mocker: -big_payload: no such flag;"));
    assert!(error(&["-a\u{1b}\n"], &[]).starts_with("mocker: -a\\u{1b}\\n: no such flag;"));
    for arg in ["stray", "", "-", "--", "80\n80"] {
        let line = error(&["-port", "1", arg], &[]);
        assert!(
            line.starts_with(&format!("mocker: {arg:?} is a stray argument; ")),
            "{line}"
        );
    }
}

#[test]
fn a_secret_is_never_shown() {
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
fn a_switch_never_takes_the_next_argument() {
    let on = settings(
        &["-big-payload", "-port", "1"],
        &[("MOCKER_BIG_PAYLOAD", "false")],
    );
    assert!(on.big_payload && on.port == 1);
    assert!(error(&["-big-payload", "false"], &[]).contains("\"false\" is a stray"));
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
    assert!(error(&["-big-payload="], &[]).contains("\"\" is not allowed"));
}

#[test]
fn values_are_taken_as_they_are() {
    let auth = [("MOCKER_AUTH", "Bearer x")];
    assert_eq!(settings(&[], &auth).auth, "Bearer x");
    assert_eq!(
        settings(&["-auth", ""], &auth).auth,
        "",
        "an empty flag is a value"
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
    assert!(note.starts_with("mocker: MOCKER_PORT: \"tcp://10.0.0.1:8000\" is ignored; "));
    assert!(
        run(&["-port", "1"], &kubernetes).1.is_empty(),
        "it was not needed"
    );
    assert!(error(&["-port", "tcp://10.0.0.1:8000"], &[]).contains("-port"));
    assert!(error(&[], &[("MOCKER_THREADS", "tcp://10.0.0.1:1")]).contains("MOCKER_THREADS"));
}

#[test]
fn settings_that_contradict_each_other_are_told_by_the_names_given() {
    let line = error(&["-pin=off"], &[("MOCKER_CORES", "0-1")]);
    assert_eq!(
        line,
        "mocker: -pin: \"off\" is not allowed with MOCKER_CORES; auto or on"
    );
    let line = error(&["-cores=0-1"], &[("MOCKER_PIN", "off")]);
    assert_eq!(
        line,
        "mocker: MOCKER_PIN: \"off\" is not allowed with -cores; auto or on"
    );
    for threads in ["1", "3"] {
        let line = error(&["-threads", threads, "-cores", "0-1"], &[]);
        assert!(line.contains(&format!(
            "-threads: \"{threads}\" is not allowed with -cores"
        )));
        assert!(line.contains("auto or 2"), "{line}");
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
fn what_varies_the_first_token_needs_its_time() {
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
fn a_mistyped_flag_names_the_nearest() {
    for (typed, meant) in [
        ("-prot", "-port"),
        ("-latnecy", "-latency"),
        ("-failure-percentage", "-failure-percent"),
        ("-hlep", "-help"),
        ("-ttft-jiter", "-ttft-jitter"),
    ] {
        let line = error(&[typed, "1"], &[]);
        assert!(line.contains(&format!("is it {meant}? ")), "{line}");
    }
    let line = error(&["-something-else", "1"], &[]);
    assert!(!line.contains("is it"), "{line}");
}

#[test]
fn misspelt_variables_are_told() {
    let told = |name: &str| misspelt([name.into()]);
    for (name, near) in [
        ("MOCKER_LATENCI", "MOCKER_LATENCY"),
        ("MOCKER_PROT", "MOCKER_PORT"),
        ("MOCKER_TOKEN", "MOCKER_TOKENS"),
    ] {
        let line = format!("mocker: {name}: no such variable; is it {near}?");
        assert_eq!(told(name), [line]);
    }
    // Ours, other programs', and what Kubernetes sets for a Service named mocker.
    for name in [
        "MOCKER_LATENCY",
        "MOCK_LATENCY",
        "MOCKER_BIN",
        "MOCKER_SERVICE_HOST",
        "MOCKER_SERVICE_PORT",
        "MOCKER_PORT_8000_TCP",
        "MOCKER_PORT_8000_TCP_ADDR",
    ] {
        assert!(told(name).is_empty(), "{name}");
    }
}
