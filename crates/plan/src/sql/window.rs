//! Windows: `OVER (...)`, named windows, frames.

use datafusion::common::ScalarValue;
use sqlparser::ast::{self, WindowFrameBound, WindowFrameUnits};

use super::lower::{Lowering, name};
use crate::error::{ErrorClass, Result, SparkError};
use crate::ir::{Expr, WindowFrame};

impl Lowering<'_> {
    pub(super) fn window(&mut self, function: Expr, over: ast::WindowType) -> Result<Expr> {
        let spec = match over {
            ast::WindowType::WindowSpec(spec) => match reference(&spec)? {
                Some(ident) => self.named_window(ident)?,
                None => spec,
            },
            ast::WindowType::NamedWindow(ident) => self.named_window(ident)?,
        };
        Ok(Expr::Window {
            function: Box::new(function),
            partition_by: self.exprs(spec.partition_by)?,
            order_by: self.sort_orders(spec.order_by)?,
            frame: spec.window_frame.map(|frame| self.frame(frame)).transpose()?,
        })
    }

    fn named_window(&self, ident: ast::Ident) -> Result<ast::WindowSpec> {
        let mut wanted = name(ident)?;
        // A window may be named after another; a chain longer than there are windows goes in a circle.
        let windows = self.windows.last().map_or(0, |scope| scope.len());
        for _ in 0..=windows {
            match self.windows.last().and_then(|scope| scope.get(&wanted.to_lowercase())) {
                Some(ast::NamedWindowExpr::WindowSpec(spec)) => match reference(spec)? {
                    None => return Ok(spec.clone()),
                    Some(other) => wanted = name(other)?,
                },
                Some(ast::NamedWindowExpr::NamedWindow(other)) => wanted = name(other.clone())?,
                None => break,
            }
        }
        Err(SparkError::new(
            ErrorClass::Analysis,
            "MISSING_WINDOW_SPECIFICATION",
            "42P20",
            format!("Window specification is not defined in the WINDOW clause for `{wanted}`."),
        )
        .with("windowName", wanted))
    }

    fn frame(&mut self, frame: ast::WindowFrame) -> Result<WindowFrame> {
        let rows = match frame.units {
            WindowFrameUnits::Rows => true,
            WindowFrameUnits::Range => false,
            WindowFrameUnits::Groups => return Err(SparkError::unsupported("a window frame in GROUPS")),
        };
        let lower = self.bound(frame.start_bound)?;
        let upper = match frame.end_bound {
            Some(bound) => self.bound(bound)?,
            None => Some(0),
        };
        Ok(WindowFrame { rows, lower, upper })
    }

    fn bound(&mut self, bound: WindowFrameBound) -> Result<Option<i64>> {
        let (expr, sign) = match bound {
            WindowFrameBound::CurrentRow => return Ok(Some(0)),
            WindowFrameBound::Preceding(None) | WindowFrameBound::Following(None) => return Ok(None),
            WindowFrameBound::Preceding(Some(expr)) => (expr, -1),
            WindowFrameBound::Following(Some(expr)) => (expr, 1),
        };
        let distance = match self.expr(*expr)? {
            Expr::Literal(ScalarValue::Int32(Some(n))) => Some(i64::from(n)),
            Expr::Literal(ScalarValue::Int64(Some(n))) => Some(n),
            _ => None,
        };
        distance
            .and_then(|n| n.checked_mul(sign))
            .map(Some)
            .ok_or_else(|| SparkError::unsupported("a window frame whose bounds are not integers"))
    }
}

/// The other window that this one is: nothing but a name in parentheses.
fn reference(spec: &ast::WindowSpec) -> Result<Option<ast::Ident>> {
    let plain = spec.partition_by.is_empty() && spec.order_by.is_empty() && spec.window_frame.is_none();
    match &spec.window_name {
        Some(_) if !plain => {
            Err(SparkError::parse("Syntax error: a window that has a name is written as it is; it cannot be refined."))
        }
        other => Ok(other.clone()),
    }
}
