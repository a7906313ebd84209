"""Parses the YAML of a job for GitHub Actions and runs its steps like the runner there."""

from runs import Run, prepare
from sections import ROOT, Broken
from tools import tell


def read_job(section):
    """Returns the environment and the steps of a job, each step with the line of its commands.
    Rejects unknown keys, which would make the check differ from the real job."""
    import yaml  # imported here, because --list does not need it

    [(first, block)] = section.jobs
    text = "\n".join(block)
    workflow = yaml.safe_load(text)

    def known(what, mapping, keys):
        if odd := set(map(str, mapping)) - keys:
            raise Broken(first, f"nothing here knows {' and '.join(sorted(odd))} of a {what}")

    def node(above, key):
        return next(value for name, value in above.value if name.value == key)

    # In YAML 1.1 a bare `on` is true.
    known("workflow", workflow, {"name", "True", "env", "jobs"})
    [(name, job)] = workflow["jobs"].items()
    known("job", job, {"runs-on", "timeout-minutes", "env", "steps"})
    nodes = node(node(node(yaml.compose(text), "jobs"), name), "steps").value
    steps = []
    for step, its in zip(job["steps"], nodes):
        known("step", step, {"name", "uses", "with", "if", "env", "run"})
        if step.get("if", "always()") != "always()" or "${{" in str(step.get("run")):
            line = first + its.start_mark.line
            raise Broken(line, "nothing here knows `if` but always(), nor ${{ }} in `run`")
        if "run" in step:
            scalar = node(its, "run")
            step["line"] = first + scalar.start_mark.line + (scalar.style == "|")
        steps.append(step)
    environment = {**workflow.get("env", {}), **job.get("env", {})}
    return {key: str(value) for key, value in environment.items()}, steps


def run_job(section, binary, more):
    """Runs the steps like the runner of GitHub Actions."""
    place, environment = prepare(section, binary)
    its, steps = read_job(section)
    environment.update({**its, **more, "CI": "true"})
    report = ROOT / environment["MOCKER_REPORT"]
    report.unlink(missing_ok=True)
    run = Run(section, ROOT, environment)
    for step in steps:
        if "run" not in step:
            tell(f"not run: uses {step['uses']}")
            continue
        if run.status != 0 and "if" not in step:
            continue
        of_step = {key: str(value) for key, value in step.get("env", {}).items()}
        files = {name: place / name for name in ("GITHUB_PATH", "GITHUB_ENV")}
        for file in files.values():
            file.write_text("")
        before = run.environment
        run.environment = {**before, **{name: str(file) for name, file in files.items()}, **of_step}
        line = run.line
        status = run.script([(step["line"], step["run"].splitlines())], ["-e"])
        run.environment = before
        if run.status != 0:
            run.line = line
        else:
            run.status = status
        for path in files["GITHUB_PATH"].read_text().splitlines():
            run.environment["PATH"] = f"{path}:{run.environment['PATH']}"
        for setting in files["GITHUB_ENV"].read_text().splitlines():
            name, _, value = setting.partition("=")
            run.environment[name] = value
    run.end()
    return run, report
