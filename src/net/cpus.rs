//! The number of threads that serve, and the CPU of each.

use core_affinity::CoreId;

use super::StartError;
use crate::settings::{Pin, Settings};

/// Returns the CPU of each serving thread; None where the kernel may choose.
pub fn plan(settings: &Settings) -> Result<Vec<Option<usize>>, StartError> {
    let allowed = core_affinity::get_core_ids().unwrap_or_default();
    let mask: Vec<usize> = allowed.iter().map(|core| core.id).collect();
    // It respects the affinity mask and the quota of the control group.
    let usable = std::thread::available_parallelism().map_or(1, usize::from);
    choose(settings, &mask, usable)
}

fn choose(
    settings: &Settings,
    mask: &[usize],
    usable: usize,
) -> Result<Vec<Option<usize>>, StartError> {
    let cores = &settings.cores;
    if let Some(core) = cores.iter().find(|core| !mask.contains(core)) {
        return Err(StartError::Usage(format!(
            "-cores: this process may not run on CPU {core}, only on {mask:?}"
        )));
    }
    if !cores.is_empty() {
        return Ok(cores.iter().map(|&core| Some(core)).collect());
    }
    let threads = settings.threads.unwrap_or(usable);
    let pinned = match settings.pin {
        Pin::On => true,
        Pin::Off => false,
        // With fewer threads than CPUs, several such processes would share the first CPUs.
        Pin::Auto => threads == mask.len(),
    };
    if pinned && threads > mask.len() {
        return Err(StartError::Usage(format!(
            "-pin: {threads} threads can't be pinned to {} CPUs; fewer -threads or -pin off",
            mask.len()
        )));
    }
    let cpu = |thread: usize| pinned.then(|| mask[thread]);
    Ok((0..threads).map(cpu).collect())
}

/// Pins the calling thread to a CPU. Returns false when the kernel refuses.
pub fn pin(cpu: usize) -> bool {
    core_affinity::set_for_current(CoreId { id: cpu })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(threads: Option<usize>, pin: Pin, cores: &[usize]) -> Settings {
        Settings {
            threads,
            pin,
            cores: cores.to_vec(),
            ..Settings::default()
        }
    }

    #[test]
    fn threads_are_pinned_when_they_fill_the_mask_or_their_cpus_are_named() {
        let mask = [2, 3, 5];
        let none: &[usize] = &[];
        for (threads, pin, cores, usable, want) in [
            (
                None,
                Pin::Auto,
                none,
                3,
                Ok(vec![Some(2), Some(3), Some(5)]),
            ),
            (None, Pin::Auto, none, 2, Ok(vec![None, None])),
            (None, Pin::Off, none, 3, Ok(vec![None; 3])),
            (None, Pin::On, none, 2, Ok(vec![Some(2), Some(3)])),
            (Some(1), Pin::Auto, none, 3, Ok(vec![None])),
            (Some(4), Pin::Auto, none, 3, Ok(vec![None; 4])),
            (Some(4), Pin::On, none, 3, Err("-pin")),
            (None, Pin::Auto, &[5, 2], 3, Ok(vec![Some(5), Some(2)])),
            (None, Pin::Auto, &[5, 4], 3, Err("-cores")),
        ] {
            let got = choose(&settings(threads, pin, cores), &mask, usable);
            match (got, want) {
                (Ok(got), Ok(want)) => assert_eq!(got, want),
                (Err(StartError::Usage(line)), Err(flag)) => {
                    assert!(line.starts_with(flag), "{line}")
                }
                (got, want) => panic!("{got:?} is not {want:?}"),
            }
        }
    }
}
