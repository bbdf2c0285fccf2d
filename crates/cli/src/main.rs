//! `brick`: Databricks from the command line. A thin layer: arguments, one action, one output, an exit code.

mod args;
mod ask;
mod candidates;
mod color;
mod command_line;
mod commands;
mod context;
mod failure;
mod full_names;
mod hint;
mod lifecycle;
mod log;
mod next;
mod options;
mod output;
mod progress;
mod read_only;
#[cfg(feature = "reference")]
mod reference;
mod repl;
mod report;
mod shells;
mod signals;
mod source;
mod terminal;
mod tree;
mod watch;

use std::{process::ExitCode, time::Duration};

use crate::{args::Args, context::Context, report::Outcome, signals::Listener};

/// What the main thread has on Linux and macOS, in bytes. Windows gives it 1 MiB, and a command needs more.
#[cfg(windows)]
const STACK: usize = 8 << 20;

#[cfg(windows)]
fn main() -> ExitCode {
    let main = std::thread::Builder::new().name("main".to_owned()).stack_size(STACK).spawn(start);
    match main.map(std::thread::JoinHandle::join) {
        Ok(Ok(code)) => code,
        // It has panicked, and said so.
        Ok(Err(_)) => ExitCode::from(101),
        Err(error) => report::finish(Outcome::Failed(error.into()), options::Format::Auto),
    }
}

#[cfg(not(windows))]
fn main() -> ExitCode {
    start()
}

fn start() -> ExitCode {
    #[cfg(feature = "jq")]
    if output::run_if_child() {
        return ExitCode::SUCCESS;
    }
    // A shell that requests completions sets COMPLETE; this call answers and exits.
    clap_complete::CompleteEnv::with_factory(Args::tree).shells(shells::SHELLS).complete();
    #[cfg(feature = "reference")]
    if let Some(done) = reference::write_if_asked(Args::tree()) {
        return report::finish(done.map_or_else(Outcome::Failed, |()| Outcome::Done), options::Format::Auto);
    }
    if std::env::args_os().len() == 1 {
        terminal::tell(&tree::overview(&Args::tree()));
        return ExitCode::from(2);
    }
    let mut args = match Args::read() {
        Ok(args) => args,
        Err(error) => return report::misread(&error),
    };
    color::choose(args.global.color);
    args.global.settle();
    // This thread runs the command. The worker drives the network, and signals while this thread blocks on output.
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return report::finish(Outcome::Failed(error.into()), args.global.error_format()),
    };
    // Declared after the runtime, so that a panic ends them, too.
    let programs = EndPrograms;
    let code = runtime.block_on(run(args));
    drop(programs);
    // Don't wait for a DNS lookup that hangs.
    runtime.shutdown_background();
    code
}

/// Ends `az` and `databricks` when it is dropped: tokens are fetched by tasks that outlive the command.
struct EndPrograms;

impl Drop for EndPrograms {
    fn drop(&mut self) {
        brickwire_actions::end_programs();
    }
}

async fn run(args: Args) -> ExitCode {
    // Signals are listened to before the command sends anything, and without a gap from then on.
    let signals = Listener::begin();
    tokio::spawn(leave_if_stuck(Listener::begin()));
    log::start(&args.global);
    let global = args.global.clone();
    let context = Context::new(args.global);
    let command = async {
        match args.watch {
            Some(every) => watch::run(args.command, every, &context).await,
            None => commands::run(args.command, &args.words, &context).await,
        }
    };
    // Dropping the command's future cancels what it started; `settle` waits for these cancellations.
    let (outcome, mut signals) = tokio::select! {
        biased;
        (signal, signals) = stopped(signals, &context) => (Outcome::Interrupted(signal), signals),
        done = command => {
            let outcome = match (done, signals::received()) {
                // Work that blocks this thread notices a signal itself.
                (Err(_), Some(signal)) => Outcome::Interrupted(signal),
                (Ok(()), _) => context.exit_code().map_or(Outcome::Done, Outcome::Exited),
                (Err(error), None) => Outcome::Failed(context.progress().with_next(error)),
            };
            // The signal that such work has noticed is not a second one.
            (outcome, Listener::begin())
        }
        () = context.progress().beat() => unreachable!("it never ends"),
    };
    context.progress().clear();
    tokio::select! {
        () = context.settle(matches!(outcome, Outcome::Interrupted(_))) => {}
        // A second signal means now. What is being canceled has been named.
        _ = signals.next() => {}
    }
    context.progress().left();
    let outcome = match outcome {
        Outcome::Failed(failure) => Outcome::Failed(next::complete(failure, &global)),
        other => other,
    };
    report::finish(outcome, global.error_format())
}

/// Waits for a signal. Reports what continues before the command's future is dropped.
async fn stopped(mut signals: Listener, context: &Context) -> (u8, Listener) {
    let signal = signals.next().await;
    context.progress().stopping();
    (signal, signals)
}

/// Ends the program if it is stuck after a signal: a write to a pipe without a reader blocks forever.
async fn leave_if_stuck(mut signals: Listener) {
    let code = signals.next().await;
    tokio::select! {
        _ = signals.next() => tokio::time::sleep(Duration::from_secs(2)).await,
        () = tokio::time::sleep(context::SETTLE + Duration::from_secs(2)) => {}
    }
    brickwire_actions::end_programs();
    std::process::exit(code.into())
}
