//! Starting a run and following it to its end.

use std::{collections::BTreeMap, time::Duration};

use brickwire_actions::{
    JobRun, Jobs, WaitOptions,
    types::{RepairRun, RunNow},
};
use serde_json::json;

use super::show;
use crate::{
    context::Context,
    failure::{Failure, Result},
    options::duration,
};

/// Job parameters.
#[derive(Debug, clap::Args)]
pub(crate) struct Parameters {
    /// Value of a job parameter; may be repeated
    #[arg(long = "param", short = 'P', value_name = "NAME=VALUE")]
    parameters: Vec<String>,
}

impl Parameters {
    /// The parameters by name, if there are any.
    pub(super) fn read(&self) -> Result<Option<BTreeMap<String, String>>> {
        let mut read = BTreeMap::new();
        for given in &self.parameters {
            let (name, value) = match given.split_once('=') {
                Some((name, value)) if !name.is_empty() => (name, value),
                _ => return Err(Failure::usage(format!("not NAME=VALUE: {given:?}"))),
            };
            if read.insert(name.to_owned(), value.to_owned()).is_some() {
                return Err(Failure::usage(format!("this parameter is given twice: {name}")));
            }
        }
        Ok((!read.is_empty()).then_some(read))
    }
}

/// What a run is started with.
#[derive(Debug, clap::Args)]
pub(crate) struct Start {
    #[command(flatten)]
    parameters: Parameters,
    /// Run only this task; may be repeated
    #[arg(long = "task", value_name = "KEY")]
    tasks: Vec<String>,
    /// Text of up to 64 characters that identifies this start: a second one with it starts no other run
    #[arg(long, value_name = "TOKEN")]
    idempotency_token: Option<String>,
}

impl Start {
    /// The request, but for the job.
    pub(super) fn request(self) -> Result<RunNow> {
        Ok(RunNow {
            job_parameters: self.parameters.read()?,
            only: (!self.tasks.is_empty()).then_some(self.tasks),
            idempotency_token: self.idempotency_token,
            ..Default::default()
        })
    }
}

/// How a run is followed.
#[derive(Debug, clap::Args)]
pub(crate) struct Following {
    /// Print the ID of the run and don't wait
    #[arg(long = "no-wait", alias = "detach")]
    detach: bool,
    /// Cancel the run when brick is interrupted, or at the end of --timeout
    #[arg(long, conflicts_with = "detach")]
    cancel_on_interrupt: bool,
    /// Stop waiting if the whole command takes longer than this, such as 30m or 2h; by default there is no limit
    #[arg(long, value_name = "DURATION", value_parser = duration, allow_hyphen_values = true)]
    pub(super) timeout: Option<Duration>,
}

/// Declares that a run goes on when the program ends.
pub(super) fn expect_to_go_on(context: &Context) {
    context.progress().expect_to_outlive("run", "brick jobs output");
}

impl Following {
    /// Starts a run, and follows it unless it is to be detached.
    pub(super) async fn start(
        &self,
        jobs: &Jobs,
        request: &RunNow,
        limit: WaitOptions,
        context: &Context,
    ) -> Result {
        if self.cancel_on_interrupt {
            context.progress().expect_lines("run");
            let ended = jobs.run_or_cancel(request, limit).await?;
            return show::ended(&ended, &jobs.run(ended.run_id), context).await;
        }
        // Before the start, so that an interrupt right after it names the run.
        expect_to_go_on(context);
        let run = jobs.run_now(request).await?;
        if self.detach {
            return context.record(json!({ "run_id": run.id() }).to_string().as_bytes());
        }
        show::ended(&run.wait_with(limit).await?, &run, context).await
    }

    /// Repairs a run, and follows it unless it is to be detached.
    pub(super) async fn repair(
        &self,
        run: &JobRun,
        request: &RepairRun,
        limit: WaitOptions,
        context: &Context,
    ) -> Result {
        let repair_id = run.repair(request).await?;
        if self.detach {
            let started = json!({ "run_id": run.id(), "repair_id": repair_id });
            return context.record(started.to_string().as_bytes());
        }
        let ended = if self.cancel_on_interrupt {
            context.progress().expect_lines("run");
            run.wait_or_cancel(limit).await?
        } else {
            expect_to_go_on(context);
            run.wait_with(limit).await?
        };
        show::ended(&ended, run, context).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_have_a_name_each() {
        let read = |given: &[&str]| {
            Parameters { parameters: given.iter().map(|text| (*text).to_owned()).collect() }.read()
        };
        assert_eq!(read(&[]).unwrap(), None);
        let both = read(&["a=", "b=c=d"]).unwrap().unwrap();
        assert_eq!((both["a"].as_str(), both["b"].as_str()), ("", "c=d"));
        for wrong in [&["a"][..], &["=1"], &["a=1", "a=2"]] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }
}
