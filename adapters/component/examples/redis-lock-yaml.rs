//! A lock that is made by a factory and configured from a YAML file.
//!
//! usage: redis-lock-yaml FILE
//!
//! The file is read by `saphyr`, the maintained successor of the `yaml-rust` family, which builds with
//! the oldest Rust that this project supports. `redis-lock.yaml` beside this example is one.

use core::error::Error;
use std::fs;

use redlatch_component::{
    ConfigParams, ConfigValue, Configurable, Context, Descriptor, Factory, Lock, Openable,
};
use saphyr::{LoadableYamlNode, Yaml};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("usage: redis-lock-yaml FILE")?;
    let text = fs::read_to_string(path)?;
    let mut config = ConfigParams::new();
    for document in Yaml::load_from_str(&text)? {
        flatten(&mut config, "", &document)?;
    }

    let locator: Descriptor = config.get("descriptor").ok_or("descriptor is missing")?.parse()?;
    let made = Factory::default().create(&locator)?;
    made.get::<dyn Configurable>().ok_or("it takes no parameters")?.configure(&config)?;
    let openable = made.get::<dyn Openable>().ok_or("it cannot be opened")?;
    let lock = made.get::<dyn Lock>().ok_or("it is no lock")?;

    let context = Context::new("123");
    openable.open(context).await?;
    lock.acquire_lock(context, "key1", 3000, 1000).await?;
    println!("Processing...");
    lock.release_lock(context, "key1").await?;
    openable.close(context).await?;
    Ok(())
}

/// Sections in sections become keys with dots.
fn flatten(config: &mut ConfigParams, at: &str, node: &Yaml<'_>) -> Result<(), Box<dyn Error>> {
    if let Some(mapping) = node.as_mapping() {
        for (name, value) in mapping {
            let name = name.as_str().ok_or("a key is no text")?;
            let key = if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
            flatten(config, &key, value)?;
        }
        return Ok(());
    }
    let value = if let Some(text) = node.as_str() {
        text.into()
    } else if let Some(number) = node.as_integer() {
        number.into()
    } else if let Some(flag) = node.as_bool() {
        flag.into()
    } else if node.is_null() {
        ConfigValue::NONE
    } else {
        return Err(format!("{at} is neither text nor a number").into());
    };
    config.set(at, value);
    Ok(())
}
