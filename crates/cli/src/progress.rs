//! Progress on stderr while a command runs: a single line that is updated on a terminal; elsewhere a line for each
//! change of state and one every 30 seconds. Retries are always shown.

use std::{
    io::{self, IsTerminal, Write},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use brickwire_actions::{Event, Events};
use console::Term;
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

use crate::options::Global;

/// How often a line is printed while waiting, where stderr is not a terminal.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// Shows progress.
#[derive(Clone)]
pub(crate) struct Progress(Arc<Shown>);

struct Shown {
    quiet: bool,
    /// Hidden if stderr is not a terminal.
    bar: ProgressBar,
    /// Whether the user interrupted the program; only then are cancellations shown.
    stopping: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What is being waited for, and since when.
    waiting: Option<(String, Instant)>,
    /// Kinds of resources that outlive the program, each with the command that shows one. All else is short-lived.
    outliving: Vec<(&'static str, &'static str)>,
    /// A line about the last resource that continues when the program ends, even if the program now waits for another.
    goes_on: Option<String>,
}

impl State {
    /// Records a resource that continues when the program ends. Returns whether it does.
    fn goes_on(&mut self, what: &str, id: &str, text: &str) -> bool {
        let command = self.outliving.iter().find(|(kind, _)| *kind == what).map(|(_, command)| command);
        if let Some(command) = command {
            self.goes_on = Some(format!("{text}, and goes on by itself: {command} {id}"));
        }
        command.is_some()
    }
}

impl Progress {
    pub(crate) fn new(global: &Global) -> Self {
        // Log lines would break up the progress line.
        let rewrites = !global.quiet && !global.debug && global.verbose == 0 && io::stderr().is_terminal();
        let target = match std::env::var_os("TERM") {
            Some(name) if name == "dumb" => ProgressDrawTarget::hidden(),
            _ if rewrites => ProgressDrawTarget::term_like_with_hz(Box::new(Narrower(Term::stderr())), 20),
            _ => ProgressDrawTarget::hidden(),
        };
        let style =
            ProgressStyle::with_template("{spinner} {wide_msg}").unwrap_or(ProgressStyle::default_spinner());
        let bar = ProgressBar::with_draw_target(None, target).with_style(style);
        Self(Arc::new(Shown {
            quiet: global.quiet,
            bar,
            stopping: AtomicBool::new(false),
            state: Mutex::default(),
        }))
    }

    /// Listens to the events of a workspace.
    pub(crate) fn events(&self) -> Events {
        let progress = self.clone();
        Events::new(move |event| progress.show(event))
    }

    /// Prints a line that stays.
    pub(crate) fn line(&self, text: &str) {
        if !self.0.quiet {
            // A closed stderr is no reason to fail.
            self.0.bar.suspend(|| drop(writeln!(io::stderr(), "{text}")));
        }
    }

    /// Removes the progress line for good; data or the end of the program follows.
    pub(crate) fn clear(&self) {
        self.state().waiting = None;
        self.0.bar.finish_and_clear();
        self.0.bar.set_draw_target(ProgressDrawTarget::hidden());
    }

    /// The user interrupted the program. Changes requested of a cluster or a warehouse are not undone.
    pub(crate) fn stopping(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
        let goes_on = self.state().goes_on.take();
        if let Some(line) = goes_on {
            self.line(&line);
        }
    }

    /// Prints a line now and then while waiting, so that a CI log shows that the program is alive.
    pub(crate) async fn beat(&self) {
        loop {
            tokio::time::sleep(HEARTBEAT).await;
            let waiting = self.state().waiting.clone();
            if let Some((text, since)) = waiting.filter(|_| self.0.bar.is_hidden()) {
                self.line(&format!("{text}, for {} s so far", since.elapsed().as_secs()));
            }
        }
    }

    /// Declares that resources of this kind outlive the program; `command` with an id shows one.
    pub(crate) fn expect_to_outlive(&self, what: &'static str, command: &'static str) {
        self.state().outliving.push((what, command));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, event: &Event) {
        match event {
            Event::Retrying { operation, attempts, reason, after } => {
                let after = after.as_secs_f64();
                self.line(&format!(
                    "{operation}: attempt {attempts} failed ({reason}); again in {after:.1} s"
                ));
            }
            Event::Requesting { what, id, change } => {
                self.state().goes_on(what, id, &format!("{what} {id} was asked to {change}"));
            }
            Event::StateChanged { what, id, state, message } => {
                let message = message.as_deref().map(|m| format!(": {m}")).unwrap_or_default();
                let text = format!("{what} {id} is {state}");
                let shown = format!("{text}{message}");
                // States of short-lived work are noise, except on the progress line and after an interrupt.
                let lasts = self.state().goes_on(what, id, &text);
                let told = lasts || self.0.stopping.load(Ordering::Relaxed);
                if told && self.0.bar.is_hidden() {
                    self.line(&shown);
                }
                self.draw(&shown);
                self.state().waiting = Some((shown, Instant::now()));
            }
            Event::ChunkFetched { rows, total_rows, bytes, .. } if !io::stdout().is_terminal() => {
                let total = total_rows.map(|n| format!(" of {}", HumanCount(n))).unwrap_or_default();
                let seconds = self.state().waiting.as_ref().map(|w| w.1.elapsed().as_secs_f64());
                let rate = seconds.map(|s| HumanBytes((*bytes as f64 / s.max(0.001)) as u64));
                let rate = rate.map(|rate| format!(", {rate} a second")).unwrap_or_default();
                self.draw(&format!("{}{total} rows, {}{rate}", HumanCount(*rows), HumanBytes(*bytes)));
            }
            Event::Cancelling { what, id } if self.0.stopping.load(Ordering::Relaxed) => {
                self.line(&format!("canceling {what} {id}"));
            }
            Event::CancelingFailed { what, id, reason } if self.0.stopping.load(Ordering::Relaxed) => {
                self.line(&format!("canceling {what} {id} failed, so it may still run: {reason}"));
            }
            _ => {}
        }
    }

    /// Updates the progress line.
    fn draw(&self, text: &str) {
        if !self.0.bar.is_hidden() {
            self.0.bar.set_message(text.to_owned());
            self.0.bar.enable_steady_tick(Duration::from_millis(120));
        }
    }
}

/// The terminal, four columns narrower: the `^C` that it echoes must not wrap to the next line, where it would stay.
#[derive(Debug)]
struct Narrower(Term);

impl TermLike for Narrower {
    fn width(&self) -> u16 {
        self.0.size().1.saturating_sub(4)
    }
    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_up(n)
    }
    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_down(n)
    }
    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_right(n)
    }
    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.0.move_cursor_left(n)
    }
    fn write_line(&self, text: &str) -> io::Result<()> {
        self.0.write_line(text)
    }
    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.write_str(text)
    }
    fn clear_line(&self) -> io::Result<()> {
        self.0.clear_line()
    }
    fn flush(&self) -> io::Result<()> {
        self.0.flush()
    }
}
