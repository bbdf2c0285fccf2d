use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// Leaves what Python has on Windows: no process groups, and no signal for a thread.
const WINDOWS: &str = "import os, signal\ndel os.getpgrp, os.killpg, signal.pthread_kill\n";

#[tokio::test]
async fn a_command_is_interrupted_without_signals_for_threads() {
    let directory = tempfile::tempdir().unwrap();
    let driver = format!("{WINDOWS}{DRIVER}");
    let cancel = Arc::new(Notify::new());
    let at_work = cancel.clone();
    let python = Interpreter::start_driver(directory, &driver).await.unwrap();
    // The code asks this when it is about to loop.
    let mut python = python.with_host(Box::new(move |_| {
        at_work.notify_one();
        Box::pin(async { json!({ "names": [] }) })
    }));
    let reply = python.run("1", "print('on')\nx = 1", &Notify::new()).await.unwrap();
    assert_eq!(reply, Reply::Text("on".to_owned()));
    let endless = "dbutils.secrets.listScopes()\nwhile True: x += 1";
    let reply = python.run("2", endless, &cancel).await.unwrap();
    assert_eq!(reply, Reply::Cancelled);
    let reply = python.run("3", "x > 0", &Notify::new()).await.unwrap();
    assert_eq!(reply, Reply::Text("True".to_owned()));
}

#[tokio::test]
async fn a_thread_that_asks_gets_a_reply_when_the_command_is_canceled() {
    let python = Interpreter::start(tempfile::tempdir().unwrap()).await.unwrap();
    let cancel = Arc::new(Notify::new());
    let asked = cancel.clone();
    let mut python = python.with_host(Box::new(move |question| {
        if question["ask"] == "listScopes" {
            return Box::pin(async { json!({ "names": [] }) });
        }
        asked.notify_one();
        Box::pin(std::future::pending())
    }));
    let code = "import threading\n\
                def slow():\n    \
                try: dbutils.secrets.list('s')\n    \
                except Exception as error: global ended; ended = str(error)\n\
                thread = threading.Thread(target=slow)\nthread.start()\nthread.join()";
    assert_eq!(python.run("1", code, &cancel).await.unwrap(), Reply::Cancelled);
    let code = "thread.join()\ndbutils.secrets.listScopes(), ended";
    let never = Notify::new();
    let next = tokio::time::timeout(Duration::from_secs(20), python.run("2", code, &never)).await;
    assert_eq!(next.unwrap().unwrap(), Reply::Text("([], 'canceled')".to_owned()));
}

/// A command with this code, whose threads call `slow`, is canceled when the first question reaches the sandbox.
async fn canceled_while_it_asks(code: &str) -> (Interpreter, Arc<AtomicUsize>) {
    let python = Interpreter::start(tempfile::tempdir().unwrap()).await.unwrap();
    let (cancel, asked) = (Arc::new(Notify::new()), Arc::new(AtomicUsize::new(0)));
    let (at_work, count) = (cancel.clone(), asked.clone());
    let mut python = python.with_host(Box::new(move |question| {
        if question["ask"] == "listScopes" {
            return Box::pin(async { json!({ "names": [] }) });
        }
        count.fetch_add(1, Ordering::SeqCst);
        at_work.notify_one();
        Box::pin(std::future::pending())
    }));
    let code = format!(
        "import queue, threading\n\
         errors = queue.SimpleQueue()\n\
         def slow():\n    \
         try: dbutils.secrets.list('s')\n    \
         except Exception as error: errors.put(str(error))\n\
         def start(target):\n    \
         thread = threading.Thread(target=target)\n    thread.start()\n    return thread\n\
         {code}"
    );
    assert_eq!(python.run("1", &code, &cancel).await.unwrap(), Reply::Cancelled);
    (python, asked)
}

async fn text_of(python: &mut Interpreter, code: &str) -> Reply {
    let never = Notify::new();
    let reply = tokio::time::timeout(Duration::from_secs(60), python.run("next", code, &never)).await;
    reply.expect("no question is left without a reply").unwrap()
}

#[tokio::test]
async fn a_question_that_waits_behind_another_is_canceled_with_it() {
    // Both threads run before one of them asks.
    let code = "both = threading.Event()\n\
                def first():\n    both.wait()\n    slow()\n\
                def second():\n    both.set()\n    slow()\n\
                start(first)\nstart(second)\nthreading.Event().wait()";
    let (mut python, asked) = canceled_while_it_asks(code).await;
    let reply = text_of(&mut python, "[errors.get(), errors.get()]").await;
    assert_eq!(reply, Reply::Text("['canceled', 'canceled']".to_owned()));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_thread_of_a_canceled_command_asks_nothing_later() {
    // The second thread is started by the first one.
    let code = "go = threading.Event()\n\
                def late():\n    go.wait()\n    start(slow).join()\n\
                thread = start(late)\n\
                slow()";
    let (mut python, asked) = canceled_while_it_asks(code).await;
    let reply = text_of(&mut python, "go.set()\nthread.join()\nerrors.get()").await;
    assert_eq!(reply, Reply::Text("'canceled'".to_owned()));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    // A thread of a command that ended by itself goes on.
    let code = "go.clear()\nscopes = []\n\
                def later():\n    go.wait()\n    scopes.append(dbutils.secrets.listScopes())\n\
                thread = start(later)";
    text_of(&mut python, code).await;
    let reply = text_of(&mut python, "go.set()\nthread.join()\nscopes").await;
    assert_eq!(reply, Reply::Text("[[]]".to_owned()));
}

#[tokio::test]
async fn a_line_that_is_not_json_ends_the_command_only() {
    let mut python = Interpreter::start(tempfile::tempdir().unwrap()).await.unwrap();
    let never = Notify::new();
    let reply = python.run("1", "import __main__\n_ = __main__.answers.write('{]\\n')", &never).await;
    assert!(matches!(reply.unwrap(), Reply::Raised { summary, .. } if summary.contains("can't read")));
    let reply = python.run("2", "'next'", &never).await.unwrap();
    assert_eq!(reply, Reply::Text("'next'".to_owned()));
}

#[tokio::test]
async fn without_process_groups_it_ends_when_the_sandbox_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let driver = format!("{WINDOWS}{DRIVER}");
    let mut python = Process::start(PROGRAMS[0], directory.path(), &driver).await.unwrap();
    drop(python.requests);
    let ended = tokio::time::timeout(Duration::from_secs(20), python.child.wait()).await;
    assert!(ended.unwrap().unwrap().success());
}
