//! The conformance scenarios on any asynchronous adapter.

use core::time::Duration;
use std::sync::Arc;

use redlatch_core::{Protocol, Retry};
use redlatch_futures::{Client, Guard};
use redlatch_testkit::conformance::{
    self, Failure, Host, ModelHost, Need, Options, RealHost, Subject, run,
};
use redlatch_testkit::model::Dialect;
use redlatch_testkit::server::Kind;

use super::Face;

/// The model runs only our own scripts.
const MODEL_LEAVES_OUT: [&str; 1] = ["a_peer_can_release_with_our_token_and_not_without"];

/// What Redis 5 lacks besides: `HELLO` and users.
const REDIS_5_LEAVES_OUT: [&str; 4] = [
    MODEL_LEAVES_OUT[0],
    "the_protocol_that_was_asked_for_is_spoken",
    "a_user_of_the_url_is_used",
    "who_may_not_be_told_polls",
];

/// No test comes between two requests to a real server.
const REAL_LEAVES_OUT: [&str; 1] = ["a_release_before_the_server_was_asked_to_tell_is_seen"];

/// On the model, in both versions of the protocol, and on a model of Redis 5, which has no `HELLO` and
/// no users: there the client must fall back.
pub(crate) fn on_the_model<F: Face>() {
    let new = ModelHost::default();
    conforms::<F>(&new, Protocol::Resp2, &MODEL_LEAVES_OUT);
    conforms::<F>(&new, Protocol::Resp3, &MODEL_LEAVES_OUT);
    let old = ModelHost { dialect: Dialect::Redis5 };
    conforms::<F>(&old, Protocol::Resp3, &REDIS_5_LEAVES_OUT);
}

/// On a real server, in this version of the protocol.
pub(crate) fn on_a_server<F: Face>(kind: Kind, protocol: Protocol) {
    conforms::<F>(&RealHost(kind), protocol, &REAL_LEAVES_OUT);
}

fn conforms<F: Face>(host: &dyn Host, protocol: Protocol, left_out: &[&str]) {
    let report = run(&Blocking(Arc::new(F::start())), host, protocol);
    println!("{protocol:?}: {report}");
    report.expect_all_but(left_out);
}

/// All tests of one adapter.
macro_rules! conformance_of {
    ($face:ident) => {
        use redlatch_core::Protocol::{Resp2, Resp3};
        use redlatch_testkit::server::Kind::{Redis7, Redis8, Valkey9};

        use crate::async_faces::{conformance, $face as Subject};

        #[test]
        fn on_the_model_in_every_version() {
            conformance::on_the_model::<Subject>();
        }

        #[test]
        fn on_redis_7_0_with_resp2() {
            conformance::on_a_server::<Subject>(Redis7, Resp2);
        }

        #[test]
        fn on_redis_7_0_with_resp3() {
            conformance::on_a_server::<Subject>(Redis7, Resp3);
        }

        #[test]
        fn on_redis_8_2_with_resp2() {
            conformance::on_a_server::<Subject>(Redis8, Resp2);
        }

        #[test]
        fn on_redis_8_2_with_resp3() {
            conformance::on_a_server::<Subject>(Redis8, Resp3);
        }

        #[test]
        fn on_valkey_9_1_with_resp2() {
            conformance::on_a_server::<Subject>(Valkey9, Resp2);
        }

        #[test]
        fn on_valkey_9_1_with_resp3() {
            conformance::on_a_server::<Subject>(Valkey9, Resp3);
        }
    };
}
pub(crate) use conformance_of;

/// An adapter with a `block_on` around each call.
struct Blocking<F>(Arc<F>);

impl<F: Face> Subject for Blocking<F> {
    fn connect(
        &self,
        urls: &str,
        options: &Options,
    ) -> Result<Arc<dyn conformance::Client>, Failure> {
        let connecting = Client::<F::Runtime>::builder()
            .servers(urls)
            .protocol(options.protocol)
            .reply_timeout(options.reply_timeout)
            .wake(options.wake)
            .connect();
        let client = self.0.block_on(connecting)?;
        Ok(Arc::new(Connected { face: Arc::clone(&self.0), client }))
    }

    fn offers(&self, _: Need) -> bool {
        true
    }
}

struct Connected<F: Face> {
    face: Arc<F>,
    client: Client<F::Runtime>,
}

impl<F: Face> Connected<F> {
    fn held(&self, guard: Guard) -> Box<dyn conformance::Guard> {
        Box::new(Held { face: Arc::clone(&self.face), guard })
    }
}

impl<F: Face> conformance::Client for Connected<F> {
    fn try_lock(
        &self,
        key: &[u8],
        ttl: Duration,
    ) -> Result<Option<Box<dyn conformance::Guard>>, Failure> {
        let guard = self.face.block_on(self.client.try_lock(key, ttl))?;
        Ok(guard.map(|guard| self.held(guard)))
    }

    fn lock(
        &self,
        key: &[u8],
        ttl: Duration,
        retry: Retry,
    ) -> Result<Box<dyn conformance::Guard>, Failure> {
        let guard = self.face.block_on(self.client.lock_with(key, ttl, retry))?;
        Ok(self.held(guard))
    }
}

struct Held<F: Face> {
    face: Arc<F>,
    guard: Guard,
}

impl<F: Face> conformance::Guard for Held<F> {
    fn validity(&self) -> Duration {
        self.guard.validity()
    }

    fn extend(&mut self) -> Result<Duration, Failure> {
        Ok(self.face.block_on(self.guard.extend())?)
    }

    fn release(self: Box<Self>) -> Result<bool, Failure> {
        Ok(self.face.block_on(self.guard.release())?)
    }
}
