//! The curated inputs: `seeds/` holds exactly what is written down here. `REDLATCH_WRITE_SEEDS=1` writes it there.

#[path = "seeds/choices.rs"]
mod choices;
#[path = "seeds/lines.rs"]
mod lines;
#[path = "seeds/wire.rs"]
mod wire;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

/// Name and bytes.
type Seed = (String, Vec<u8>);

/// By target and name.
fn seeds() -> BTreeMap<(String, String), Vec<u8>> {
    let wire = wire::seeds();
    let hosted = |seed: &Seed| (seed.0.clone(), [wire::HOSTED.as_slice(), &seed.1].concat());
    let all: [(&str, Vec<Seed>); 11] = [
        ("scanner", wire.iter().map(hosted).collect()),
        ("reply", wire.clone()),
        ("oracle", wire.into_iter().filter(wire::is_shallow).collect()),
        ("refusal", lines::refusals()),
        ("url", lines::urls()),
        ("encode", choices::encode()),
        ("handshake", choices::handshake()),
        ("connection", choices::connection()),
        ("lock", choices::lock()),
        ("quorum", choices::quorum()),
        ("pushes", choices::pushes()),
    ];
    let mut seeds = BTreeMap::new();
    for (target, list) in all {
        for (name, bytes) in list {
            let before = seeds.insert((target.to_owned(), name.clone()), bytes);
            assert_eq!(before, None, "{target}/{name} is written down twice");
        }
    }
    seeds
}

#[test]
fn the_folder_holds_exactly_the_seeds() {
    let expected = seeds();
    assert!(expected.len() >= 250, "only {} seeds", expected.len());
    if std::env::var_os("REDLATCH_WRITE_SEEDS").is_some() {
        write(&expected);
    }
    let found = read();
    for (name, bytes) in &expected {
        assert_eq!(found.get(name), Some(bytes), "{name:?}: REDLATCH_WRITE_SEEDS=1 writes it");
    }
    let surplus: Vec<_> = found.keys().filter(|name| !expected.contains_key(*name)).collect();
    assert!(surplus.is_empty(), "not written down: {surplus:?}");
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("seeds")
}

fn write(seeds: &BTreeMap<(String, String), Vec<u8>>) {
    for ((target, name), bytes) in seeds {
        let folder = root().join(target);
        fs::create_dir_all(&folder).expect("a folder");
        fs::write(folder.join(name), bytes).expect("a file");
    }
}

fn read() -> BTreeMap<(String, String), Vec<u8>> {
    let mut found = BTreeMap::new();
    let folders = fs::read_dir(root()).expect("the folder").flatten();
    for folder in folders.filter(|entry| entry.path().is_dir()) {
        for file in fs::read_dir(folder.path()).expect("a folder").flatten() {
            let text = |name: std::ffi::OsString| name.into_string().expect("a plain name");
            let key = (text(folder.file_name()), text(file.file_name()));
            found.insert(key, fs::read(file.path()).expect("a file"));
        }
    }
    found
}
