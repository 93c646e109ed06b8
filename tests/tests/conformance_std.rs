//! The conformance scenarios, with redlatch-std, on the model and on every real server, in both
//! versions of the protocol.

use core::time::Duration;
use std::sync::Arc;

use redlatch_std::{Client, Guard, Protocol, Retry};
use redlatch_testkit::conformance::{
    self, Failure, Host, ModelHost, Need, Options, RealHost, Subject, run,
};
use redlatch_testkit::model::Dialect;
use redlatch_testkit::server::Kind;

/// The model runs only our own scripts.
const MODEL_LEAVES_OUT: [&str; 1] = ["a_peer_can_release_with_our_token_and_not_without"];

/// No test comes between two requests to a real server.
const REAL_LEAVES_OUT: [&str; 1] = ["a_release_before_the_server_was_asked_to_tell_is_seen"];

struct Std;

impl Subject for Std {
    fn connect(
        &self,
        urls: &str,
        options: &Options,
    ) -> Result<Arc<dyn conformance::Client>, Failure> {
        let client = Client::builder()
            .servers(urls)
            .protocol(options.protocol)
            .reply_timeout(options.reply_timeout)
            .wake(options.wake)
            .connect()?;
        Ok(Arc::new(Face(client)))
    }

    fn offers(&self, _: Need) -> bool {
        true
    }
}

struct Face(Client);

impl conformance::Client for Face {
    fn try_lock(
        &self,
        key: &[u8],
        ttl: Duration,
    ) -> Result<Option<Box<dyn conformance::Guard>>, Failure> {
        let guard = self.0.try_lock(key, ttl)?;
        Ok(guard.map(|guard| Box::new(Held(guard)) as Box<dyn conformance::Guard>))
    }

    fn lock(
        &self,
        key: &[u8],
        ttl: Duration,
        retry: Retry,
    ) -> Result<Box<dyn conformance::Guard>, Failure> {
        Ok(Box::new(Held(self.0.lock_with(key, ttl, retry)?)))
    }
}

struct Held(Guard);

impl conformance::Guard for Held {
    fn validity(&self) -> Duration {
        self.0.validity()
    }

    fn extend(&mut self) -> Result<Duration, Failure> {
        Ok(self.0.extend()?)
    }

    fn release(self: Box<Self>) -> Result<bool, Failure> {
        Ok(self.0.release()?)
    }
}

fn conforms(host: &dyn Host, protocol: Protocol, left_out: &[&str]) {
    let report = run(&Std, host, protocol);
    println!("{report}");
    report.expect_all_but(left_out);
}

#[test]
fn on_the_model_with_resp2() {
    conforms(&ModelHost::default(), Protocol::Resp2, &MODEL_LEAVES_OUT);
}

#[test]
fn on_the_model_with_resp3() {
    conforms(&ModelHost::default(), Protocol::Resp3, &MODEL_LEAVES_OUT);
}

/// Redis 5 has no `HELLO` and no users: the client must fall back.
#[test]
fn on_a_model_of_redis_5() {
    let host = ModelHost { dialect: Dialect::Redis5 };
    let left_out = [
        "a_peer_can_release_with_our_token_and_not_without",
        "the_protocol_that_was_asked_for_is_spoken",
        "a_user_of_the_url_is_used",
        "who_may_not_be_told_polls",
    ];
    conforms(&host, Protocol::Resp3, &left_out);
}

#[test]
fn on_redis_7_0_with_resp2() {
    conforms(&RealHost(Kind::Redis7), Protocol::Resp2, &REAL_LEAVES_OUT);
}

#[test]
fn on_redis_7_0_with_resp3() {
    conforms(&RealHost(Kind::Redis7), Protocol::Resp3, &REAL_LEAVES_OUT);
}

#[test]
fn on_redis_8_2_with_resp2() {
    conforms(&RealHost(Kind::Redis8), Protocol::Resp2, &REAL_LEAVES_OUT);
}

#[test]
fn on_redis_8_2_with_resp3() {
    conforms(&RealHost(Kind::Redis8), Protocol::Resp3, &REAL_LEAVES_OUT);
}

#[test]
fn on_redis_8_6_with_resp2() {
    conforms(&RealHost(Kind::Redis8_6), Protocol::Resp2, &REAL_LEAVES_OUT);
}

#[test]
fn on_redis_8_6_with_resp3() {
    conforms(&RealHost(Kind::Redis8_6), Protocol::Resp3, &REAL_LEAVES_OUT);
}

#[test]
fn on_valkey_9_1_with_resp2() {
    conforms(&RealHost(Kind::Valkey9), Protocol::Resp2, &REAL_LEAVES_OUT);
}

#[test]
fn on_valkey_9_1_with_resp3() {
    conforms(&RealHost(Kind::Valkey9), Protocol::Resp3, &REAL_LEAVES_OUT);
}
