//! References, components and the factory.

use std::sync::Arc;

use redlatch_component::{
    Component, ConfigParams, Configurable, ConnectionParams, Context, CredentialStore, Descriptor,
    Discovery, Factory, Lock, MemoryCredentialStore, MemoryDiscovery, MemoryLock, NullLock,
    Pending, References, blocking,
};

fn locator(text: &str) -> Descriptor {
    text.parse().expect(text)
}

/// What a user puts in instead of ours; it counts its questions.
#[derive(Default)]
struct Registry;

impl Discovery for Registry {
    fn register<'a>(
        &'a self,
        _: Context<'a>,
        _: &'a str,
        connection: ConnectionParams,
    ) -> Pending<'a, ConnectionParams> {
        Box::pin(async { Ok(connection) })
    }

    fn resolve_one<'a>(
        &'a self,
        _: Context<'a>,
        key: &'a str,
    ) -> Pending<'a, Option<ConnectionParams>> {
        Box::pin(async move { Ok(Some(ConnectionParams::from_host(key))) })
    }

    fn resolve_all<'a>(
        &'a self,
        context: Context<'a>,
        key: &'a str,
    ) -> Pending<'a, Vec<ConnectionParams>> {
        Box::pin(async move { Ok(self.resolve_one(context, key).await?.into_iter().collect()) })
    }
}

trait Greeter: Send + Sync {
    fn greet(&self) -> String;
}

struct English;

impl Greeter for English {
    fn greet(&self) -> String {
        "hello".to_owned()
    }
}

#[test]
fn components_are_found_by_their_faces() {
    let mut references = References::new();
    let ours = Arc::new(MemoryDiscovery::new());
    references.put(locator("pip-services:discovery:memory:default:1.0"), Arc::clone(&ours));
    references.put(
        locator("mine:greeter:english:default:1.0"),
        Component::of::<dyn Greeter>(Arc::new(English)),
    );

    let all = locator("*:discovery:*:*:1.0");
    assert!(references.get_one_optional::<dyn Discovery>(&all).is_some());
    assert!(references.get_one_optional::<dyn Configurable>(&all).is_some());
    let same = references.get_one_required::<MemoryDiscovery>(&all).expect("the same");
    assert!(Arc::ptr_eq(&same, &ours));
    assert!(references.get_one_optional::<dyn Lock>(&all).is_none());

    let greeter: Arc<dyn Greeter> =
        references.get_one_required(&locator("*:greeter:*:*:*")).expect("a greeter");
    assert_eq!(greeter.greet(), "hello");
}

#[test]
fn a_user_can_put_an_implementation_of_its_own() {
    let mut references = References::new();
    let registry = Component::of::<dyn Discovery>(Arc::new(Registry));
    references.put(locator("mine:discovery:registry:default:1.0"), registry);
    let object: Arc<dyn Discovery> = Arc::new(Registry);
    references.put(locator("mine:discovery:registry:second:1.0"), object);
    let found = references.get_optional::<dyn Discovery>(&locator("*:discovery:*:*:1.0"));
    assert_eq!(found.len(), 2);
}

#[test]
fn the_last_that_was_put_comes_first() {
    let mut references = References::new();
    for name in ["a", "b"] {
        let text = format!("pip-services:credential-store:memory:{name}:1.0");
        let store = Arc::new(MemoryCredentialStore::new());
        references.put(locator(&text), store);
    }
    let store = |name: &str| {
        let text = format!("*:credential-store:*:{name}:*");
        references.get_one_required::<MemoryCredentialStore>(&locator(&text)).expect(name)
    };
    let all = locator("*:credential-store:*:*:1.0");
    let newest = references.get_one_required::<MemoryCredentialStore>(&all).expect("one");
    assert!(Arc::ptr_eq(&newest, &store("b")));
    let found = references.get_required::<MemoryCredentialStore>(&all).expect("two");
    assert!(found.len() == 2 && Arc::ptr_eq(&found[1], &store("a")));
    assert_eq!(references.get_all().len(), 2);
    let locators: Vec<_> = references.get_all_locators().iter().map(ToString::to_string).collect();
    assert_eq!(
        locators,
        [
            "pip-services:credential-store:memory:a:1.0",
            "pip-services:credential-store:memory:b:1.0"
        ]
    );
    assert!(references.get_one_optional::<dyn CredentialStore>(&locator("*:*:*:*:2.0")).is_none());
}

#[test]
fn the_newest_is_removed_first() {
    let mut references = References::new();
    let first = locator("pip-services:lock:memory:a:1.0");
    references.put(first.clone(), Arc::new(MemoryLock::new()));
    references.put(locator("pip-services:lock:null:b:1.0"), NullLock::new());
    let all = locator("*:lock:*:*:*");
    let removed = references.remove(&all).expect("a lock");
    assert!(removed.get::<NullLock>().is_some());
    assert_eq!(references.get_all_locators(), [first]);
    references.put(locator("pip-services:lock:null:c:1.0"), NullLock::new());
    assert_eq!(references.remove_all(&all).len(), 2);
    assert!(references.remove(&all).is_none() && references.get_all().is_empty());
}

#[test]
fn what_is_required_and_missing_is_an_error_that_says_why() {
    let mut references = References::new();
    let wanted = locator("*:discovery:*:*:1.0");
    let error = references.get_one_required::<dyn Discovery>(&wanted).map(drop).expect_err("none");
    assert_eq!(
        error.to_string(),
        "Failed to obtain reference to *:discovery:*:*:1.0: put one into the references before \
         [REF_ERROR]"
    );
    assert_eq!(error.category().as_str(), "Internal");
    assert_eq!(error.detail("locator"), Some("*:discovery:*:*:1.0"));

    references
        .put(locator("mine:discovery:registry:default:1.0"), Component::of(Arc::new(Registry)));
    let error = references.get_required::<dyn Discovery>(&wanted).map(drop).expect_err("no face");
    assert!(error.message().contains("was not put as dyn"), "{error}");
    assert!(error.message().contains("Component::of"), "{error}");
}

#[test]
fn a_later_face_of_one_type_replaces_the_earlier() {
    let (one, two) = (Arc::new(MemoryLock::new()), Arc::new(MemoryLock::new()));
    let component = Component::of(Arc::clone(&one)).and(Arc::clone(&two));
    let found = component.get::<MemoryLock>().expect("a lock");
    assert!(Arc::ptr_eq(&found, &two));
    assert!(format!("{component:?}").contains("MemoryLock"));
}

#[test]
fn the_factory_makes_what_the_family_makes() {
    let factory = Factory::default();
    let made = |text: &str| factory.create(&locator(text)).expect(text);
    let lock = made("pip-services:lock:memory:orders:1.0");
    assert!(lock.get::<dyn Lock>().is_some() && lock.get::<MemoryLock>().is_some());
    assert!(lock.get::<dyn Configurable>().is_some());
    let null = made("pip-services:lock:null:default:1.0");
    assert!(null.get::<dyn Lock>().is_some() && null.get::<dyn blocking::Lock>().is_some());
    assert!(made("pip-services:discovery:memory:default:1.0").get::<dyn Discovery>().is_some());
    let store = made("pip-services:credential-store:memory:default:1.0");
    assert!(store.get::<dyn CredentialStore>().is_some());
}

#[test]
fn both_faces_of_a_made_lock_share_their_locks() {
    let lock =
        Factory::default().create(&locator("pip-services:lock:memory:*:1.0")).expect("a lock");
    let face = lock.get::<dyn blocking::Lock>().expect("a blocking face");
    let typed = lock.get::<blocking::MemoryLock>().expect("the same, typed");
    assert!(face.try_acquire_lock(Context::NONE, "key1", 3000).expect("an attempt"));
    assert!(!typed.try_acquire_lock(None, "key1", 3000).expect("an attempt"));
    let component = lock.get::<dyn Configurable>().expect("a configurable");
    component.configure(&ConfigParams::from_string("options.retry_timeout=5")).expect("an option");
}

#[test]
fn a_factory_says_what_it_cannot_make_and_learns() {
    let mut factory = Factory::default();
    let wanted = locator("mine:lock:other:default:1.0");
    let error = factory.create(&wanted).map(drop).expect_err("unknown");
    assert_eq!(
        error.to_string(),
        "Nothing makes mine:lock:other:default:1.0; register it with the factory before \
         [CANNOT_CREATE]"
    );
    assert!(factory.can_create(&wanted).is_none());
    let registered = locator("mine:lock:other:*:1.0");
    factory.register(registered.clone(), |_| NullLock::new());
    assert_eq!(factory.can_create(&wanted), Some(&registered));
    assert!(factory.create(&wanted).expect("a lock").get::<dyn Lock>().is_some());
    assert!(factory.can_create(&locator("pip-services:lock:memory:a:2.0")).is_none());
    assert!(format!("{factory:?}").contains("mine:lock:other:*:1.0"));
}
