//! Manifests: what they announce is bounded before anything is allocated for it.

#![no_main]

use brickwire_actions::{fuzzing::layout, types::ResultManifest};
use libfuzzer_sys::fuzz_target;

/// More chunks are no result.
const MOST: u64 = 1_000_000;

fuzz_target!(|data: &[u8]| {
    let Ok(manifest) = serde_json::from_slice::<ResultManifest>(data) else { return };
    let Ok(count) = layout(&manifest) else { return };
    assert!(count <= MOST, "{count}");
    if let Some(announced) = manifest.total_chunk_count {
        assert_eq!(u64::try_from(announced), Ok(count));
    }
});
