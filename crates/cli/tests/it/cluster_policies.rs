//! Cluster policies and instance pools.

use brickwire_sandbox::seed::{SHARED_POLICY, WARM_POOL};

use crate::workspace::{Workspace, squeezed};

#[test]
fn policies_and_pools_are_listed_and_shown_with_nothing_lost() {
    let workspace = Workspace::fresh();
    for (noun, kind, list, get, id, name, head) in [
        (
            "cluster-policies",
            "policies",
            "/api/2.0/policies/clusters/list".to_owned(),
            format!("/api/2.0/policies/clusters/get?policy_id={SHARED_POLICY}"),
            SHARED_POLICY,
            "Shared Compute",
            "ID,NAME,CREATOR,FAMILY,DEFAULT",
        ),
        (
            "instance-pools",
            "instance_pools",
            "/api/2.0/instance-pools/list".to_owned(),
            format!("/api/2.0/instance-pools/get?instance_pool_id={WARM_POOL}"),
            WARM_POOL,
            "warm-pool",
            "ID,NAME,STATE,NODE TYPE,IDLE,USED",
        ),
    ] {
        let raw = squeezed(&workspace.get(&list));
        let ran = workspace.brick(&format!("{noun} list")).run().done().silent();
        assert_eq!(raw, format!("{{\"{kind}\":{}}}", squeezed(ran.text())));
        let ran = workspace.brick(&format!("{noun} list -o csv")).run().done().silent();
        assert!(ran.text().starts_with(head) && ran.text().contains(name), "{}", ran.text());
        let raw = squeezed(&workspace.get(&get));
        for which in [id, name] {
            let ran = workspace.brick(&format!("{noun} get")).arg(which).run().done().silent();
            assert_eq!(squeezed(ran.text()), raw, "{which}");
        }
        workspace
            .brick(&format!("{noun} get nothing"))
            .run()
            .fails(5, &["has this id or name: \"nothing\"", name]);
    }
}
