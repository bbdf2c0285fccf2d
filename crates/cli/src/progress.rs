//! Progress on stderr while a command runs: a single line that is updated on a terminal; elsewhere a line for each
//! change of state and one every 30 seconds.
//!
//! Retries are counted on that line, too; elsewhere the first one is a line, and the last one if there were several.

use std::{
    collections::BTreeMap,
    io::{self, IsTerminal},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use brickwire_actions::{ErrorKind, Event, Events};
use console::Term;
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle, TermLike};

use crate::{failure::Failure, options::Global, terminal};

/// How often a line is printed while waiting, where stderr is not a terminal.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// How much later than announced a retry may fail and still belong to those before it.
const STREAK: Duration = Duration::from_secs(60);

/// Shows progress.
#[derive(Clone)]
pub(crate) struct Progress(Arc<Shown>);

struct Shown {
    quiet: bool,
    /// Whether there is a line that is written over.
    rewrites: bool,
    /// Hidden if stderr is not a terminal.
    bar: ProgressBar,
    /// Whether the user interrupted the program; only then are cancellations shown.
    stopping: AtomicBool,
    /// Whether it was said what may still run.
    ended: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What is being waited for, and since when.
    waiting: Option<(String, Instant)>,
    /// Kinds of resources that outlive the program. All others are canceled when it ends.
    outliving: Vec<Outliving>,
    /// Kinds of which each state is a line that stays.
    lines: Vec<&'static str>,
    /// Failed attempts that have been retried, by operation.
    retries: Vec<Retries>,
    /// What is being canceled and has not been answered yet.
    canceling: Vec<(&'static str, String)>,
    /// What was submitted and may run although its ID is not known, and why that is so.
    unnamed: Option<(&'static str, String)>,
    /// A line about the last resource that continues when the program ends, even if the program now waits for another.
    goes_on: Option<String>,
    /// The ID of that resource, and the command that waits for it.
    next: Option<(String, String)>,
    /// What the command that waits is given for the state that this command waits for.
    goal: &'static str,
    files: Transfers,
}

/// Files on their way.
#[derive(Default)]
struct Transfers {
    /// Bytes so far, and in all if that is known, by path.
    under_way: BTreeMap<String, (u64, Option<u64>)>,
    done: u64,
    bytes: u64,
}

impl Transfers {
    /// What to say after this much of a file.
    fn text(&mut self, path: &str, bytes: u64, total: Option<u64>) -> String {
        self.under_way.insert(path.to_owned(), (bytes, total));
        let now = self.under_way.values();
        let sum = self.bytes + now.map(|(bytes, _)| bytes).sum::<u64>();
        let text = match (self.done, self.under_way.len(), total) {
            (0, 1, Some(total)) => format!("{path}: {} of {}", HumanBytes(bytes), HumanBytes(total)),
            (0, 1, None) => format!("{path}: {}", HumanBytes(bytes)),
            (done, more, _) => format!("{done} done, {more} in progress, {}", HumanBytes(sum)),
        };
        if total == Some(bytes) {
            self.under_way.remove(path);
            (self.done, self.bytes) = (self.done + 1, self.bytes + bytes);
        }
        text
    }
}

/// A kind of resource that outlives the program.
struct Outliving {
    what: &'static str,
    /// The command that shows one, without its ID.
    command: String,
    /// Whether its states are of interest while the program runs.
    is_lasting: bool,
}

/// Attempts at one operation that failed one after the other.
struct Retries {
    operation: String,
    count: u32,
    since: Instant,
    reason: String,
    /// When the next attempt starts.
    next: Instant,
}

impl Retries {
    /// The last of several attempts; the first one has been shown.
    fn summary(&self) -> Option<String> {
        let Self { operation, count, reason, .. } = self;
        let seconds = self.next.min(Instant::now()).duration_since(self.since).as_secs_f64();
        (*count > 1).then(|| format!("{operation}: attempt {count} failed ({reason}); {seconds:.1} s in all"))
    }
}

impl State {
    /// Counts a failed attempt. Returns how many there have been, and what to say of those of an earlier time.
    fn retry(&mut self, operation: &str, reason: &str, after: Duration) -> (u32, Option<String>) {
        let now = Instant::now();
        let known = self.retries.iter().position(|retries| retries.operation == operation);
        let earlier =
            known.filter(|at| now > self.retries[*at].next + STREAK).map(|at| self.retries.remove(at));
        let known = if earlier.is_some() { None } else { known };
        let at = known.unwrap_or_else(|| {
            let (operation, reason) = (operation.to_owned(), String::new());
            self.retries.push(Retries { operation, count: 0, since: now, reason, next: now });
            self.retries.len() - 1
        });
        let retries = &mut self.retries[at];
        retries.count += 1;
        retries.reason = reason.to_owned();
        // A wait that no clock can hold counts as endless: it is over when the program ends.
        retries.next = now.checked_add(after).unwrap_or(now);
        (retries.count, earlier.and_then(|earlier| earlier.summary()))
    }

    /// Ends the counting. Returns what to say of it.
    fn retried(&mut self) -> Vec<String> {
        self.retries.drain(..).filter_map(|retries| retries.summary()).collect()
    }

    /// Records a resource that continues when the program ends. Returns whether its states are of interest until then.
    fn goes_on(&mut self, what: &str, id: &str, text: &str) -> bool {
        let Some(Outliving { command, is_lasting, .. }) =
            self.outliving.iter().rfind(|kind| kind.what == what)
        else {
            return false;
        };
        // A statement may have ended, while its rows are still on their way.
        let verb = if *is_lasting { "continues on its own" } else { "is not canceled" };
        self.goes_on = Some(format!("{text}, and {verb}: {command} {id}"));
        let wait = match command.strip_suffix(" get") {
            Some(service) => format!("{service} wait {id}{}", self.goal),
            None => format!("{command} {id}"),
        };
        self.next = Some((id.to_owned(), wait));
        *is_lasting
    }
}

impl Progress {
    pub(crate) fn new(global: &Global) -> Self {
        // Log lines would break up the progress line.
        let rewrites = !global.quiet && !global.debug && global.verbose == 0 && io::stderr().is_terminal();
        let rewrites = rewrites && std::env::var_os("TERM").is_none_or(|name| name != "dumb");
        let style =
            ProgressStyle::with_template("{spinner} {wide_msg}").unwrap_or(ProgressStyle::default_spinner());
        let bar = ProgressBar::with_draw_target(None, target(rewrites)).with_style(style);
        Self(Arc::new(Shown {
            quiet: global.quiet,
            rewrites,
            bar,
            stopping: AtomicBool::new(false),
            ended: AtomicBool::new(false),
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
            self.0.bar.suspend(|| terminal::tell(&terminal::cut(text)));
        }
    }

    /// Removes the progress line for good; data or the end of the program follows.
    pub(crate) fn clear(&self) {
        self.state().waiting = None;
        self.end_retries();
        self.0.bar.finish_and_clear();
        self.0.bar.set_draw_target(ProgressDrawTarget::hidden());
    }

    /// Shows the progress line again: more work follows the data.
    pub(crate) fn resume(&self) {
        // What is on the screen now belongs to the old target, which is forgotten.
        self.0.bar.finish_and_clear();
        self.0.bar.set_draw_target(ProgressDrawTarget::hidden());
        self.0.bar.reset();
        self.0.bar.set_draw_target(target(self.0.rewrites));
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
            let Some((text, since)) = waiting else { continue };
            if self.0.bar.is_hidden() {
                let line = format!("{text}, for {} s so far", since.elapsed().as_secs());
                self.line(&terminal::escaped_line(&line));
            } else if self.state().retries.iter().all(|retries| retries.next < Instant::now()) {
                // A retry that has succeeded says nothing.
                self.draw(&text);
            }
        }
    }

    /// Declares that resources of this kind outlive the program; `command` with an ID shows one.
    pub(crate) fn expect_to_outlive(&self, what: &'static str, command: &str) {
        self.state().outliving.push(Outliving { what, command: command.to_owned(), is_lasting: true });
    }

    /// Declares that this command only waits for such a resource, and doesn't cancel it when interrupted. `command` with
    /// the ID shows it.
    pub(crate) fn expect_not_to_cancel(&self, what: &'static str, command: &str) {
        self.state().outliving.push(Outliving { what, command: command.to_owned(), is_lasting: false });
    }

    /// Declares which state this command waits for, unless that is running: what the `wait` command is given for it.
    pub(crate) fn expect_goal(&self, option: &'static str) {
        self.state().goal = option;
    }

    /// Adds the command that goes on waiting to a failure that says that the time is over.
    pub(crate) fn with_next(&self, failure: Failure) -> Failure {
        let next = self.state().next.clone();
        match next.filter(|_| failure.kind() == ErrorKind::DeadlineExceeded && failure.next().is_none()) {
            Some((id, command)) if failure.message().contains(&format!("{id} is still ")) => {
                failure.with_next(&command).with_hint(command)
            }
            _ => failure,
        }
    }

    /// Declares that each state of this kind is of interest, so that it is a line of its own even on a terminal.
    pub(crate) fn expect_lines(&self, what: &'static str) {
        self.state().lines.push(what);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, event: &Event) {
        match event {
            Event::Retrying { operation, reason, after, .. } => self.retry(operation, reason, *after),
            Event::Requesting { what, id, change } => {
                self.state().goes_on(what, id, &format!("{what} {id} was asked to {change}"));
            }
            Event::StateChanged { what, id, state, message } => {
                self.end_retries();
                let message = message.as_deref().map(|m| format!(": {m}")).unwrap_or_default();
                let text = format!("{what} {id} is {state}");
                let shown = format!("{text}{message}");
                if self.state().lines.contains(what) {
                    return self.line(&terminal::escaped_line(&shown));
                }
                // States of short-lived work are noise, except on the progress line and after an interrupt.
                let lasts = self.state().goes_on(what, id, &text);
                let told = lasts || self.0.stopping.load(Ordering::Relaxed);
                if told && self.0.bar.is_hidden() {
                    self.line(&terminal::escaped_line(&shown));
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
            Event::FileTransferred { path, bytes, total_bytes } => {
                let text = self.state().files.text(path, *bytes, *total_bytes);
                self.end_retries();
                self.draw(&text);
                let mut state = self.state();
                let since = state.waiting.take().map_or_else(Instant::now, |(_, since)| since);
                state.waiting = Some((text, since));
            }
            other => self.show_cancellation(other),
        }
    }

    /// Shows what becomes of what must not outlive the program: all of it after an interrupt, else only what fails.
    fn show_cancellation(&self, event: &Event) {
        let is_stopping = self.0.stopping.load(Ordering::Relaxed);
        match event {
            Event::Canceling { what, id } => {
                self.state().canceling.push((what, id.clone()));
                if is_stopping {
                    self.line(&format!("canceling {what} {id}"));
                }
            }
            Event::Canceled { what, id } => self.forget(what, id),
            // After the end it is what `left` has told of already.
            Event::Abandoned { operation } if is_stopping && !self.0.ended.load(Ordering::Relaxed) => {
                self.must_say(&format!(
                    "{operation} was sent and not answered: it may have been carried out"
                ));
            }
            Event::Warning { text } => self.line(&format!("warning: {text}")),
            Event::CancelingFailed { what, id, reason } => {
                self.forget(what, id);
                self.not_canceled(what, id, reason);
            }
            Event::AwaitingAnswer { what } if is_stopping => {
                self.state().unnamed = Some((what, "no answer has come".to_owned()));
                self.line(&format!(
                    "waiting for the answer to the submission, to cancel the {what}; interrupt again to stop waiting"
                ));
            }
            Event::Answered { unknown, .. } if is_stopping => {
                let mut state = self.state();
                state.unnamed = state.unnamed.take().zip(unknown.clone()).map(|((what, _), why)| (what, why));
            }
            _ => {}
        }
    }

    fn forget(&self, what: &str, id: &str) {
        self.state().canceling.retain(|(canceling, its)| (*canceling, its.as_str()) != (what, id));
    }

    /// The program ends: says what may still run because nothing was answered in time.
    pub(crate) fn left(&self) {
        self.0.ended.store(true, Ordering::Relaxed);
        let (canceling, unnamed) = {
            let mut state = self.state();
            (std::mem::take(&mut state.canceling), state.unnamed.take())
        };
        for (what, id) in canceling {
            self.not_canceled(what, &id, "no answer has come");
        }
        match unnamed {
            Some(("context", why)) => self.line(&format!("warning: a context may have been created: {why}")),
            Some((what, why)) => {
                self.must_say(&format!(
                    "the {what} may run: it was submitted, and its id is not known: {why}"
                ));
            }
            None => {}
        }
    }

    fn not_canceled(&self, what: &str, id: &str, reason: &str) {
        match what {
            // The code has ended, or was canceled with a line of its own.
            "context" => self.line(&format!(
                "warning: context {id} was not destroyed, so it stays until the cluster terminates: {reason}"
            )),
            _ => self.must_say(&format!("{what} {id} was not canceled, so it may still run: {reason}")),
        }
    }

    /// Prints a line that --quiet doesn't suppress: remote work goes on that was meant to end.
    fn must_say(&self, text: &str) {
        self.0.bar.suspend(|| terminal::tell(&terminal::cut(text)));
    }

    /// Counts a failed attempt on the progress line. Without one, only the first is shown now.
    fn retry(&self, operation: &str, reason: &str, after: Duration) {
        let (count, earlier) = self.state().retry(operation, reason, after);
        let seconds = after.as_secs_f64();
        let text = format!("{operation}: attempt {count} failed ({reason}); again in {seconds:.1} s");
        if !self.0.bar.is_hidden() {
            return self.draw(&text);
        }
        earlier.iter().for_each(|line| self.line(&terminal::escaped_line(line)));
        if count == 1 {
            self.line(&terminal::escaped_line(&text));
        }
    }

    fn end_retries(&self) {
        let retried = self.state().retried();
        if self.0.bar.is_hidden() {
            retried.iter().for_each(|line| self.line(&terminal::escaped_line(line)));
        }
    }

    /// Updates the progress line.
    fn draw(&self, text: &str) {
        if !self.0.bar.is_hidden() {
            self.0.bar.set_message(terminal::escaped_line(text).into_owned());
            self.0.bar.enable_steady_tick(Duration::from_millis(120));
        }
    }
}

fn target(rewrites: bool) -> ProgressDrawTarget {
    match rewrites {
        true => ProgressDrawTarget::term_like_with_hz(Box::new(Narrower(Term::stderr())), 20),
        false => ProgressDrawTarget::hidden(),
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

#[cfg(test)]
mod tests {
    use super::Transfers;

    #[test]
    fn one_file_is_named_and_several_are_counted() {
        let mut files = Transfers::default();
        assert_eq!(files.text("/a", 512, Some(1024)), "/a: 512 B of 1.00 KiB");
        assert_eq!(files.text("/b", 512, None), "0 done, 2 in progress, 1.00 KiB");
        files.text("/a", 1024, Some(1024));
        assert_eq!(files.text("/b", 1024, None), "1 done, 1 in progress, 2.00 KiB");
    }
}
