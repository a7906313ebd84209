//! The text of `/metrics` and `/stats`, made in pieces: with many cores there is much to add up.

use std::sync::Arc;

use super::{Watch, metrics::Totals};
use crate::Nanos;

/// The formats of a view.
#[derive(Clone, Copy, Debug)]
pub enum ViewFormat {
    /// Prometheus's text format.
    Metrics,
    /// JSON, with the time that the server has been running.
    Stats(Nanos),
}

/// A view that is being made.
#[derive(Debug)]
pub struct ViewText {
    watch: Arc<Watch>,
    format: ViewFormat,
    totals: Totals,
    /// The number of cores whose counters were added.
    cores: usize,
    /// The number of parts of the text that were written.
    parts: usize,
    text: Vec<u8>,
}

impl ViewText {
    /// Begins a view.
    pub fn new(watch: Arc<Watch>, format: ViewFormat) -> ViewText {
        ViewText {
            watch,
            format,
            totals: Totals::default(),
            cores: 0,
            parts: 0,
            text: Vec::new(),
        }
    }

    /// The length of the text so far, in bytes.
    pub fn written(&self) -> usize {
        self.text.len()
    }

    /// Adds the counters of the next core, or writes the next part of the text. Returns the text
    /// when it is complete.
    pub fn step(&mut self) -> Option<Vec<u8>> {
        if let Some(core) = self.watch.cores.get(self.cores) {
            core.read(&mut self.totals);
            self.cores += 1;
            return None;
        }
        let (part, totals, out) = (self.parts, &self.totals, &mut self.text);
        self.parts += 1;
        let goes_on = match self.format {
            ViewFormat::Metrics => self.watch.write_metrics_part(part, totals, out),
            ViewFormat::Stats(uptime) => {
                self.watch.write_stats(totals, uptime, out);
                false
            }
        };
        (!goes_on).then(|| std::mem::take(&mut self.text))
    }
}
