//! Large constants: a batch of rows full of one must fit into memory.

use datafusion::common::Result;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan};

use super::limited::MOST_BYTES;

/// How many rows a batch of this plan may have, if fewer than usual: a constant fills all rows of a batch, and one of a
/// megabyte would take gigabytes.
pub(super) fn batch_rows(plan: &LogicalPlan, usual: usize) -> Result<Option<usize>> {
    let mut largest = 0;
    plan.apply_with_subqueries(|node| {
        for expression in node.expressions() {
            largest_literal(&expression, &mut largest)?;
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    let rows = usize::try_from(MOST_BYTES / largest.max(1)).unwrap_or(usize::MAX).max(1);
    Ok((rows < usual).then_some(rows))
}

fn largest_literal(expression: &Expr, largest: &mut u64) -> Result<()> {
    expression.apply(|part| {
        if let Expr::Literal(value, _) = part {
            *largest = (*largest).max(value.size() as u64);
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::{LogicalPlanBuilder, lit};

    use super::*;

    #[test]
    fn a_large_constant_makes_batches_small() {
        let plan =
            |text: String| LogicalPlanBuilder::empty(true).project([lit(1), lit(text)]).unwrap().build();
        assert_eq!(batch_rows(&plan("x".to_owned()).unwrap(), 8192).unwrap(), None);
        let rows = batch_rows(&plan("x".repeat(1 << 20)).unwrap(), 8192).unwrap();
        assert!((100..=128).contains(&rows.unwrap()), "{rows:?}");
        let rows = batch_rows(&plan("x".repeat(1 << 28)).unwrap(), 8192).unwrap();
        assert_eq!(rows, Some(1));
    }
}
