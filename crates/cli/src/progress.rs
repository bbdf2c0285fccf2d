//! What stands on stderr while a command runs: on a terminal one line that is written over, elsewhere a line for each
//! change and a sign of life every half minute; retries always; the log, as far as it was asked for.

use std::{
    io::{self, IsTerminal, Write},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use brickwire_actions::{Event, Events};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tracing_subscriber::{Layer, filter::Targets, layer::SubscriberExt, util::SubscriberInitExt};

use crate::args::Global;

/// Where nothing is written over, something is said this often.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// Shows what happens.
#[derive(Clone)]
pub(crate) struct Progress(Arc<Shown>);

struct Shown {
    quiet: bool,
    /// Hidden where stderr is no terminal.
    bar: ProgressBar,
    /// Whether the user asked to stop: then what is cancelled is named, else it goes without saying.
    stopping: AtomicBool,
    /// What is being waited for, and since when.
    waiting: Mutex<Option<(String, Instant)>>,
}

impl Progress {
    pub(crate) fn new(global: &Global) -> Self {
        // A log and a line that is written over don't go together.
        let rewrites = !global.quiet && !global.debug && global.verbose == 0 && io::stderr().is_terminal();
        let target = if rewrites { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(None, target);
        let style =
            ProgressStyle::with_template("{spinner} {wide_msg}").unwrap_or(ProgressStyle::default_spinner());
        bar.set_style(style);
        Self(Arc::new(Shown {
            quiet: global.quiet,
            bar,
            stopping: AtomicBool::new(false),
            waiting: Mutex::default(),
        }))
    }

    /// The listener for a workspace.
    pub(crate) fn events(&self) -> Events {
        let progress = self.clone();
        Events::new(move |event| progress.show(event))
    }

    /// Shows a line that stays.
    pub(crate) fn line(&self, text: &str) {
        if !self.0.quiet {
            // Nobody may be reading stderr; that is no reason to fail.
            self.0.bar.suspend(|| drop(writeln!(io::stderr(), "{text}")));
        }
    }

    /// Takes the line that is written over away, for good: data or the end comes next.
    pub(crate) fn clear(&self) {
        *self.waiting() = None;
        self.0.bar.finish_and_clear();
        self.0.bar.set_draw_target(ProgressDrawTarget::hidden());
    }

    /// The user asked to stop.
    pub(crate) fn stopping(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
    }

    /// Says something now and then, for whoever reads a log.
    pub(crate) async fn beat(&self) {
        loop {
            tokio::time::sleep(HEARTBEAT).await;
            let waiting = self.waiting().clone();
            if let Some((what, since)) = waiting.filter(|_| self.0.bar.is_hidden()) {
                self.line(&format!("{what}, for {} s now", since.elapsed().as_secs()));
            }
        }
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Option<(String, Instant)>> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, event: &Event) {
        match event {
            Event::Retrying { operation, attempts, reason, after } => {
                let after = after.as_secs_f64();
                self.line(&format!(
                    "{operation}: attempt {attempts} failed ({reason}); again in {after:.1} s"
                ));
            }
            Event::StateChanged { what, id, state, message } => {
                let message = message.as_deref().map(|m| format!(": {m}")).unwrap_or_default();
                let text = format!("{what} {id} is {state}{message}");
                // A short statement or command has no story to tell, but for whoever watches it.
                let brief = matches!(*what, "statement" | "command" | "context");
                if !brief && self.0.bar.is_hidden() {
                    self.line(&text);
                }
                self.wait_for(text);
            }
            Event::ChunkFetched { rows, total_rows, .. } if !io::stdout().is_terminal() => {
                let total = total_rows.map(|n| format!(" of {n}")).unwrap_or_default();
                let rate =
                    self.waiting().as_ref().map(|(_, since)| *rows as f64 / since.elapsed().as_secs_f64());
                let rate =
                    rate.filter(|r| r.is_finite()).map(|r| format!(", {r:.0} a second")).unwrap_or_default();
                self.0.bar.set_message(format!("{rows}{total} rows{rate}"));
            }
            Event::Cancelling { what, id } if self.0.stopping.load(Ordering::Relaxed) => {
                self.line(&format!("cancelling {what} {id}"));
            }
            _ => {}
        }
    }

    fn wait_for(&self, text: String) {
        if !self.0.bar.is_hidden() {
            self.0.bar.set_message(text.clone());
            self.0.bar.enable_steady_tick(Duration::from_millis(120));
        }
        *self.waiting() = Some((text, Instant::now()));
    }
}

/// Sends the log to stderr, as far as it was asked for.
pub(crate) fn log(global: &Global) {
    use tracing::Level;
    let level = match global.verbose {
        0 => Level::WARN,
        _ => Level::DEBUG,
    };
    let wire = if global.debug || global.verbose > 1 { Level::DEBUG } else { Level::WARN };
    let targets = Targets::new().with_target("brickwire", level).with_target("brickwire::debug", wire);
    let layer = tracing_subscriber::fmt::layer().with_writer(io::stderr).without_time().with_ansi(false);
    tracing_subscriber::registry().with(layer.with_filter(targets)).init();
}
